"""`make test-package`: what becomes of agent, user, keys and state when the Debian package comes, changes and goes.

As root, on a PC with Debian or Ubuntu; systemd and the package are Debian 12's for amd64.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from release.__main__ import release
from release.platforms import platform
from release.wheels import ReleaseError
from tests.arm.userlands.kinds import PACKAGE, Userland
from tests.arm.userlands.root import UserlandError, base, give_network
from tests.release.booted.machine import Machine
from tests.release.booted.steps import STEPS

_CACHE = Path(__file__).resolve().parents[3] / "build/arm/userlands"
_SYSTEM = Userland("bookworm amd64", "amd64", "bookworm", "3.11", PACKAGE)
_MORE = ("systemd-sysv", "mosquitto", "mosquitto-clients", "procps")
_TOOLS = {"mmdebstrap": "mmdebstrap", "unshare": "util-linux", "nsenter": "util-linux", "dpkg-deb": "dpkg"}


def missing() -> str | None:
    """What stands in the way here; None where nothing does."""
    absent = sorted({package for tool, package in _TOOLS.items() if shutil.which(tool) is None})
    if absent:
        return f"not installed: apt-get install {' '.join(absent)}"
    return None if os.geteuid() == 0 else "not root: sudo make test-package"


def prepare(root: Path, package: Path, cache: Path, work: Path) -> None:
    """A fresh system with the package below /opt, and two newer ones of the same content.

    Raises:
        UserlandError: the system cannot be made.
    """
    root.mkdir()
    subprocess.run(["tar", "-xpf", str(base(_SYSTEM, cache, _MORE)), "--exclude=./dev/*", "-C", str(root)], check=True)
    give_network(root)
    shutil.copy2(package, root / "opt/offbeat.deb")
    unpacked = work / "unpacked"
    subprocess.run(["dpkg-deb", "--raw-extract", str(package), str(unpacked)], check=True)
    control = unpacked / "DEBIAN/control"
    for name in ("newer", "newest"):
        control.write_text(re.sub(r"(?m)^(Version: .*)$", r"\1.1", control.read_text("utf-8")), "utf-8")
        made = ["dpkg-deb", "--root-owner-group", "-Znone", "--build", str(unpacked), str(root / f"opt/{name}.deb")]
        subprocess.run(made, check=True, stdout=subprocess.DEVNULL)


def walk(machine: Machine) -> int:
    """Every step; how many were not as promised."""
    wrong = 0
    for step in STEPS:
        began = time.monotonic()
        said = machine.say(f"( {step.do} ) >/opt/said 2>&1 || {{ echo failed; tail -5 /opt/said; exit; }}; {step.then}")
        right = said.strip() == step.wanted
        wrong += not right
        print(f"{'ok ' if right else '!!!'} {time.monotonic() - began:6.1f} s  {step.what}", flush=True)
        if not right:
            print(f"    wanted {step.wanted!r}, found {said.strip()!r}", flush=True)
    return wrong


def main() -> int:
    """Exit status 0 where all is as promised, 1 where not, 2 where it cannot be tried here."""
    parser = argparse.ArgumentParser("python -m tests.release.booted", description=__doc__)
    parser.add_argument("--release", type=Path, metavar="FOLDER", help="what `make release` wrote; default: built anew")
    parser.add_argument("--cache", type=Path, default=_CACHE, metavar="FOLDER", help="what is made once")
    options = parser.parse_args()
    if why := missing():
        print(f"test-package: {why}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="offbeat-booted-") as folder:
        work = Path(folder)
        try:
            if options.release is None:
                options.release = work / "dist"
                release(options.release, None, [platform("amd64")], work / "release")
            prepare(work / "root", next(options.release.glob("*_amd64.deb")), options.cache.resolve(), work)
            with Machine(work / "root") as machine:
                return int(walk(machine) > 0)
        except (UserlandError, ReleaseError) as error:
            print(f"test-package: {error}", file=sys.stderr)
            return 1


if __name__ == "__main__":
    sys.exit(main())
