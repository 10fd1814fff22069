"""Log records as lines on standard error, for a person or for journald."""

import logging
import os
import sys

from edge.wire.payload import printable


def log_to_stderr(level: str) -> None:
    """From this severity on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines(for_journal="JOURNAL_STREAM" in os.environ))
    logging.basicConfig(handlers=[handler], level=level.upper())


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
