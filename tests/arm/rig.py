"""An ARM userland for QEMU: Debian's arm64 Python, the aarch64 wheels, and the plugin that counts instructions."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CPUS = ("cortex-a53", "cortex-a72", "cortex-a76")
"""Raspberry Pi 3 and Zero 2, Pi 4, Pi 5."""
_TOOLS = {"mmdebstrap": "mmdebstrap", "gcc": "gcc"}
_GUEST_PYTHON = "python3.11"
"""Of Debian 12, whose packages the userland is made of."""
_PLATFORMS = ("manylinux_2_34_aarch64", "manylinux_2_28_aarch64", "manylinux_2_27_aarch64", "manylinux2014_aarch64")


@dataclass(frozen=True)
class Rig:
    """A userland that is ready."""

    emulator: str
    userland: Path
    site: Path
    plugin: Path

    def run(self, cpu: str, script: Path, arguments: list[str]) -> str:
        """What a Python script prints to its error stream, the plugin's counts among it."""
        environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
        environment |= {"PYTHONHOME": str(self.userland / "usr"), "PYTHONPATH": str(self.site)}
        python = str(self.userland / "usr/bin" / _GUEST_PYTHON)
        command = [self.emulator, "-cpu", cpu, "-L", str(self.userland), "-plugin", str(self.plugin), python]
        done = subprocess.run([*command, str(script), *arguments], env=environment, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{cpu}: exit {done.returncode}: {done.stderr.strip()[-500:]}")
        return done.stderr


def emulator() -> str | None:
    """QEMU's user emulation that can load plugins: Debian's qemu-user, not qemu-user-static."""
    return os.environ.get("OFFBEAT_QEMU") or shutil.which("qemu-aarch64")


def missing() -> str | None:
    """What has to be installed first; None where nothing has."""
    names = [package for tool, package in _TOOLS.items() if not shutil.which(tool)]
    if not emulator():
        names.append("qemu-user")
    return f"not installed: apt-get install {' '.join(names)}" if names else None


def prepare(folder: Path, packages: list[str]) -> Rig:
    """Make what is not there yet, under `folder`; `packages` are pins for the guest."""
    found = emulator()
    assert found, "ask missing() first"
    rig = Rig(found, folder / "userland", folder / "site", folder / "insn.so")
    if not (rig.userland / "usr/bin" / _GUEST_PYTHON).exists():
        _make_userland(rig.userland)
    stamp = rig.site / "made-of"
    if not stamp.exists() or stamp.read_text() != "\n".join(packages):
        _install(rig.site, packages)
        stamp.write_text("\n".join(packages))
    source = Path(__file__).with_name("insn.c")
    subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-o", str(rig.plugin), str(source)], check=True)
    return rig


def _make_userland(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    included = "--include=python3,libstdc++6,libgcc-s1,zlib1g"
    options = ["--quiet", "--skip=check/qemu", "--architectures=arm64", "--variant=extract", included]
    done = subprocess.run(["mmdebstrap", *options, "bookworm", str(folder)], capture_output=True, text=True)
    if done.returncode:
        shutil.rmtree(folder, ignore_errors=True)
        raise RuntimeError(f"mmdebstrap: exit {done.returncode}: {done.stderr.strip()[-500:]}")
    # XNNPACK asks for the processors here, and stays away where it is told of none.
    cpus = folder / "sys/devices/system/cpu"
    cpus.mkdir(parents=True, exist_ok=True)
    for name in ("possible", "present"):
        (cpus / name).write_text("0-3\n")


def _install(folder: Path, packages: list[str]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    platforms = [f"--platform={name}" for name in _PLATFORMS]
    python = ["--python-version=3.11", "--implementation=cp", "--abi=cp311"]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    target = ["--target", str(folder), "--only-binary=:all:"]
    subprocess.run([*command, *target, *platforms, *python, *packages], check=True)
