"""When the rows of a stream's last window were."""

from edge.detector.rows.row import Row
from edge.wire.events import WindowSpan


class WindowTimes:
    """Times of the last rows of a stream, for the window that an event tells."""

    def __init__(self, length: int) -> None:
        self._length = length
        self._times: list[float] = []

    def add(self, row: Row) -> None:
        """Take the next row."""
        if row.restart:
            self._times.clear()
        self._times.append(row.time)
        if len(self._times) > 2 * self._length:
            del self._times[: self._length]

    def span(self) -> WindowSpan | None:
        """The last window; None before any row."""
        times = self._times[-self._length :]
        return WindowSpan(times[0], times[-1], len(times)) if times else None
