"""A wall clock that jumps, by Debian's faketime; the monotonic clock goes on, as it does on a real gateway."""

import glob
import random
import time
from pathlib import Path

from tests.chaos.rig import Rig

_LIBRARY = "/usr/lib/*/faketime/libfaketimeMT.so.1"
_JUMPS_S = (3 * 3600, -20 * 60, 365 * 86400, -3 * 3600, 26 * 3600, -60, 0)


def faketime() -> str | None:
    """The library, where Debian's package faketime is installed."""
    return next(iter(glob.glob(_LIBRARY)), None)


def faked_clock(library: str, offset_file: Path) -> dict[str, str]:
    """Environment of a process whose wall clock is off by what the file says, read anew every second."""
    offset_file.write_text("+0\n")
    return {
        "LD_PRELOAD": library,
        "FAKETIME_TIMESTAMP_FILE": str(offset_file),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


def jump(rig: Rig, chance: random.Random) -> float:
    """Hours forward or back, minutes back, or right again."""
    rig.clock.write_text(f"{chance.choice(_JUMPS_S):+d}\n")
    time.sleep(1.2)  # until faketime has looked
    return time.monotonic()
