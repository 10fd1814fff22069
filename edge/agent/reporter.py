"""What the agent says of its streams beside their events: state, availability, health."""

import logging
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from edge.delivery.figures import Durations, health_body, process_figures
from edge.delivery.outbox import Outbox
from edge.delivery.publisher import Publisher
from edge.detector.group import Outcome

log = logging.getLogger(__name__)

_CLEAR_AFTER_S = 10.0
FLUSH_S = 5.0
"""How long leaving may wait for the broker, seconds."""


class Service(Protocol):
    """What runs in threads of its own from the start to the end of the agent."""

    def start(self) -> None:
        """Returns at once."""

    def stop(self) -> None:
        """End it."""


@dataclass
class Reporter:
    """Keeps outbox and publisher, and remembers what was said last."""

    outbox: Outbox
    publisher: Publisher
    info: Mapping[str, Any]
    run_s: Durations
    """How long batches took, seconds."""
    services: Sequence[Service] = ()
    """What serves readers beside the broker."""
    _online: dict[str, bool] = field(default_factory=dict)
    _to_clear: list[tuple[float, str]] = field(default_factory=list)
    _alarms: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    _latest: dict[str, tuple[Outcome, str]] = field(default_factory=dict)  # of streams whose state is to be published

    def start(self) -> None:
        """Begin to reach the broker, and to be reached."""
        for service in self.services:
            service.start()
        self.publisher.start()
        self.publisher.info(self.info)

    def stop(self) -> None:
        """Say what is left, for `FLUSH_S` at most, and `offline`."""
        for service in self.services:
            service.stop()
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

    def clear(self, topics: Sequence[str], after_s: float = _CLEAR_AFTER_S) -> None:
        """Take retained topics back, a while after what is said last on them: subscribers shall see that first."""
        self._to_clear += [(time.monotonic() + after_s, topic) for topic in topics]

    def tick(self) -> None:
        """Say the states that have changed since; to say each row's would wake delivery far too often."""
        while self._to_clear and self._to_clear[0][0] <= time.monotonic():
            self.publisher.retain(self._to_clear.pop(0)[1], b"")
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
