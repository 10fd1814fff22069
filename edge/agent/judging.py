"""Whether a stream is judged, and why not: what is not judged must never look calm."""

import logging
import math
import time
from dataclasses import dataclass, field

import numpy as np

from edge.agent.stream import Stream
from edge.detector.bundle.files import Bundle
from edge.detector.outcome import Outcome
from edge.detector.rows.row import Row
from edge.sources.intake import Intake
from edge.wire.flapping import Flapping

log = logging.getLogger(__name__)

_SLACK_S = 0.75
"""Turns of the agent's loop and a board's jitter, seconds."""


@dataclass
class Judging:
    """What became of one stream's rows, by the monotonic clock. A window that fills is given time, and no more."""

    started: float
    _judged_at: float = -math.inf
    _row_at: float = -math.inf
    _resumed_at: float = -math.inf  # when it was silent or its source down last
    _rows: int = 0  # since the window started over
    _seen_at: np.ndarray | None = None  # by channel, when a fresh value came last
    _reason: str | None = None
    _flapping: Flapping = field(default_factory=Flapping)

    def note(self, row: Row, outcome: Outcome, monotonic: float) -> None:
        """A row was scored, or collected for commissioning."""
        self._rows = 1 if row.restart else self._rows + 1
        self._row_at = monotonic
        fresh = ~np.isnan(row.values)
        fresh[list(row.held)] = False
        if self._seen_at is None or len(self._seen_at) != len(fresh):
            self._seen_at = np.full(len(fresh), monotonic)
        self._seen_at[fresh] = monotonic
        if fresh.any() and (outcome.anomaly == "commissioning" or not math.isnan(outcome.score)):
            self._judged_at = monotonic

    def calm(self, bundle: Bundle, monotonic: float) -> bool:
        """Whether there was a judgement within two periods."""
        return monotonic - self._judged_at <= 2 * bundle.period_s + _SLACK_S

    def why_not(self, stream: Stream, bundle: Bundle, intake: Intake | None, monotonic: float) -> str | None:
        """Why the stream is not judged now; None where it is, where a window fills, and of recordings."""
        if not stream.live:
            return None
        grace_s = 2 * bundle.period_s + stream.delay_s + _SLACK_S
        age_s = monotonic - max(self._judged_at, self.started)
        if age_s <= grace_s:
            return None
        if intake is not None and not intake.up and intake.down_reason:
            self._resumed_at, self._rows = monotonic, 0
            return f"source {intake.source} is down: {intake.down_reason}"
        if stream.silent(monotonic):
            self._resumed_at, self._rows = monotonic, 0
            asked = None if intake is None else intake.troubles.get(stream.config.board or "")
            return self._silence(stream, monotonic) if asked is None else f"board {stream.config.board}: {asked}"
        if monotonic - stream.arrived_at > grace_s:
            return self._reason  # silent soon, or not: what was said stays
        if monotonic - max(self._row_at, self._resumed_at) > grace_s:
            return f"readings come, but none of the last makes a row: {_counted(stream)}"
        fills_s = monotonic - max(self._judged_at, self._resumed_at, self.started)
        if self._rows >= bundle.window or fills_s > grace_s + 2 * bundle.window * bundle.period_s:
            return self._unscored(bundle, age_s)
        return None

    def unjudged_channels(self, stream: Stream, bundle: Bundle, monotonic: float) -> str | None:
        """Channels that give no value while others do, and for how long."""
        if (
            self._seen_at is None
            or len(self._seen_at) != len(bundle.channels)
            or not stream.live
            or not self.calm(bundle, monotonic)
        ):
            return None
        ages_s = monotonic - self._seen_at
        longest_s = max(stream.offline_after_s, 2 * bundle.period_s + stream.hold_s) + _SLACK_S
        names = [f"{name} ({age:.0f} s)" for name, age in zip(bundle.channel_names, ages_s, strict=True)
                 if age > longest_s]  # fmt: skip
        return f"no usable value of channel {', '.join(names)}; the others are judged" if names else None

    def say(self, stream: str, reason: str | None) -> str | None:
        """Log a reason that begins, changes or is over; the reason."""
        kind, before = (one and one.partition(":")[0].split(" for ")[0] for one in (reason, self._reason))
        now = time.monotonic()
        more = self._flapping.change(now) if kind != before else self._flapping.held(now)
        if more is not None and reason is not None:
            log.warning("stream %s: not judged: %s%s", stream, reason, more)
        elif more is not None:
            log.info("stream %s: judged again%s", stream, more)
        self._reason = reason
        return reason

    def _silence(self, stream: Stream, monotonic: float) -> str | None:
        if monotonic - self.started <= stream.offline_after_s:
            return None
        config = stream.config
        if stream.gone:
            return f"board {config.board} at source {config.source} said that it is offline"
        if monotonic - stream.arrived_at <= stream.offline_after_s:
            return f"readings come, but none can be dated: {_counted(stream)}"
        heard = stream.arrived_at > -math.inf
        since = f"for {monotonic - stream.arrived_at:.0f} s" if heard else "since the start"
        hint = "" if heard else "; does it send under this name, and may this user read it?"
        return f"no reading of board {config.board} at source {config.source} {since}{hint}"

    def _unscored(self, bundle: Bundle, age_s: float) -> str:
        if self._rows < bundle.window:
            return f"its window of {bundle.window} rows does not fill: readings are further apart than max_gap_s"
        return f"its values give no score for {age_s:.0f} s; are they numbers, in the unit that the bundle has?"


def _counted(stream: Stream) -> str:
    counts = {name: count for name, count in stream.health().items() if count}
    return ", ".join(f"{name} {count}" for name, count in counts.items())
