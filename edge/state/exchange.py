"""Two names of a file system exchanged at one stroke, and folders made to last."""

import ctypes
import os
from pathlib import Path

_EXCHANGE, _AT_FDCWD = 2, -100
"""Source: renameat2(2)."""


def exchange(one: Path, other: Path) -> bool:
    """Exchange what two names lead to, whatever happens to the power; False where the file system cannot."""
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        return False
    return not renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _EXCHANGE)


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to disk.

    Raises:
        OSError: the disk refuses.
    """
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
