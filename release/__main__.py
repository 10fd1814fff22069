"""`make release`: all artefacts into `dist`, with their hashes, sizes and one signature."""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from release import debian_package, python_parts, sbom, signature
from release.platforms import DEBIAN_PYTHON, PLATFORMS, Platform
from release.version import debian_version, version
from release.wheels import ReleaseError, fetch, own_line, requirements_text, resolve, unpack


@contextmanager
def step(what: str) -> Iterator[None]:
    """Print what is done, and how long it took."""
    print(f"--- {what}", flush=True)
    began = time.monotonic()
    yield
    print(f"--- {what}: {time.monotonic() - began:.0f} s", flush=True)


def release(dist: Path, key: Path | None, targets: list[Platform], work: Path) -> None:
    """Make everything.

    Raises:
        ReleaseError: a part cannot be made.
    """
    print(f"version {version()}, as a Debian package {debian_version()}")
    shutil.rmtree(dist, ignore_errors=True)
    dist.mkdir(parents=True)
    with step("wheel and source archive"):
        wheel, _ = python_parts.build(work, dist)
    for target in targets:
        file = dist / f"requirements-{target.machine}.txt"
        with step(file.name):
            found = {python: resolve(target, python) for python in target.pythons}
            file.write_text(requirements_text(target, found), "utf-8")
        with step(f"wheels for {target.machine}"):
            wheels = fetch(target, DEBIAN_PYTHON, file, work / f"wheels-{target.machine}")
        with step(f"Debian package for {target.debian}"):
            debian_package.build(target, [*wheels, wheel], work, dist)
        with file.open("a", encoding="utf-8") as lines:
            lines.write(own_line(wheel))
    with step("bill of materials of the wheel's environment"):
        _bill(wheel, work, dist, targets[0])
    with step("signature"):
        signature.sign(dist, key or signature.make_key(work))
        subprocess.run(["sh", "-c", signature.VERIFY], cwd=dist, check=True, stdout=subprocess.DEVNULL)


def _bill(wheel: Path, work: Path, dist: Path, target: Platform) -> None:
    """Of a virtual environment made by the README, for the first platform."""
    site = work / "site"
    unpack(target, DEBIAN_PYTHON, [*sorted((work / f"wheels-{target.machine}").glob("*.whl")), wheel], site)
    (dist / f"{wheel.stem}-{target.machine}.cdx.json").write_text(sbom.bill(site, wheel.name, version()), "utf-8")


def main() -> int:
    """Exit status 0, or 1 with one line on stderr."""
    parser = argparse.ArgumentParser("python -m release", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("dist"), metavar="FOLDER", help="(dist); emptied first")
    parser.add_argument("--key", type=Path, metavar="FILE", help="Ed25519 key that signs; default: one for this build")
    machines = [one.machine for one in PLATFORMS]
    parser.add_argument("--machine", action="append", choices=machines, help="one platform; default all; repeatable")
    options = parser.parse_args()
    targets = [one for one in PLATFORMS if not options.machine or one.machine in options.machine]
    try:
        with tempfile.TemporaryDirectory(prefix="offbeat-release-") as work:
            release(options.out.resolve(), options.key and options.key.resolve(), targets, Path(work))
    except ReleaseError as error:
        print(f"release: {error}", file=sys.stderr)
        return 1
    for file in sorted(options.out.iterdir()):
        print(f"{file.stat().st_size / 1e3:10.1f} kB  {file.name}")
    if options.key is None:
        print("Signed by a key that was made for this build and is gone: --key FILE signs a release for others.")
    print(f"To verify, in that folder: {signature.VERIFY}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
