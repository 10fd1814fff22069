"""Inside the emulated ARM: runs each model file and marks where one call starts and ends.

`guest.py FOLDER FILE...` prints, for each file, its name and its error; the plugin prints the counts. NumPy, a runtime
and the packages beside this one are all that it needs.
"""

import contextlib
import os
import sys
from pathlib import Path

_MARK = 0x424200
"""A system call with this argument, which the kernel refuses, is what the plugin (insn.c) listens for."""
_WARM_UP = 2
"""The first call sets things up; from then on counts repeat exactly."""


def mark(number: int) -> None:
    """Make the plugin print its count."""
    with contextlib.suppress(OSError):  # the kernel knows no such policy, which is why it is free for us
        os.sched_get_priority_max(_MARK + number)


def main() -> None:
    """Count every file."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from tests.bench.runners import open_file
    from tests.bench.sizes import SIZES, arrays, error

    folder = Path(sys.argv[1])
    for name in sys.argv[2:]:
        size = next(size for size in SIZES if name.startswith(size.name + "_"))
        saved = arrays(folder, size)
        call = open_file(folder / name, saved["windows"][:1])
        found = [call() for _ in range(_WARM_UP)][-1]
        mark(0)
        call()
        mark(1)
        print(f"FILE {name} {error(found, saved['wanted'][:1]):.6f}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
