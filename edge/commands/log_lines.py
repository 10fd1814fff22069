"""Log records as lines on standard error, for a person or for journald."""

import logging
import os
import select
import sys
from typing import TextIO

from edge.wire.payload import printable

_AT_ONCE = select.PIPE_BUF
"""Bytes that a pipe takes whole where it takes any, without waiting."""
_PATIENCE_MS = 200


def log_to_stderr(level: str) -> None:
    """From this severity on."""
    handler = Unhurried(sys.stderr) if sys.stderr is not None else logging.NullHandler()
    handler.setFormatter(_Lines(for_journal="JOURNAL_STREAM" in os.environ))
    logging.basicConfig(handlers=[handler], level=level.upper())


class Unhurried(logging.StreamHandler[TextIO]):
    """Waits for nobody: whoever reads the log and hangs must not hold up an alert. Lines that are not taken in a
    moment are left out, and their number is said once lines are taken again."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._left_out = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, or count it."""
        try:
            handle = self.stream.fileno()
        except (OSError, ValueError, AttributeError):  # none of the system's files
            return super().emit(record)
        try:
            lines = [self.format(record)]
            if self._left_out and self._takes(handle):
                lines.insert(0, f"WARNING {self._left_out} lines of this log were left out: nobody took them")
            data = "".join(f"{line}\n" for line in lines).encode(errors="backslashreplace")
            for start in range(0, len(data), _AT_ONCE):
                if not self._takes(handle):
                    self._left_out += 1
                    return None
                os.write(handle, data[start : start + _AT_ONCE])
            self._left_out = 0
        except OSError:  # a full disk, a reader that is gone
            self._left_out += 1
        except Exception:
            self.handleError(record)

    def _takes(self, handle: int) -> bool:
        poller = select.poll()
        poller.register(handle, select.POLLOUT)
        return bool(poller.poll(0 if self._left_out else _PATIENCE_MS))


class _Lines(logging.Formatter):
    """A record as one line; its text cannot forge another. No time: journald adds it, `run` by hand is watched live.

    Under journald with the priority that sd-daemon(3) reads at a line's start.
    """

    _PRIORITIES = {"CRITICAL": 2, "ERROR": 3, "WARNING": 4, "INFO": 6, "DEBUG": 7}  # noqa: RUF012

    def __init__(self, for_journal: bool) -> None:
        super().__init__("%(levelname)s %(message)s")
        self._for_journal = for_journal

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        line = printable(super().formatMessage(record))
        return f"<{self._PRIORITIES.get(record.levelname, 6)}>{line}" if self._for_journal else line
