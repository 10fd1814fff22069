"""The rows of an episode that goes on, bounded however long it lasts."""

import math
from collections import deque
from typing import Any

import numpy as np

from edge.history.episode_files import EpisodeFiles
from edge.history.stretch import KeptRow, Stretch, loudest

_NEAR = 20
"""So many times as many rows are kept as on one side of the start, of the peak and of the end."""


class OpenEpisode:
    """What is in an episode's file, and what waits to be written to it.

    All rows at first; once there are more than `most`, those near start, peak and end and the loudest of each span of
    equal length, and from then on one a span.
    """

    def __init__(self, files: EpisodeFiles, stream: str, event_id: str, head: dict[str, Any], most: int) -> None:
        self.stream, self.event_id, self.head = stream, event_id, head
        self._files, self._most, self._near = files, most, max(most // _NEAR, 2)
        self._count = 0  # in the file, and waiting
        self._waiting: list[KeptRow] = []
        self._passed: deque[KeptRow] = deque(maxlen=self._near)  # latest rows that were left out
        self._spacing_s, self._kept_at = 0.0, -math.inf
        self._peak, self._peak_time = -math.inf, math.nan
        self._dense = 0  # rows that are all kept from here on

    def begin(self, rows: list[KeptRow]) -> None:
        """Write the file with the rows before the start and up to now.

        Raises:
            OSError: the disk refuses.
        """
        self._files.create(self.stream, self.event_id, self.head, rows)
        self._known(rows)

    def go_on(self, stretch: Stretch) -> None:
        """Go on with a file that is there, after a restart."""
        self._known(stretch.rows())
        if len(stretch) >= self._most // 2:
            self._spacing_s = float(np.median(np.diff(stretch.times)))

    def add(self, row: KeptRow) -> int:
        """A row of the episode, which is written with the next `flush`; how many wait."""
        if row.score > self._peak:
            self._note_peak(row)
            self._keep_passed()
            self._dense = self._near
        if self._dense > 0 or row.time - self._kept_at >= self._spacing_s:
            self._waiting.append(row)
            self._count += 1
            self._kept_at = row.time
        else:
            self._passed.append(row)
        self._dense -= 1
        return len(self._waiting)

    @property
    def waits(self) -> bool:
        """Whether there is something to write."""
        return bool(self._waiting)

    def flush(self, end_time: float | None = None) -> None:
        """Write what waits; with `end_time` the episode is over.

        Raises:
            OSError: the disk refuses; what waited is lost.
        """
        if end_time is not None:
            self._keep_passed()
        rows, self._waiting = self._waiting, []
        if rows or end_time is not None:
            self._files.append(self.stream, self.event_id, rows, end_time)
        if self._count > self._most:
            self._thin()

    def _known(self, rows: list[KeptRow]) -> None:
        start = self.head["start_time"]
        self._count = sum(row.time >= start for row in rows)
        for row in rows:
            if row.time >= start and row.score > self._peak:
                self._note_peak(row)
        self._kept_at = rows[-1].time if rows else -math.inf
        self._dense = self._near

    def _note_peak(self, row: KeptRow) -> None:
        self._peak, self._peak_time = row.score, row.time

    def _keep_passed(self) -> None:
        self._waiting += self._passed
        self._count += len(self._passed)
        self._passed.clear()

    def _thin(self) -> None:
        spans = max(self._most // 2 - 4 * self._near - 1, 1)
        start = self.head["start_time"]

        def chosen(times: np.ndarray, scores: np.ndarray) -> np.ndarray:
            near, first = self._near, int(np.searchsorted(times, start))
            wanted = np.zeros(len(times), bool)
            wanted[: first + near] = True
            wanted[-near:] = True
            if not math.isnan(self._peak_time):
                peak = int(np.searchsorted(times, self._peak_time))
                wanted[max(0, peak - near) : peak + near + 1] = True
            others = np.flatnonzero(~wanted)
            wanted[others[loudest(times[others], scores[others], spans)]] = True
            return np.flatnonzero(wanted)

        times = self._files.choose(self.stream, self.event_id, chosen)
        self._count = int((times >= start).sum())
        self._spacing_s = float(times[-1] - start) / spans if len(times) else 0.0
