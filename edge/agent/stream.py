"""One configured stream: from the readings of its board to rows, with its own idea of what time it is."""

import logging
import math
from collections import deque
from dataclasses import replace

from edge.config.settings import StreamConfig
from edge.config.structure import nearest
from edge.detector.bundle.files import Bundle
from edge.detector.rows.aligner import Aligner
from edge.detector.rows.row import Row
from edge.sources.intake import Arrival
from edge.wire.flapping import LogThrottle

EARLIEST_CLOCK = 1_767_225_600.0
"""2026-01-01. A gateway without a clock starts in 1970 or at its last shutdown; before this it cannot judge others."""
LATEST_SENSIBLE = 4_102_444_800.0
"""2100-01-01. A reading dated behind it is in another unit or is noise, whatever our own clock says."""
_STEP_S = 1.0
"""NTP slews what is less than half a second, and the monotonic clock with it; what differs by more was set."""
_AHEAD_BEFORE_BELIEVED = 10
"""Readings in a row, as many as set a board's clock back."""


class ArrivalClock:
    """Dates arrivals: by the wall clock as it stood first, then by the monotonic clock until the wall clock is set.

    >>> clock = ArrivalClock()
    >>> clock.time(wall=1000.0, monotonic=5.0), clock.time(wall=1001.2, monotonic=6.0), clock.stepped
    (1000.0, 1001.0, False)
    >>> clock.time(wall=8202.0, monotonic=7.0), clock.stepped
    (8202.0, True)
    >>> clock.time(wall=8000.0, monotonic=8.0, not_back=True), clock.time(wall=8001.0, monotonic=9.0)
    (8203.0, 8001.0)
    """

    def __init__(self) -> None:
        self._offset_s = math.nan
        self.stepped = False
        """Whether the wall clock was set before the arrival dated last."""

    def time(self, wall: float, monotonic: float, not_back: bool = False) -> float:
        """Unix seconds of an arrival, from both clocks at that moment; with `not_back` they never decrease."""
        ahead_s = wall - monotonic - self._offset_s
        self.stepped = ahead_s > _STEP_S or (ahead_s < -_STEP_S and not not_back)
        if self.stepped or math.isnan(self._offset_s):
            self._offset_s = wall - monotonic
        return monotonic + self._offset_s


class FutureJudge:
    """Tells a wrong stamp from a wrong gateway.

    A stamp that lies ahead of the gateway's clock is noise, in the wrong unit, or right while the gateway is behind:
    a Pi boots with the time of its last shutdown and may never reach a time server. Ten in a row that go on as the
    monotonic clock does are right, or as good: a board whose clock is behind is believed as well.
    """

    def __init__(self, max_future_s: float) -> None:
        self._max_future_s = max_future_s
        self._ahead = 0
        self._last = (math.nan, math.nan)

    def now(self, time: float, wall: float, monotonic: float) -> float:
        """The clock to judge a reading stamped `time` by, Unix seconds."""
        if wall < EARLIEST_CLOCK:
            return LATEST_SENSIBLE
        if time <= wall + self._max_future_s:
            self._ahead = 0
            return wall
        last_time, last_monotonic = self._last
        in_step = abs((time - last_time) - (monotonic - last_monotonic)) <= self._max_future_s
        self._ahead = min(self._ahead + 1, _AHEAD_BEFORE_BELIEVED) if self._ahead and in_step else 1
        self._last = (time, monotonic)
        return LATEST_SENSIBLE if self._ahead >= _AHEAD_BEFORE_BELIEVED else wall


log = logging.getLogger(__name__)

_LEAST_OFFLINE_AFTER_S = 5.0
_READINGS_TO_JUDGE = 50
"""Readings after which a channel that never came is reported; boards may send channels one by one."""
_NAMES_KEPT = 64


class Stream:
    """Rows of one stream, on the clock of its readings.

    `live` readings come as they are measured: without one, time goes on by the gateway's monotonic clock, which
    is what arguments named `monotonic` are, seconds. In a recording only the readings move time.
    """

    def __init__(self, config: StreamConfig, bundle: Bundle, live: bool) -> None:
        self.config, self.id = config, config.id
        self._wanted = bundle.channel_names
        self.online = False
        self.gone = False
        """Whether the board said last that it is offline."""
        self.in_episode = False
        """Whether an episode is open, which a clock that is set back would cut in two; the owner says so."""
        self.rows: deque[Row] = deque()
        """Closed and not yet scored."""
        self.readings = self.untimed = self.bad_values = 0
        usual = bundle.aligner
        self._settings = replace(
            usual,
            aggregate=config.aggregate,
            max_hold_s=usual.max_hold_s if config.max_hold_s is None else config.max_hold_s,
            max_gap_s=usual.max_gap_s if config.max_gap_s is None else config.max_gap_s,
            max_delay_s=config.max_delay_s,
            max_future_s=config.max_future_s,
        )
        settings = self._settings
        self.aligner = Aligner(bundle.channel_names, settings)
        self.offline_after_s = config.offline_after_s or max(_LEAST_OFFLINE_AFTER_S, settings.gap_s)
        self.delay_s, self.hold_s = settings.delay_s, settings.hold_s
        self._steps = LogThrottle()
        self._idle_after_s = settings.delay_s + 2 * settings.period_s
        self._clock, self._judge = ArrivalClock(), FutureJudge(config.max_future_s)
        self.live = live
        self.arrived_at = -math.inf
        """When a reading came last, whatever it was, monotonic."""
        self._time = -math.inf
        self._at = -math.inf  # when that was, monotonic
        self._heard_at = -math.inf  # when a reading came that may be a sensible one, monotonic
        self._channels: set[str] | None = set()  # names seen, until they have been judged
        self._unbroken = False  # the next row goes on with the window although its time does not

    def take(self, arrival: Arrival) -> None:
        """Add a board's readings; the rows that they close wait in `rows`."""
        readings = arrival.readings
        if readings.offline:
            self.gone = True
            return
        self.gone = False
        self.readings += 1
        self.arrived_at = arrival.monotonic
        self.bad_values += len(readings.rejected)
        time, now = self._dated(arrival)
        if time <= now + self.config.max_future_s:
            self._heard_at = arrival.monotonic
        self._add(self.aligner.add(time, readings.values, now), arrival.monotonic)
        if self._channels is not None:
            self._watch_channels(arrival)

    def take_over(self, other: "Stream") -> None:
        """Go on where a stream of the same id stands: what waits, its clocks and counts, and, where nothing about
        the rows is set otherwise, the rows that are open."""
        self.online, self.in_episode, self.rows = other.online, other.in_episode, other.rows
        self.readings, self.untimed, self.bad_values = other.readings, other.untimed, other.bad_values
        self.arrived_at, self.gone = other.arrived_at, other.gone
        self.aligner.counts.update(other.aligner.counts)
        if (self._settings, self._wanted) == (other._settings, other._wanted):
            self.aligner, self._unbroken = other.aligner, other._unbroken
            self._time, self._at, self._heard_at = other._time, other._at, other._heard_at
            self._clock, self._judge, self._channels = other._clock, other._judge, other._channels

    def advance(self, monotonic: float) -> None:
        """Close the rows that are overdue by now."""
        if self.live and self._at > -math.inf:
            self._add(self.aligner.advance(self.time(monotonic)), monotonic)

    def start_over(self) -> None:
        """Forget the readings whose rows are still open; what was counted stays."""
        counts, self.aligner = self.aligner.counts, Aligner(self._wanted, self._settings)
        self.aligner.counts.update(counts)

    def flush(self) -> None:
        """The readings are at their end: close what is open."""
        self.rows.extend(self.aligner.flush())

    def time(self, monotonic: float) -> float:
        """The stream's own time, Unix seconds; -inf before its first reading."""
        return self._time + (monotonic - self._at) if self.live and self._at > -math.inf else self._time

    def silent(self, monotonic: float) -> bool:
        """Whether readings have been absent for so long that the sensor counts as offline."""
        return self.live and (self.gone or monotonic - self._heard_at > self.offline_after_s)

    def idle(self, monotonic: float) -> bool:
        """Whether a row is overdue that the readings so far cannot give."""
        return self.live and self._at > -math.inf and monotonic - self._at > self._idle_after_s

    def health(self) -> dict[str, int]:
        """Counters for the health topic."""
        counts = {"readings": self.readings, "untimed": self.untimed, "bad_values": self.bad_values}
        return {**counts, **self.aligner.counts}

    def _dated(self, arrival: Arrival) -> tuple[float, float]:
        """The time of a board's readings, and the clock that tells whether it lies in the future."""
        time = arrival.readings.time
        if time is not None and self.config.time_from == "reading":
            now = self._judge.now(time, arrival.wall, arrival.monotonic) if self.live else LATEST_SENSIBLE
            return time, now
        if self.config.time_from == "reading":
            self.untimed += 1
        time = self._clock.time(arrival.wall, arrival.monotonic, not_back=self.in_episode)
        if self._clock.stepped:
            self._step(arrival)
        return time, LATEST_SENSIBLE

    def _step(self, arrival: Arrival) -> None:
        """The gateway's clock was set: rows go on at the new time, and as the readings have no gap, windows too."""
        if (more := self._steps.change(arrival.monotonic)) is not None:
            log.info("stream %s: the clock was set; rows go on at the new time%s", self.id, more)
        self.rows.extend(self.aligner.flush())
        self.start_over()
        self.aligner.counts["clock_reset"] += 1
        self._unbroken = arrival.monotonic - self._at <= self._settings.gap_s

    def _add(self, rows: list[Row], monotonic: float) -> None:
        """Take closed rows, and the time of what closed them."""
        if rows and self._unbroken:
            rows[0], self._unbroken = rows[0]._replace(restart=False), False
        self.rows.extend(rows)
        if self.aligner.latest != self._time:
            self._time, self._at = self.aligner.latest, monotonic

    def _watch_channels(self, arrival: Arrival) -> None:
        assert self._channels is not None
        if len(self._channels) < _NAMES_KEPT:
            self._channels.update(arrival.readings.values)
        missing = [name for name in self._wanted if name not in self._channels]
        if not missing:
            self._channels = None
        elif self.readings >= _READINGS_TO_JUDGE:
            strangers = self._channels.difference(self._wanted)
            log.warning(
                "stream %s: board %s sent no channel %r in %d readings%s",
                self.id,
                self.config.board,
                missing[0],
                self.readings,
                nearest(missing[0], strangers),
            )
            self._channels = None
