"""When what streams have learnt goes to disk, and how it comes back."""

import logging
import math
from collections.abc import Callable, Sequence
from typing import Any

from edge.detector.group import StreamGroup
from edge.detector.outcome import Outcome
from edge.detector.rows.row import Row
from edge.state.files import StateFiles
from edge.state.ledger import Ledger
from edge.wire.events import Event
from edge.wire.flapping import LogThrottle

log = logging.getLogger(__name__)


class Snapshots:
    """Saves and restores the streams of one group; `streams` are their ids in the group's order.

    What is open is kept by the ledger, together with the events; calibration and baseline, which change with every
    row, now and then in state files. These hold a copy of what is open, for the day that the outbox's file is lost.
    """

    def __init__(
        self,
        files: StateFiles,
        ledger: Ledger,
        streams: Sequence[str],
        every_s: float,
        monotonic: Callable[[], float],
    ) -> None:
        self.every_s = every_s
        """Longest time between two saves, seconds."""
        self._files, self._ledger, self._streams, self._monotonic = files, ledger, streams, monotonic
        self._group: StreamGroup | None = None
        self._channels: tuple[tuple[str, str], ...] = ()
        self._fresh: list[dict[str, Any]] = []
        self._saved_at = [monotonic()] * len(streams)
        self._refused: set[int] = set()
        self._failures = LogThrottle()

    def attach(self, group: StreamGroup) -> None:
        """Take care of this group from now on."""
        self._group = group
        self._channels = tuple((channel.name, channel.unit) for channel in group.bundle.channels)
        self._fresh = [group.snapshot(number) for number in range(len(self._streams))]

    def commit(self, number: int, events: Sequence[Event]) -> bool:
        """Commit events of one stream with what is open after them; whether anything is."""
        assert self._group is not None
        state = self._group.snapshot(number)
        self._ledger.commit(self._streams[number], self._group.bundle.sha256, events, state["open"])
        return bool(state["open"])

    def follow(self, number: int, row: Row, outcome: Outcome) -> None:
        """A row of a stream was scored, or collected for commissioning: keep it to look back at."""
        if self._group is not None and (history := self._ledger.history) is not None:
            history.row(self._streams[number], self._channels, row, outcome)

    def save(self, number: int) -> None:
        """Write one stream's state. A disk that refuses is reported once; the agent goes on without."""
        if self._group is None:
            return
        self._saved_at[number] = self._monotonic()
        stream, sha256, state = self._streams[number], self._group.bundle.sha256, self._group.snapshot(number)
        self._ledger.keep(stream, sha256, state["open"])
        try:
            self._files.save(stream, sha256, state)
            self._files.collected(stream, sha256).save(self._group.collected(number))
        except (OSError, ValueError) as error:
            more = None if number in self._refused else self._failures.change(self._monotonic())
            if more is not None:
                log.error("stream %s: its state cannot be saved: %s%s", stream, error, more)
            self._refused.add(number)
        else:
            self._refused.discard(number)

    def due(self, monotonic: float) -> list[int]:
        """Streams that were saved `every_s` ago or longer."""
        return [number for number, at in enumerate(self._saved_at) if monotonic - at >= self.every_s]

    def restore(self, number: int) -> bool:
        """Bring one stream back to what was saved, or to how the group was made; whether an episode is open.

        An unusable file is set aside. What was said to be open and cannot go on is ended.
        """
        assert self._group is not None
        stream, sha256 = self._streams[number], self._group.bundle.sha256
        self._group.restore(number, self._fresh[number])
        self._recalibrated(stream, -math.inf)
        state, open_ = self._files.load(stream, sha256), self._ledger.load(stream, sha256)
        if state is not None:
            state = state if open_ is None else {**state, "open": {}}
            if (error := self._taken(number, state)) is not None:
                self._files.set_aside(stream, sha256, error)
                state = None
        if open_:
            state = state or self._fresh[number]
            if (error := self._taken(number, {**state, "open": open_})) is not None:
                log.error("stream %s: its open episodes cannot be restored: %s", stream, error)
                self._taken(number, state)
        channels = len(self._group.bundle.channels)
        self._group.collect(number, self._files.collected(stream, sha256).load(channels))
        open_ = self._group.snapshot(number)["open"]
        self._ledger.settle(stream, sha256, open_)
        return bool(open_)

    def recalibrate(self, number: int, time: float, back: bool = False) -> bool:
        """Forget what a stream has learnt, or bring `back` what was forgotten last; at its own `time`, Unix seconds.
        Whether an episode, of a rule, is open then.

        From the moment that it is noted it is done, at the next start if not before.

        Raises:
            RecalibrationError: there is nothing to bring back.
            OSError: the disk refuses.
        """
        stream, asked = self._streams[number], self._files.recalibrations
        (asked.ask_back if back else asked.ask)(stream)
        if self._group is None:
            return False
        self._recalibrated(stream, time)
        return self.restore(number)

    def _recalibrated(self, stream: str, time: float) -> None:
        """Carry out what is noted of a stream: its files, and its episodes that were judged by what is forgotten."""
        asked = self._files.recalibrations
        try:
            if asked.carry_out(stream):
                self._files.forget(stream)
                self._ledger.end_judged(stream, time, "recalibrated")
                asked.done(stream)
                log.info("stream %s: recalibrated", stream)
        except OSError as error:
            log.error("stream %s: its recalibration is not finished, the next start tries again: %s", stream, error)

    def _taken(self, number: int, state: dict[str, Any]) -> ValueError | None:
        """Bring a stream to a state; what is wrong with it, where it is left as it was."""
        assert self._group is not None
        try:
            self._group.restore(number, state)
        except ValueError as error:
            return error
        return None
