"""What all sources share: counters, one report of bad frames a minute, and the way into the agent."""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from edge.wire.flapping import Flapping
from edge.wire.readings import Readings

log = logging.getLogger(__name__)

REPORT_EVERY_S = 60.0
"""Bad frames are logged at most this often, seconds; all are counted."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Readings of one board as they reached the gateway."""

    source: str
    board: str
    readings: Readings
    monotonic: float
    """The gateway's monotonic clock at arrival, seconds."""
    wall: float
    """The gateway's wall clock at arrival, Unix seconds."""


class Deliver(Protocol):
    """Takes an arrival. `wait` blocks until there is room, for sources that can be held back."""

    def __call__(self, arrival: Arrival, wait: bool = False) -> None: ...


class Intake:
    """The agent's side of one source: names and times are translated, frames counted, state changes logged.

    Called from the source's own thread; `health` may be read from any.
    """

    def __init__(
        self,
        source: str,
        deliver: Deliver,
        channels: Mapping[str, str],
        on_finished: Callable[[str, Exception | None], None] = lambda _source, _error: None,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.source = source
        self.up = False
        self.frames = self.bad_frames = self.bad_values = self.errors = 0
        self._deliver, self._channels = deliver, channels
        self._on_finished, self._monotonic, self._wall = on_finished, monotonic, wall
        self.down_reason = ""
        """Why the source delivers nothing; empty where it does, or has not been tried yet."""
        self.last_bad = ""
        """Why the last frame that could not be read could not."""
        self.troubles: dict[str, str] = {}
        """By board, what is wrong with it or with some of its channels, where a source asks boards one by one."""
        self._flapping, self._flapping_of = Flapping(), {}  # type: Flapping, dict[str, Flapping]
        self._finished = False
        self._last_report = self._last_failure = -REPORT_EVERY_S

    def take(self, board: str, readings: Readings, wait: bool = False) -> None:
        """Hand on one good frame. An error of our own costs that frame; of a source that is waited for it is raised."""
        self.frames += 1
        try:
            self.bad_values += len(readings.rejected)
            arrival = Arrival(self.source, board, self._renamed(readings), self._monotonic(), self._wall())
            self._deliver(arrival, wait)
        except Exception as error:
            if wait:
                raise
            self._failed(f"board {board}", error)

    def bad(self, error: Exception | str) -> None:
        """Count a frame that could not be read."""
        self.bad_frames += 1
        self.last_bad = str(error)
        now = self._monotonic()
        if now - self._last_report >= REPORT_EVERY_S:
            self._last_report = now
            log.warning("source %s: %d bad frames so far, the last: %s", self.source, self.bad_frames, error)

    def _failed(self, where: str, error: Exception) -> None:
        """Count an error of our own at a frame that may be good: what was sent is not to blame."""
        self.errors += 1
        now = self._monotonic()
        if now - self._last_failure >= REPORT_EVERY_S:
            self._last_failure = now
            log.error("source %s: %d errors of our own so far, the last at %s: %s: %s",
                      self.source, self.errors, where, type(error).__name__, error)  # fmt: skip
            log.debug("where it failed", exc_info=error)

    def connected(self) -> None:
        """The source delivers from now on."""
        changed, self.up, self.down_reason = not self.up, True, ""
        if changed:
            self._say_link(self._flapping.change(self._monotonic()))

    def lost(self, reason: BaseException | str) -> None:
        """The source delivers nothing until it is back; only a change is logged."""
        text = " ".join((str(reason) or type(reason).__name__).split())
        changed = self.up or text != self.down_reason
        self.up, self.down_reason = False, text
        if changed:
            self._say_link(self._flapping.change(self._monotonic()))

    def board(self, board: str, trouble: str | None) -> None:
        """What is wrong with a board, None where nothing is; only a change is logged."""
        if trouble == self.troubles.get(board):
            return
        # Anew: another thread may be reading it.
        self.troubles = {name: text for name, text in self.troubles.items() if name != board}
        if trouble is not None:
            self.troubles = {**self.troubles, board: trouble}
        flapping = self._flapping_of.setdefault(board, Flapping())
        self._say_board(board, flapping.change(self._monotonic()))

    def settle(self) -> None:
        """Log how a link that flapped, and was passed over in the log, is now; to be called now and then."""
        self._say_link(self._flapping.held(self._monotonic()))
        for board, flapping in list(self._flapping_of.items()):
            self._say_board(board, flapping.held(self._monotonic()))

    def _say_link(self, more: str | None) -> None:
        if more is None or self._finished:
            return
        if self.up:
            log.info("source %s: up%s", self.source, more)
        else:
            log.warning("source %s: down: %s%s", self.source, self.down_reason, more)

    def _say_board(self, board: str, more: str | None) -> None:
        if more is None:
            return
        trouble = self.troubles.get(board)
        level = logging.INFO if trouble is None else logging.WARNING
        log.log(level, "source %s: board %s: %s%s", self.source, board, trouble or "all is read again", more)

    def finished(self, error: Exception | None = None) -> None:
        """The source came to its end: a file was read, stdin was closed, or could not be read (`error`)."""
        if error is not None:
            self.lost(error)
        else:
            log.info("source %s: finished after %d frames, %d bad ones", self.source, self.frames, self.bad_frames)
        self.up, self._finished = False, True
        self._on_finished(self.source, error)

    def health(self) -> dict[str, object]:
        """State and counters for the health topic."""
        counts = {"frames": self.frames, "bad_frames": self.bad_frames, "bad_values": self.bad_values}
        counts |= {"errors": self.errors} if self.errors else {}
        down = {"down": self.down_reason} if self.down_reason else {}
        return {"up": self.up, **counts, **down, **({"boards": self.troubles} if self.troubles else {})}

    def _renamed(self, readings: Readings) -> Readings:
        if not self._channels:
            return readings
        names = self._channels
        return replace(readings, values={names.get(name, name): value for name, value in readings.values.items()})


def in_seconds(readings: Readings, unit_s: float) -> Readings:
    """Readings whose time was counted in units of `unit_s`, with a time in Unix seconds."""
    if unit_s == 1.0 or readings.time is None:
        return readings
    return replace(readings, time=readings.time * unit_s)
