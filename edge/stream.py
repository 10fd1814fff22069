"""One configured stream: from the readings of its board to rows, with its own idea of what time it is."""

import logging
import math
from collections import deque

from edge.config import StreamConfig
from edge.detector.aligner import Aligner, AlignerSettings
from edge.detector.bundle import Bundle
from edge.detector.rows import Row
from edge.sources.intake import Arrival
from edge.structure import nearest

log = logging.getLogger(__name__)

EARLIEST_CLOCK = 1_767_225_600.0
"""2026-01-01. A gateway without a clock starts in 1970 or at its last shutdown; before this it cannot judge others."""
LATEST_SENSIBLE = 4_102_444_800.0
"""2100-01-01. A reading dated behind it is in another unit or is noise, whatever our own clock says."""
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
        self.rows: deque[Row] = deque()
        """Closed and not yet scored."""
        self.readings = self.untimed = self.bad_values = 0
        settings = AlignerSettings(
            bundle.period_s,
            config.aggregate,
            config.max_hold_s,
            config.max_gap_s,
            config.max_delay_s,
            config.max_future_s,
        )
        self.aligner = Aligner(bundle.channel_names, settings)
        self._offline_after_s = config.offline_after_s or max(_LEAST_OFFLINE_AFTER_S, settings.gap_s)
        self._idle_after_s = settings.delay_s + 2 * settings.period_s
        self._live = live
        self._time = -math.inf
        self._at = -math.inf  # when that was, monotonic
        self._channels: set[str] | None = set()  # names seen, until they have been judged
        self._clock_resets = 0

    def take(self, arrival: Arrival) -> None:
        """Add a board's readings; the rows that they close wait in `rows`."""
        readings = arrival.readings
        self.readings += 1
        self.bad_values += len(readings.rejected)
        time = self._time_of(arrival)
        refused = self.aligner.counts["future"]
        self.rows.extend(self.aligner.add(time, readings.values, self._judge(arrival.wall)))
        if self.aligner.counts["future"] == refused:
            self._anchor(time, arrival.monotonic)
        if self._channels is not None:
            self._watch_channels(arrival)

    def advance(self, monotonic: float) -> None:
        """Close the rows that are overdue by now."""
        if self._live and self._at > -math.inf:
            self.rows.extend(self.aligner.advance(self.time(monotonic)))

    def flush(self) -> None:
        """The readings are at their end: close what is open."""
        self.rows.extend(self.aligner.flush())

    def time(self, monotonic: float) -> float:
        """The stream's own time, Unix seconds; -inf before its first reading."""
        return self._time + (monotonic - self._at) if self._live and self._at > -math.inf else self._time

    def silent(self, monotonic: float) -> bool:
        """Whether readings have been absent for so long that the sensor counts as offline."""
        return self._live and monotonic - self._at > self._offline_after_s

    def idle(self, monotonic: float) -> bool:
        """Whether a row is overdue that the readings so far cannot give."""
        return self._live and self._at > -math.inf and monotonic - self._at > self._idle_after_s

    def health(self) -> dict[str, int]:
        """Counters for the health topic."""
        counts = {"readings": self.readings, "untimed": self.untimed, "bad_values": self.bad_values}
        return {**counts, **self.aligner.counts}

    def _time_of(self, arrival: Arrival) -> float:
        if self.config.time_from == "arrival":
            return arrival.wall
        if arrival.readings.time is None:
            self.untimed += 1
            return arrival.wall
        return arrival.readings.time

    def _judge(self, wall: float) -> float:
        """The clock that tells which readings lie in the future."""
        return wall if self._live and wall >= EARLIEST_CLOCK else LATEST_SENSIBLE

    def _anchor(self, time: float, monotonic: float) -> None:
        resets = self.aligner.counts["clock_reset"]
        if time >= self._time or resets > self._clock_resets:
            self._time, self._at = time, monotonic
        self._clock_resets = resets

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
