"""What the agent says of its streams beside their events: state, availability, health."""

import logging
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from edge.agent.left_behind import KeptTopics
from edge.delivery.figures import Durations, health_body, process_figures
from edge.delivery.outbox import Outbox
from edge.delivery.publisher import Publisher
from edge.detector.group import Outcome

log = logging.getLogger(__name__)

FLUSH_S = 5.0
"""How long leaving may wait for the broker, seconds."""


@dataclass
class Reporter:
    """Keeps outbox and publisher, and remembers what was said last."""

    outbox: Outbox
    publisher: Publisher
    info: Mapping[str, Any]
    run_s: Durations
    """How long batches took, seconds."""
    kept: KeptTopics | None = None
    """Retained topics of what is no longer served."""
    _online: dict[str, bool] = field(default_factory=dict)
    _alarms: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    _latest: dict[str, tuple[Outcome, str]] = field(default_factory=dict)  # of streams whose state is to be published

    def start(self) -> None:
        """Begin to reach the broker."""
        self.publisher.start()
        self.publisher.info(self.info)

    def stop(self) -> None:
        """Say what is left, for `FLUSH_S` at most, and `offline`."""
        if not self.publisher.stop(FLUSH_S):
            log.warning("%d events are kept for the next start: no broker took them", self.outbox.counts().pending)
        self.outbox.close()
        log.info("stopped; %.1f MB were resident", (process_figures()["rss_bytes"] or math.nan) / 1e6)

    def state(self, stream: str, outcome: Outcome, judged: bool) -> None:
        """What the stream's latest row gave; published at once where the alarm or the episode changed.

        What is not `judged` is `unknown`, never `OFF`.
        """
        anomaly = "unknown" if outcome.anomaly == "OFF" and not judged else outcome.anomaly
        alarm = (anomaly, outcome.event_id)
        self._latest[stream] = outcome, anomaly
        if alarm != self._alarms.get(stream):
            self._alarms[stream] = alarm
            self._publish_state(stream)

    def unjudged(self, stream: str, time_s: float) -> None:
        """The stream is in trouble: `unknown`, where no episode is open."""
        before = self._alarms.get(stream, ("", None))
        if before[0] in ("ON", "unknown"):
            return
        self._alarms[stream] = ("unknown", None)
        self._latest.pop(stream, None)
        time_s = time_s if math.isfinite(time_s) else time.time()
        self.publisher.state(stream, {"anomaly": "unknown", "score": None, "event_id": None, "time": time_s})

    def tick(self) -> None:
        """Say the states that have changed since; to say each row's would wake delivery far too often."""
        for stream in self.kept.look(self.publisher) if self.kept is not None else ():
            # Should it come back, everything is to be said anew.
            self._online.pop(stream, None)
            self._alarms.pop(stream, None)
        for stream in list(self._latest):
            self._publish_state(stream)

    def over(self, stream: str, time_s: float) -> None:
        """The stream came to its end: nothing is in alarm any more."""
        self._latest.pop(stream, None)
        self._alarms[stream] = ("OFF", None)
        self.publisher.state(stream, {"anomaly": "OFF", "score": None, "event_id": None, "time": time_s})

    def availability(self, stream: str, online: bool) -> None:
        """Whether the stream is heard and served; said when it changes."""
        before = self._online.get(stream)
        if online == before:
            return
        self._online[stream] = online
        self.publisher.availability(stream, online)
        if before is not None or online:
            log.log(logging.INFO if online else logging.WARNING, "stream %s: %s", stream, _word(online))

    def health(self, uptime_s: float, streams: Mapping[str, Mapping[str, Any]], more: Mapping[str, Any]) -> None:
        """Figures of process, delivery and streams; `more` is added as it is."""
        body = health_body(
            time.time(),
            uptime_s,
            self.outbox.counts(),
            self.publisher.counts(),
            self.run_s,
            self.outbox.commit_s,
            {stream: {"online": self._online.get(stream, False), **counts} for stream, counts in streams.items()},
        )
        self.publisher.health({**body, **more})

    def _publish_state(self, stream: str) -> None:
        outcome, anomaly = self._latest.pop(stream)
        score = None if math.isnan(outcome.score) else round(outcome.score, 4)
        body = {"anomaly": anomaly, "score": score, "event_id": outcome.event_id, "time": outcome.time}
        self.publisher.state(stream, body)


def _word(online: bool) -> str:
    return "online" if online else "offline"
