"""A userland as a folder: made of Debian's packages once, unpacked for each run, entered by chroot."""

import os
import shutil
import subprocess
from pathlib import Path

from tests.arm.userlands import board
from tests.arm.userlands.kinds import HOME, Userland

_INCLUDED = ("ca-certificates", "openssl", "python3", "sudo")
"""Beside what Debian calls required: what Raspberry Pi OS has from the start."""
_HANDED_ON = ("http_proxy", "https_proxy", "no_proxy", "PIP_CERT", "PIP_INDEX_URL", "PIP_DEFAULT_TIMEOUT")
_PROCESSORS = {"arm64": "cortex-a72", "armhf": "cortex-a15"}
"""Of a Raspberry Pi 4; QEMU knows none nearer for 32-bit."""
_CERTIFICATES, _OWN_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt"), Path("/usr/local/share/ca-certificates")


class UserlandError(Exception):
    """A userland cannot be made, or a command failed in it."""


def mirror() -> str:
    """Debian's, as this machine's apt has it; empty where it has none, which leaves it to mmdebstrap."""
    wanted = ["--format", "$(SITE)", "Created-By: Packages", "Origin: Debian", "Component: main"]
    done = subprocess.run(["apt-get", "indextargets", *wanted], capture_output=True, text=True)
    sites = [site for site in done.stdout.split() if not site.rstrip("/").endswith("security")]
    return sites[0] if sites else ""


def base(userland: Userland, cache: Path, more: tuple[str, ...] = ()) -> Path:
    """The archive of a fresh system with these packages, made where it is not there yet; minutes.

    Raises:
        UserlandError: mmdebstrap failed.
    """
    archive = cache / f"{'-'.join((userland.architecture, userland.suite, *more))}.tar"
    if archive.exists():
        return archive
    cache.mkdir(parents=True, exist_ok=True)
    part = archive.with_suffix(".part.tar")
    options = ["--mode=root", "--skip=check/qemu", f"--architectures={userland.architecture}", "--variant=required"]
    included = [f"--include={','.join(_INCLUDED + more)}"]
    command = ["mmdebstrap", *options, *included, userland.suite, str(part), *filter(None, [mirror()])]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        part.unlink(missing_ok=True)
        raise UserlandError(f"{userland.name}: mmdebstrap: {done.stderr.strip()[-800:]}")
    return part.rename(archive)


def handed_on() -> dict[str, str]:
    """What of the environment says how packages are reached."""
    return {name: os.environ[name] for name in _HANDED_ON if name in os.environ}


def give_network(folder: Path) -> None:
    """The names and certificates of this machine, for a root."""
    shutil.copy2("/etc/resolv.conf", folder / "etc/resolv.conf")
    if _CERTIFICATES.exists():  # a proxy's own may be among them
        there = folder / _CERTIFICATES.relative_to("/")
        there.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(_CERTIFICATES, there)
    if _OWN_CERTIFICATES.is_dir():  # a package that is installed inside writes the file above anew, with these
        shutil.copytree(_OWN_CERTIFICATES, folder / _OWN_CERTIFICATES.relative_to("/"), dirs_exist_ok=True)
    (folder / "etc/hosts").write_text(f"127.0.0.1 localhost {os.uname().nodename}\n", "utf-8")


class Root:
    """An unpacked userland that commands are run in."""

    def __init__(self, userland: Userland, folder: Path, cache: Path) -> None:
        self.userland, self.folder = userland, folder
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        subprocess.run(["tar", "-xpf", str(base(userland, cache)), "--exclude=./dev/*", "-C", str(folder)], check=True)
        self._mount("/proc", "/dev")
        board.put(folder, userland.architecture)
        self._keep("/var/cache/apt/archives", cache / f"packages-{userland.architecture}-{userland.suite}")
        self._keep(f"{HOME}/.cache/pip", cache / f"pip-{userland.architecture}")
        give_network(folder)
        self.write("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n").chmod(0o755)  # the broker is outside
        self.path(HOME).mkdir(parents=True, exist_ok=True)

    def path(self, inside: str) -> Path:
        """A path in it, from outside."""
        return self.folder / inside.lstrip("/")

    def write(self, inside: str, text: str) -> Path:
        """Write a file in it."""
        path = self.path(inside)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    def start(self, command: str, output: Path, **more: str) -> subprocess.Popen[bytes]:
        """Start a command of a shell in it, in the owner's home; what it prints goes to `output`."""
        given = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": HOME}
        given |= {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
        given |= {"QEMU_CPU": _PROCESSORS[self.userland.architecture]}
        given |= handed_on() | more
        inside = ["sh", "-c", f"cd {HOME} && exec {command}" if " && " not in command else f"cd {HOME} && {command}"]
        with output.open("ab") as to:
            return subprocess.Popen(
                ["chroot", str(self.folder), *inside], env=given, stdin=subprocess.DEVNULL, stdout=to, stderr=to
            )

    def run(self, command: str, output: Path, **more: str) -> str:
        """Run a command in it to its end; what it printed.

        Raises:
            UserlandError: it failed; with what it printed last.
        """
        output.write_bytes(b"")
        status = self.start(command, output, **more).wait()
        said = output.read_text("utf-8", "replace")
        if status:
            raise UserlandError(f"{command}: exit {status}: {said.strip()[-1500:]}")
        return said

    def _mount(self, *folders: str) -> None:
        for folder in folders:
            subprocess.run(["mount", "--rbind", folder, str(self.path(folder))], check=True)

    def _keep(self, inside: str, outside: Path) -> None:
        """What is fetched once is there the next time."""
        outside.mkdir(parents=True, exist_ok=True)
        self.path(inside).mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", "--bind", str(outside), str(self.path(inside))], check=True)
