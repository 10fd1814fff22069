"""When a bundle's folder was written to and has come to rest."""

import os
from pathlib import Path

_Look = tuple[tuple[str, int, int, int], ...]
"""Name, size, time of change and number of each file."""


class Copies:
    """Looks at folders without reading their files.

    A copy under way changes from one look to the next. What looks finished may still be half of it, if the link hangs:
    hashes tell that, and a folder that was tried in vain is due again with its next change.
    """

    def __init__(self) -> None:
        self._seen: dict[Path, _Look] = {}
        self._tried: dict[Path, _Look] = {}

    def due(self, folder: Path) -> bool:
        """Whether the folder is another than when it was due last, and the same as at the last look."""
        look = _look(folder)
        still = self._seen.get(folder) == look
        self._seen[folder] = look
        if not still or self._tried.get(folder) == look:
            return False
        self._tried[folder] = look
        return True


def _look(folder: Path) -> _Look:
    try:
        with os.scandir(folder) as entries:
            stats = [(entry.name, entry.stat()) for entry in entries]
    except (OSError, ValueError):  # not mounted just now
        return ()
    return tuple(sorted((name, stat.st_size, stat.st_mtime_ns, stat.st_ino) for name, stat in stats))
