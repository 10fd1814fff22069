"""What the demo shows: lines as things happen, and below them how far it is."""

import sys
import threading
import time
from typing import TextIO

_WIDTH = 30
_PLAIN_EVERY_S = 10.0
"""Where the output is no terminal (a log), progress is a line of its own so often."""


class Screen:
    """Lines and one progress line; may be written to by several threads."""

    def __init__(self, out: TextIO = sys.stdout) -> None:
        self._out = out
        self._terminal = out.isatty()
        self._lock = threading.Lock()
        self._progress = ""
        self._plain_at = 0.0

    def line(self, text: str = "") -> None:
        """Print a line above the progress line."""
        with self._lock:
            self._erase()
            print(text, file=self._out)
            self._show()

    def progress(self, share: float, text: str) -> None:
        """Say how far it is: `share` is 0 to 1."""
        done = round(_WIDTH * min(max(share, 0.0), 1.0))
        line = f"[{'#' * done}{'.' * (_WIDTH - done)}] {100 * share:3.0f} %  {text}"
        with self._lock:
            if self._terminal:
                self._erase()
                self._progress = line
                self._show()
            elif time.monotonic() - self._plain_at >= _PLAIN_EVERY_S:
                self._plain_at = time.monotonic()
                print(line, file=self._out, flush=True)

    def end_progress(self) -> None:
        """Take the progress line away."""
        with self._lock:
            self._erase()
            self._progress = ""
            self._out.flush()

    def _erase(self) -> None:
        if self._progress:
            self._out.write("\r\x1b[K")

    def _show(self) -> None:
        self._out.write(self._progress)
        self._out.flush()


def clock(seconds: float) -> str:
    """Simulated time since the start of the run.

    >>> clock(3725)
    '1:02:05'
    """
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"
