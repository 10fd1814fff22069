"""The requests `ack`, `snooze` and `unsnooze`: what people make of an alert, kept with the events themselves."""

import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from edge.alerts.attention import LONGEST_BY, Recent, recent_of
from edge.alerts.standing import open_episodes
from edge.delivery.requests import RequestError
from edge.state.ledger import Ledger
from edge.wire.events import Event, event_from_dict
from edge.wire.state import listed

log = logging.getLogger(__name__)


class Served(Protocol):
    """A stream as the agent serves it."""

    @property
    def id(self) -> str: ...
    def save(self) -> None:
        """Bring what is on disk of it up to date."""

    def time(self, monotonic: float) -> float:
        """Its own time, Unix seconds; NaN where it has none yet."""


@dataclass
class Attending:
    """Acknowledges and snoozes; only in the agent's thread."""

    ledger: Ledger
    longest_s: float
    """How long a condition may be snoozed at most, seconds."""
    now: Callable[[], float] = time.time
    """The wall clock, Unix seconds: people snooze until a time of day."""

    def acknowledge(self, fields: Mapping[str, Any], streams: Sequence[Served]) -> dict[str, Any]:
        """`ack`: somebody has seen an episode, `{"event_id": …, "by": …}`; holds until it is over or becomes worse.

        In place of the episode `"stream"` names the worst that is open of one.
        """
        event_id, by = self._event_id("ack", fields, streams), _by("ack", fields)
        for stream, _, event in self._open(streams):
            if event.id == event_id:
                attention = self.ledger.attention(stream.id)
                attention.acknowledge(event, self.now(), by)
                self.ledger.attend(stream.id)
                log.info("stream %s: episode %s is acknowledged%s", stream.id, event_id, _named(by))
                mark = attention.acknowledged[event_id]
                return {"stream": stream.id, "event_id": event_id, "at": mark.at, "by": mark.by or None}
        raise RequestError(f"no episode {event_id} is open; open are {self._known(streams)}")

    def snooze(self, fields: Mapping[str, Any], streams: Sequence[Served]) -> dict[str, Any]:
        """`snooze`: say nothing of an episode's condition, `{"event_id": …, "for_s": …, "by": …}`."""
        event_id = self._event_id("snooze", fields, streams)
        by, for_s = _by("snooze", fields), self._for_s(fields)
        for stream, key, what in self._conditions(streams):
            if event_id == what.event_id:
                now = self.now()
                self.ledger.attention(stream.id).snooze(key, what, now + for_s, now, by)
                self.ledger.attend(stream.id)
                log.info("stream %s: episode %s is snoozed for %.0f s%s", stream.id, event_id, for_s, _named(by))
                return {"stream": stream.id, "event_id": event_id, "until": now + for_s, "by": by or None}
        raise RequestError(f"no episode {event_id} is open or was just now; open are {self._known(streams)}")

    def unsnooze(self, fields: Mapping[str, Any], streams: Sequence[Served]) -> dict[str, Any]:
        """`unsnooze`: say again what there is of it, `{"event_id": …}`."""
        event_id = _event_id("unsnooze", fields)
        for stream in streams:
            if (key := self.ledger.attention(stream.id).snoozed_by(event_id)) is not None:
                told = self._release(stream, [key], time.monotonic())
                return {"stream": stream.id, "event_id": event_id, "events": len(told)}
        snoozed = [one.event_id for each in streams for one in self.ledger.attention(each.id).snoozed.values()]
        raise RequestError(f"episode {event_id} is not snoozed; snoozed are {', '.join(snoozed) or 'none'}")

    def tick(self, streams: Sequence[Served], monotonic: float) -> None:
        """Say again what there is of conditions whose snooze is over."""
        now = self.now()
        for stream in streams:
            attention = self.ledger.attention(stream.id)
            if attention.snoozed and (keys := attention.due(now, self.longest_s)):
                self._release(stream, keys, monotonic)

    def _release(self, stream: Served, keys: Sequence[str], monotonic: float) -> list[Event]:
        stream.save()
        own_time = stream.time(monotonic)
        told = self.ledger.release(stream.id, keys, own_time if math.isfinite(own_time) else 0.0)
        log.info("stream %s: no longer snoozed: %s", stream.id, ", ".join(key or "anomaly" for key in keys))
        return told

    def _open(self, streams: Sequence[Served]) -> Iterator[tuple[Served, str, Event]]:
        for stream in streams:
            for key, part in self.ledger.open_parts(stream.id).items():
                if part.get("shelved") or not part.get("held"):
                    yield stream, key, event_from_dict(part["event"])

    def _conditions(self, streams: Sequence[Served]) -> Iterator[tuple[Served, str, Recent]]:
        """What may be snoozed: what is open, and what was until just now."""
        yield from ((stream, key, recent_of(event)) for stream, key, event in self._open(streams))
        for stream in streams:
            attention = self.ledger.attention(stream.id)
            yield from ((stream, key, what) for key, what in attention.recent.items())
            for key, one in attention.snoozed.items():
                yield stream, key, Recent(one.event_id, one.kind, one.severity, one.rule, one.channel)

    def _event_id(self, command: str, fields: Mapping[str, Any], streams: Sequence[Served]) -> str:
        """The episode that is meant; of a stream, as a button names it, the one that `state` lists first."""
        if "event_id" in fields or not isinstance(name := fields.get("stream"), str):
            return _event_id(command, fields)
        known = [
            one
            for stream in streams
            if stream.id == name
            for one in open_episodes(self.ledger.open_parts(name), self.ledger.attention(name))
        ]
        if not known:
            raise RequestError(f"no episode of a stream {name[:100]} is open; open are {self._known(streams)}")
        return listed(known)[0][0].id

    def _known(self, streams: Sequence[Served]) -> str:
        known = [f"{stream.id} {event.id}" for stream, _, event in self._open(streams)]
        return ", ".join(known[:20]) + (" and more" if len(known) > 20 else "") if known else "none"

    def _for_s(self, fields: Mapping[str, Any]) -> float:
        for_s = fields.get("for_s")
        if isinstance(for_s, bool) or not isinstance(for_s, int | float) or not 0 < for_s <= self.longest_s:
            raise RequestError(
                f'snooze wants "for_s", more than 0 and at most {self.longest_s:g} seconds '
                "([requests] max_snooze_s); a time that is known ahead is a [[stream.planned]]"
            )
        return float(for_s)


def _event_id(command: str, fields: Mapping[str, Any]) -> str:
    event_id = fields.get("event_id")
    if not isinstance(event_id, str) or not 0 < len(event_id) <= LONGEST_BY:
        raise RequestError(f'{command} wants "event_id", the id of an episode')
    return event_id


def _by(command: str, fields: Mapping[str, Any]) -> str:
    by = fields.get("by", "")
    if not isinstance(by, str) or len(by) > LONGEST_BY:
        raise RequestError(f'{command} wants "by" to be a name of at most {LONGEST_BY} characters')
    return by


def _named(by: str) -> str:
    return f" by {by}" if by else ""
