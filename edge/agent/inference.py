"""The inference over the streams of one bundle: batches in, outcomes out; what fails is left out and tried again."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence

from edge.agent.judging import Judging
from edge.agent.loading import Loaded
from edge.agent.stream import Stream
from edge.agent.troubles import BUNDLE, Troubles
from edge.config.errors import ConfigError
from edge.config.settings import StreamConfig
from edge.delivery.figures import Durations
from edge.detector.bundle.files import BundleError
from edge.detector.group import Outcome
from edge.detector.rows.row import Row
from edge.sources.intake import Arrival, Intake
from edge.state.snapshots import Snapshots
from edge.wire.events import Event
from edge.wire.state import EpisodeNow

log = logging.getLogger(__name__)


class Inference:
    """Scores the rows of streams that share a bundle. Streams are numbered in the order of `configs`.

    A stream whose processing raises, or a bundle that cannot be loaded, is reported in `troubles`
    and tried again after a while from the state saved last; the others go on.
    """

    def __init__(
        self,
        configs: Sequence[StreamConfig],
        load: Callable[[], Loaded],
        snapshots: Snapshots,
        troubles: Troubles,
        run_s: Durations,
        keeps_looks: bool = False,
    ) -> None:
        """With `keeps_looks` episodes can be called normal."""
        self.configs = tuple(configs)
        self.troubles = troubles
        self.loaded: Loaded | None = None
        self.rows = [0] * len(configs)
        """Rows scored, per stream."""
        self.unscored = [0] * len(configs)
        """Rows that came while their stream was in trouble, per stream."""
        self._load, self.snapshots, self._run_s, self._keeps_looks = load, snapshots, run_s, keeps_looks
        self.judging = [Judging(time.monotonic()) for _ in configs]
        """Whether each stream is judged."""
        self._ready: set[int] = set()
        self._commissioning: set[int] = set()

    def open(self) -> None:
        """Load the bundle and restore what its streams had learnt.

        Raises:
            BundleError, ConfigError: as `load` does; the trouble is noted and tried again by `turn`.
        """
        try:
            self.load()
        except (BundleError, ConfigError) as error:
            self.troubles.note(BUNDLE, error)
            raise
        self.attach()

    def load(self) -> None:
        """Load the bundle; nothing is restored yet.

        Raises:
            BundleError, ConfigError: as `load` does.
        """
        self.loaded = self._load()
        if self._keeps_looks:
            self.loaded.group.keep_looks()

    def attach(self) -> None:
        """Restore what the streams had learnt."""
        assert self.loaded is not None
        self.snapshots.attach(self.loaded.group)
        for number in range(len(self.configs)):
            self._restore(number)

    def take_over(self, number: int, other: "Inference", theirs: int) -> None:
        """Go on where a stream of the same id stands in an inference that is given up, beyond what was saved of it."""
        self.rows[number], self.unscored[number] = other.rows[theirs], other.unscored[theirs]
        if self.loaded is None or other.loaded is None:
            return
        self.loaded.streams[number].take_over(other.loaded.streams[theirs])
        self.judging[number] = other.judging[theirs]
        if theirs in other._commissioning:
            self._commissioning.add(number)
        if self.loaded.bundle.sha256 == other.loaded.bundle.sha256 and theirs not in other.troubles:
            self.loaded.group.take_over(number, other.loaded.group, theirs)

    def stream(self, number: int) -> Stream | None:
        """A stream, once the bundle is loaded."""
        return self.loaded.streams[number] if self.loaded else None

    def take(self, number: int, arrival: Arrival) -> None:
        """Hand readings to a stream; until the bundle is loaded they are dropped."""
        self._align(number, lambda stream: stream.take(arrival))

    def advance(self, number: int, monotonic: float) -> None:
        """Close a stream's overdue rows."""
        self._align(number, lambda stream: stream.advance(monotonic))

    def flush(self, number: int) -> None:
        """A stream's readings are at their end: close its open rows."""
        self._align(number, Stream.flush)

    def turn(self, monotonic: float) -> Iterator[Outcome]:
        """Score all rows that wait, in batches of at most one row a stream."""
        self._retry(monotonic)
        while self.loaded is not None and (batch := self._next_batch(self.loaded)):
            yield from self._process(self.loaded, batch)

    def idle(self, number: int, monotonic: float) -> tuple[Event, ...]:
        """Events because a stream's rows are overdue."""
        stream = self.stream(number)
        if self.loaded is None or stream is None or number in self.troubles or not stream.idle(monotonic):
            return ()
        if stream.rows:  # not scored yet: rules would take the time up to them for silence
            return ()
        try:
            return self.loaded.group.idle(number, stream.time(monotonic))
        except Exception as error:
            self.troubles.note(number, error)
            return ()

    def close(self, number: int, monotonic: float) -> tuple[Event, ...]:
        """Events because a stream has come to its end; its rows must have been scored."""
        stream = self.stream(number)
        if self.loaded is None or stream is None or number in self.troubles or not self.rows[number]:
            return ()
        return self.loaded.group.close(number, stream.time(monotonic))

    def under_way(self, number: int) -> bool:
        """Whether a stream's commissioning is being computed; its rows wait for it."""
        return (
            number in self._commissioning
            and self.loaded is not None
            and self.loaded.group.commissioning_under_way(number)
        )

    def work(self, seconds: float) -> bool:
        """Go on with commissioning for so long; whether there is more to do."""
        until = time.perf_counter() + seconds
        for number in sorted(self._commissioning):
            while self.under_way(number):
                if time.perf_counter() >= until:
                    return True
                self._go_on(number)
        return False

    def collected(self, number: int) -> int:
        """Rows that a stream has for its commissioning so far."""
        return len(self.loaded.group.collected(number)) if self.loaded else 0

    def called_normal(self, number: int) -> int:
        """Patterns of a stream that were called normal."""
        return len(self.loaded.group.normal.patterns(number)) if self.loaded else 0

    def open_now(self, number: int) -> dict[str, EpisodeNow]:
        """How a stream's open episodes stand, by their ids."""
        loaded = self.loaded
        return loaded.group.open_now(number) if loaded and loaded.streams[number].in_episode else {}

    def waiting(self, number: int) -> int:
        """Rows of a stream that are still to be scored."""
        return len(self.loaded.streams[number].rows) if self.loaded else 0

    def publish(self, number: int, events: Sequence[Event]) -> None:
        """Commit a stream's events with what is open after them; to be called before its next row is scored."""
        if events and (stream := self.stream(number)):
            stream.in_episode = self.snapshots.commit(number, events)

    def follow(self, outcome: Outcome) -> None:
        """Commit what a row gave."""
        self.publish(outcome.stream, outcome.events)
        if outcome.anomaly == "commissioning":
            self._commissioning.add(outcome.stream)

    def save(self, number: int) -> None:
        """Write what a stream has learnt to disk."""
        if number not in self.troubles:
            self.snapshots.save(number)

    def save_due(self, monotonic: float) -> None:
        """Save a stream that was not saved for long: one at a time, since a slow card would hold up all rows else."""
        for number in self.snapshots.due(monotonic):
            if self.rows[number] and number not in self.troubles:
                self.save(number)
                return

    def save_every(self, seconds: float) -> None:
        """Change how long a stream goes without being saved at most."""
        self.snapshots.every_s = seconds

    def _restore(self, number: int) -> None:
        assert self.loaded is not None
        self.loaded.streams[number].in_episode = self.snapshots.restore(number)

    def _align(self, number: int, action: Callable[[Stream], None]) -> None:
        if self.loaded is None:
            return
        stream = self.loaded.streams[number]
        try:
            action(stream)
        except Exception as error:
            stream.start_over()
            if number not in self.troubles:
                self.troubles.note(number, error)
        if stream.rows:
            self._ready.add(number)

    def _next_batch(self, loaded: Loaded) -> list[tuple[int, Row]]:
        batch = []
        for number in sorted(self._ready):
            rows = loaded.streams[number].rows
            if number in self.troubles:
                self.unscored[number] += len(rows)
                rows.clear()
            elif rows and self.under_way(number):
                continue
            elif rows:
                batch.append((number, rows.popleft()))
            if not rows:
                self._ready.discard(number)
        return batch

    def _process(self, loaded: Loaded, batch: list[tuple[int, Row]]) -> list[Outcome]:
        start = time.perf_counter()
        try:
            outcomes = loaded.group.process(batch)
        except Exception as error:
            if len(batch) == 1:
                self.troubles.note(batch[0][0], error)
                return []
            # Which stream it was, the rows one by one tell.
            return [outcome for part in batch for outcome in self._process(loaded, [part])]
        self._run_s.add(time.perf_counter() - start)
        for number, _ in batch:
            self.rows[number] += 1
        rows, now = dict(batch), time.monotonic()
        for outcome in outcomes:
            self.judging[outcome.stream].note(rows[outcome.stream], outcome, now)
            self.snapshots.follow(outcome.stream, rows[outcome.stream], outcome)
        return outcomes

    def why_not_judged(self, number: int, intake: Intake | None, monotonic: float, late: bool) -> str | None:
        """Why a stream is not judged at present; logged where that changes. `late`: its readings wait to be read."""
        reason, stream, judging = self.troubles.reason(number), self.stream(number), self.judging[number]
        if reason is not None or self.loaded is None or stream is None or late:
            return reason
        return judging.say(stream.id, judging.why_not(stream, self.loaded.bundle, intake, monotonic))

    def calm(self, number: int, monotonic: float) -> bool:
        """Whether a stream was judged within two periods; of a recording, whether it was at all."""
        stream = self.stream(number)
        if self.loaded is None or stream is None or number in self.troubles:
            return False
        return not stream.live or self.judging[number].calm(self.loaded.bundle, monotonic)

    def unjudged_channels(self, number: int, monotonic: float) -> str | None:
        """Channels of a stream that are not judged while others are."""
        if self.loaded is None:
            return None
        return self.judging[number].unjudged_channels(self.loaded.streams[number], self.loaded.bundle, monotonic)

    def _go_on(self, number: int) -> None:
        assert self.loaded is not None
        try:
            self.loaded.group.go_on(number)
        except Exception as error:
            self.troubles.note(number, error)
            self._commissioning.discard(number)
            return
        if self.loaded.group.calibration(number) is not None:
            self._commissioning.discard(number)
            log.info("stream %s: commissioned", self.configs[number].id)
            self.save(number)

    def _retry(self, monotonic: float) -> None:
        for number in self.troubles.due(monotonic):
            if number != BUNDLE:
                self._restore(number)
                if self.troubles.forget(number):
                    log.info("stream %s: tried again", self.configs[number].id)
            elif self._reopened():
                self.troubles.forget(BUNDLE)
                log.info("streams %s: the bundle is loaded", ", ".join(config.id for config in self.configs))

    def _reopened(self) -> bool:
        try:
            self.open()
        except (BundleError, ConfigError):
            return False
        return True
