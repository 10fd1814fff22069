"""What the agent says of its streams beside their events: state, availability, health."""

import logging
import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from edge.agent.left_behind import KeptTopics
from edge.alerts.standing import Standing, open_episodes, snoozes
from edge.delivery.figures import Durations, health_body, process_figures
from edge.delivery.outbox import Outbox
from edge.delivery.publisher import Publisher
from edge.detector.group import Outcome
from edge.state.ledger import Ledger
from edge.wire.flapping import Flapping
from edge.wire.payload import encode_payload
from edge.wire.state import EpisodeNow, state_to_dict

log = logging.getLogger(__name__)

_OF_STATE = ("open", "more", "snoozed", "planned")
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
    ledger: Ledger
    info: Mapping[str, Any]
    run_s: Durations
    """How long batches took, seconds."""
    services: Sequence[Service] = ()
    """What serves readers beside the broker."""
    kept: KeptTopics | None = None
    """Retained topics of what is no longer served."""
    _online: dict[str, bool] = field(default_factory=dict)
    _flapping: dict[str, Flapping] = field(default_factory=dict)
    _standing: dict[str, Standing] = field(default_factory=dict)
    _alarms: dict[str, tuple[Any, ...]] = field(default_factory=dict)  # what was said of it last
    _changed: set[str] = field(default_factory=set)  # streams whose figures are to be published

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

    def serve(self, streams: Iterable[str]) -> None:
        """These are served from now on; what is open of them is said at once, before they are judged."""
        served = set(streams)
        self._standing = {stream: self._standing.get(stream, Standing()) for stream in sorted(served)}
        self._alarms = {stream: alarm for stream, alarm in self._alarms.items() if stream in served}
        self._online = {stream: online for stream, online in self._online.items() if stream in served}
        self._flapping = {stream: flapping for stream, flapping in self._flapping.items() if stream in served}
        for stream in served.difference(self._alarms):
            self._opened(stream)

    def state(self, stream: str, outcome: Outcome, judged: bool, now: Mapping[str, EpisodeNow] | None = None) -> None:
        """What the stream's latest row gave; published at once where an alarm or an episode changed.

        What is not `judged` is `unknown`, never `OFF`. `now` is how its open episodes stand.
        """
        standing = self._of(stream)
        standing.judge("commissioning" if outcome.anomaly == "commissioning" else "OFF" if judged else "unknown")
        standing.score, standing.time = outcome.score, outcome.time
        standing.planned, standing.now = outcome.planned, now or {}
        if stream in self.ledger.touched:
            self._opened(stream)
        else:
            self._say(stream, at_once=False)

    def unjudged(self, stream: str, time_s: float) -> None:
        """The stream is in trouble: `unknown`, where no episode is open."""
        standing = self._of(stream)
        if standing.judged == "unknown" and stream in self._alarms:
            return
        standing.judge("unknown")
        standing.score, standing.time = math.nan, time_s
        self._say(stream, at_once=True)

    def forgotten(self, stream: str, commissioning: bool) -> None:
        """The stream forgot what it has learnt: it is not judged by the last row's score any more."""
        standing = self._of(stream)
        standing.judge("commissioning" if commissioning else "unknown")
        standing.score, standing.now = math.nan, {}
        self._opened(stream)

    def tick(self) -> None:
        """Say the states that have changed since; to say each row's would wake delivery far too often."""
        for stream in self.kept.look(self.publisher) if self.kept is not None else ():
            # Should it come back, everything is to be said anew.
            self._online.pop(stream, None)
            self._alarms.pop(stream, None)
        for stream in list(self.ledger.touched):
            self._opened(stream)
        if self.ledger.groups.changed:
            self.ledger.groups.changed = False
            self.publisher.retain(self.publisher.topics.group, encode_payload(self.ledger.groups.body()))
        while self._changed:
            self._publish(self._changed.pop())

    def over(self, stream: str, time_s: float) -> None:
        """The stream came to its end: nothing is in alarm, and nothing is judged, any more."""
        standing = self._of(stream)
        standing.judge("unknown")
        standing.score, standing.time, standing.planned = math.nan, time_s, None
        self._opened(stream)

    def availability(self, stream: str, online: bool) -> None:
        """Whether the stream is heard and served; said when it changes."""
        before, flapping, now = (
            self._online.get(stream),
            self._flapping.setdefault(stream, Flapping()),
            time.monotonic(),
        )
        if online == before:
            more = flapping.held(now)
        else:
            self._online[stream] = online
            self.publisher.availability(stream, online)
            more = flapping.change(now) if before is not None or online else None
        if more is not None:
            log.log(logging.INFO if online else logging.WARNING, "stream %s: %s%s", stream, _word(online), more)

    def health(self, uptime_s: float, streams: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        """Figures of process, delivery and streams, for the health topic."""
        return health_body(
            time.time(),
            uptime_s,
            self.outbox.counts(),
            self.publisher.counts(),
            self.run_s,
            self.outbox.commit_s,
            {stream: {"online": self._online.get(stream, False), **counts} for stream, counts in streams.items()},
        )

    def status(self, stream: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """How a stream stands, `body` its own part of that: with its open episodes, and since when it is so."""
        standing = self._of(stream)
        state = state_to_dict(standing.state(time.time()))
        since = body["since"] or standing.since
        return {**body, "since": since, **{name: state[name] for name in _OF_STATE if name in state}}

    def _of(self, stream: str) -> Standing:
        return self._standing.setdefault(stream, Standing())

    def _opened(self, stream: str) -> None:
        """Other episodes are open than were."""
        self.ledger.touched.discard(stream)
        if stream in self._standing:
            standing, attention = self._of(stream), self.ledger.attention(stream)
            standing.open_ = open_episodes(self.ledger.open_parts(stream), attention)
            standing.snoozed = snoozes(attention)
            self._say(stream, at_once=True)

    def _say(self, stream: str, at_once: bool) -> None:
        """Publish the stream's state: now if its alarm is another, else with the next tick."""
        alarm = self._of(stream).state(time.time()).alarm
        if at_once or alarm != self._alarms.get(stream):
            self._publish(stream)
        else:
            self._changed.add(stream)

    def _publish(self, stream: str) -> None:
        state = self._of(stream).state(time.time())
        self._alarms[stream] = state.alarm
        self._changed.discard(stream)
        self.publisher.state(stream, state)


def _word(online: bool) -> str:
    return "online" if online else "offline"
