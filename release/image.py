"""`make image`: an image of the edge for one platform, built by podman or docker from wheels in its context."""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from release import python_parts, sbom
from release.base_image import debian_base
from release.debian_package import config
from release.platforms import DEBIAN_PYTHON, IMAGE_EXTRAS, PLATFORMS, ROOT, Platform, platform
from release.version import debian_version, version
from release.wheels import ReleaseError, fetch, requirements_text, resolve, unpack

NAME = "localhost/offbeat"
DEPLOY = ROOT / "deploy"
_METRICS = "# [prometheus]                    # metrics at /metrics; pip install 'offbeat[prometheus]'\n# port = 9469"


def tool() -> str:
    """podman, else docker.

    Raises:
        ReleaseError: neither is installed.
    """
    if (found := shutil.which("podman") or shutil.which("docker")) is None:
        raise ReleaseError(
            "not installed: podman or docker (Debian: apt-get install podman runc netavark aardvark-dns)"
        )
    return found


def context(target: Platform, wheel: Path, work: Path) -> Path:
    """A folder that an image is built from: Containerfile, wheels, their bill of materials, a config.

    Raises:
        ReleaseError: a wheel is not to be had.
    """
    folder = work / f"image-{target.machine}"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "wheels").mkdir(parents=True)
    pins = folder / "requirements.txt"
    found = {DEBIAN_PYTHON: resolve(target, DEBIAN_PYTHON, IMAGE_EXTRAS)}
    pins.write_text(requirements_text(target, found), "utf-8")
    wheels = fetch(target, DEBIAN_PYTHON, pins, folder / "wheels")
    shutil.copy2(wheel, folder / "wheels")
    with tempfile.TemporaryDirectory(dir=work) as site:
        unpack(target, DEBIAN_PYTHON, [*wheels, wheel], Path(site))
        bill = sbom.bill(Path(site), f"{NAME}:{tag(target)}", version())
    (folder / "bill-of-materials.json").write_text(bill, "utf-8")
    (folder / "agent.toml").write_text(image_config((ROOT / "agent.example.toml").read_text("utf-8")), "utf-8")
    shutil.copy2(DEPLOY / "image/Containerfile", folder)
    return folder


def tag(target: Platform) -> str:
    """Version and platform; a `+`, as a version in the making has, is not allowed in a tag."""
    return f"{debian_version().replace('+', '-')}-{target.debian}"


def image_config(example: str) -> str:
    """The example with the image's own places, and metrics for the health check.

    Raises:
        ReleaseError: the example no longer has the lines that name them.
    """
    if example.count(_METRICS) != 1:
        raise ReleaseError(f"agent.example.toml: wanted one {_METRICS!r}")
    text = config(example).replace("/usr/share/offbeat/", "/opt/offbeat/share/offbeat/")
    return text.replace(_METRICS, "[prometheus]                      # what the health check reads\nport = 9469")


def build(folder: Path, target: Platform, base: str | None, names: list[str]) -> None:
    """The image, in the store of podman or docker.

    Raises:
        ReleaseError: a step of the Containerfile fails, or the base is not to be had.
    """
    program = tool()
    line = [program, "build", "--file", str(folder / "Containerfile"), f"--platform={target.oci}"]
    if Path(program).name == "podman":
        # The format of OCI has no place for a health check; that of Docker has, and is read by all.
        line += ["--format=docker", "--network=none"]
    arguments = {"BASE": base, "VERSION": debian_version()}
    arguments["VENV"] = "--system-site-packages" if target.from_system else None
    line += [f"--build-arg={name}={value}" for name, value in arguments.items() if value]
    line += [f"--tag={name}" for name in names]
    run([*line, str(folder)], "building the image")


def run(command: list[str], what: str) -> None:
    """Run a step in the open.

    Raises:
        ReleaseError: it failed.
    """
    if subprocess.run(command, stdin=subprocess.DEVNULL).returncode:
        raise ReleaseError(f"{what} failed: {' '.join(command)[:300]}")


def _image(options: argparse.Namespace, work: Path) -> list[str]:
    target, base = platform(options.machine), options.base
    if base == "debian":
        base = debian_base(target, tool())
    names = options.tag or [f"{NAME}:{tag(target)}", f"{NAME}:latest"]
    (work / "dist").mkdir()
    wheel, _ = python_parts.build(work, work / "dist")
    folder = context(target, wheel, work)
    build(folder, target, base, names)
    if options.save:
        options.save.unlink(missing_ok=True)
        run([tool(), "save", "--output", str(options.save), *names], "saving the image")
    return names


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 0, or 1 with one line on stderr."""
    parser = argparse.ArgumentParser("python -m release.image", description=__doc__)
    machines = [one.machine for one in PLATFORMS]
    here = os.uname().machine
    parser.add_argument("--machine", choices=machines, default=here, help="(this machine's)")
    parser.add_argument("--base", metavar="IMAGE", help="base of the Containerfile; `debian` makes one of its packages")
    parser.add_argument("--tag", action="append", metavar="NAME", help=f"({NAME}:VERSION-ARCH and {NAME}:latest)")
    parser.add_argument("--save", type=Path, metavar="FILE", help="also write it to a file, for `podman load`")
    options = parser.parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory(prefix="offbeat-image-") as work:
            names = _image(options, Path(work))
    except ReleaseError as error:
        print(f"image: {error}", file=sys.stderr)
        return 1
    print("\n".join(names))
    return 0


if __name__ == "__main__":
    sys.exit(main())
