"""What the agent keeps to look back at; the front door of this room."""

import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edge.detector.outcome import Outcome
from edge.detector.rows.row import Row
from edge.history.archive import Archive
from edge.history.episode_files import EpisodeFiles
from edge.history.open_episode import OpenEpisode
from edge.history.recent import Recent
from edge.history.settings import HistorySettings
from edge.history.stretch import KeptRow, Stretch
from edge.wire.events import Event
from edge.wire.flapping import LogThrottle

log = logging.getLogger(__name__)

_FLUSH_S = 10.0
"""What a power cut costs at most."""
_MOST_WAITING = 100
"""Rows of a stream that are not written yet, where they come faster than that."""
Channels = tuple[tuple[str, str], ...]
"""Names with units."""


class Rows:
    """Reads what is kept: of this process' agent, or, without its latest rows, of any state folder.

    >>> Rows(Path("state")).around("no-such-episode") is None
    True
    """

    def __init__(self, state_dir: Path, settings: HistorySettings | None = None) -> None:
        self._settings = settings or HistorySettings()
        self._files = EpisodeFiles(state_dir / "history", self._settings.episodes, self._settings.max_bytes)
        self._recent: dict[str, Recent] = {}
        self._lock = threading.Lock()

    def around(self, event_id: str) -> Stretch | None:
        """The rows around an episode, from before its start to its end, or to some seconds ago while it is open."""
        return self._files.read(event_id)

    def recent(self, stream: str, since: float = -math.inf, until: float = math.inf) -> Stretch | None:
        """A stream's latest rows of a span, Unix seconds; None for a stream that gave no row yet."""
        with self._lock:
            kept = self._recent.get(stream)
            return None if kept is None else kept.stretch().within(since, until)

    def streams(self) -> list[str]:
        """Those with latest rows."""
        with self._lock:
            return sorted(self._recent)

    def episodes(self) -> dict[str, list[str]]:
        """Episodes of which rows are kept, by stream, the newest last."""
        return self._files.ids()


class History(Rows):
    """Keeps the rows. All but what `Rows` has is called by one thread; no method raises for the disk's sake."""

    def __init__(
        self,
        state_dir: Path,
        settings: HistorySettings | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(state_dir, settings)
        self._open: dict[tuple[str, str], OpenEpisode] = {}
        self._archive = Archive(state_dir / "archive", self._settings.archive_bytes)
        self._monotonic, self._flushed_at = monotonic, monotonic()
        self._refused = self._full = False
        self._failures, self._overfull = LogThrottle(), LogThrottle()

    def row(self, stream: str, channels: Channels, row: Row, outcome: Outcome) -> None:
        """A row was scored, or collected for commissioning."""
        kept = self._kept_row(row, outcome)
        with self._lock:
            latest = self._recent.get(stream)
            if latest is None or latest.channels != channels:
                latest = self._recent[stream] = Recent(stream, channels, self._settings.recent_rows)
            latest.add(kept)
        if outcome.event_id is not None and (stream, outcome.event_id) not in self._open:
            self._go_on(stream, outcome.event_id)
        waiting = self._archive.row(stream, channels, row)
        for key, episode in self._open.items():
            if key[0] == stream:
                waiting = max(waiting, episode.add(kept))
        if waiting >= _MOST_WAITING or self._monotonic() - self._flushed_at >= _FLUSH_S:
            self.flush()

    def events(self, stream: str, events: Sequence[Event]) -> None:
        """Events of a stream were committed, after the row that caused them."""
        for event in events:
            key = (stream, event.id)
            if event.event_type == "new" and key not in self._open:
                self._begin(stream, event)
            elif event.event_type == "update" and key not in self._open:
                self._go_on(stream, event.id)
            elif event.event_type == "end" and (key in self._open or self._go_on(stream, event.id)):
                self._end(self._open.pop(key), event.time if event.end_time is None else event.end_time)

    def flush(self) -> None:
        """Write what waits."""
        self._flushed_at = self._monotonic()
        if self._archive.waits:
            self._tried(self._archive.flush)
        for episode in [episode for episode in self._open.values() if episode.waits]:
            if self._room():
                self._tried(episode.flush)

    def close(self) -> None:
        """Write what waits, and complete the archive's files."""
        self.flush()
        self._tried(self._archive.close)

    def _end(self, episode: OpenEpisode, end_time: float) -> None:
        self._tried(lambda: episode.flush(end_time))

    def _begin(self, stream: str, event: Event) -> None:
        if not self._settings.episodes or not self._room():
            return
        with self._lock:
            latest = self._recent.get(stream)
        channels = () if latest is None else latest.channels
        rows: list[KeptRow] = []
        if latest is not None:
            before = latest.stretch()
            first = int(np.searchsorted(before.times, event.start_time)) - self._settings.before_rows
            rows = before.within(float(before.times[max(0, first)])).rows() if len(before) else []
        head: dict[str, Any] = {"kind": event.kind, "start_time": event.start_time}
        head["channels"] = [{"name": name, "unit": unit} for name, unit in channels]
        episode = OpenEpisode(self._files, stream, event.id, head, self._settings.episode_rows)
        if self._tried(lambda: episode.begin(rows)):
            self._open[stream, event.id] = episode
            self._room()

    def _go_on(self, stream: str, event_id: str) -> bool:
        """Take up an episode that was open before a restart, where there is a file of it; whether there is."""
        there = self._files.read(event_id, stream) if self._settings.episodes else None
        if there is None or there.start_time is None:
            return False
        head = {"kind": there.kind, "start_time": there.start_time}
        head["channels"] = [{"name": name, "unit": unit} for name, unit in there.channels]  # type: ignore[assignment]
        episode = OpenEpisode(self._files, stream, event_id, head, self._settings.episode_rows)
        episode.go_on(there)
        self._open[stream, event_id] = episode
        return True

    def _room(self) -> bool:
        full = not self._files.prune(self._open)
        more = self._overfull.change(time.monotonic()) if full and not self._full else None
        if more is not None:
            log.warning("rows around open episodes take more than max_bytes of [history]; no more are kept%s", more)
        self._full = full
        return not full

    def _tried(self, write: Callable[[], None]) -> bool:
        """Whether the disk took it; reported once where not. The agent goes on without."""
        try:
            write()
        except OSError as error:
            more = None if self._refused else self._failures.change(time.monotonic())
            if more is not None:
                log.error("rows to look back at cannot be written: %s%s", error, more)
            self._refused = True
            return False
        self._refused = False
        return True

    @staticmethod
    def _kept_row(row: Row, outcome: Outcome) -> KeptRow:
        if outcome.explanation is None:
            unknown = np.full(len(row.values), math.nan)
            return KeptRow(row.time, outcome.score, row.values, unknown, unknown)
        _, expected, tolerance = outcome.explanation.explained()
        return KeptRow(row.time, outcome.score, row.values, expected, tolerance)
