"""`make test-arm`: what can be said outside of the namespaces; the work is done by `inside`."""

import os
import shutil
import sys
from pathlib import Path

from tests.arm.userlands import namespace
from tests.arm.userlands.options import parse

_TOOLS = {
    "mmdebstrap": "mmdebstrap",
    "qemu-aarch64-static": "qemu-user-static",
    "qemu-arm-static": "qemu-user-static",
    "mosquitto": "mosquitto",
}


def missing() -> str | None:
    """What stands in the way here; None where nothing does."""
    daemons = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    absent = sorted({package for tool, package in _TOOLS.items() if shutil.which(tool, path=daemons) is None})
    return f"not installed: apt-get install {' '.join(absent)}" if absent else namespace.missing()


def main() -> int:
    """Exit status 0 where all is as promised, 1 where not, 2 where it cannot be tried here."""
    options = parse(sys.argv[1:])
    if why := missing():
        print(f"test-arm: {why}", file=sys.stderr)
        return 2
    cache = options.cache.resolve()
    for left in cache.glob("work-*"):  # of a run that was killed
        if not Path(f"/proc/{left.name.removeprefix('work-')}").exists():
            shutil.rmtree(left, ignore_errors=True)
    work = cache / f"work-{os.getpid()}"
    try:
        return namespace.run([sys.executable, "-m", "tests.arm.userlands.inside", str(work), *sys.argv[1:]])
    except KeyboardInterrupt:
        return 130
    finally:
        shutil.rmtree(work, ignore_errors=True)  # what was mounted in it was never mounted for this process


if __name__ == "__main__":
    sys.exit(main())
