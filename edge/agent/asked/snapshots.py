"""Snapshots of episodes: sent with their `new` and their `end`, and on the request `snapshot`."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from edge.agent.asked.recorder import Ring, Track, tolerances
from edge.alerts.attention import key_of
from edge.delivery.requests import RequestError
from edge.detector.outcome import Outcome
from edge.state.ledger import Ledger
from edge.wire.events import Event, event_from_dict
from edge.wire.snapshot import Occasion, Snapshot, encode_snapshot
from edge.wire.topics import DeviceTopics

log = logging.getLogger(__name__)


class Named(Protocol):
    """A stream as the agent serves it."""

    @property
    def id(self) -> str: ...


@dataclass
class Snapshots:
    """Keeps the last rows of every stream; only in the agent's thread."""

    topics: DeviceTopics
    ledger: Ledger
    send: Callable[[str, bytes], None]
    """Puts a payload on a topic, QoS 1 and not retained."""
    _tracks: dict[str, Track] = field(default_factory=dict)

    def row(self, stream: str, outcome: Outcome, channels: Sequence[tuple[str, str]]) -> None:
        """A stream's next row and its events; `channels` are names with units."""
        if outcome.values is None:
            return
        track = self._tracks.get(stream)
        if track is None or track.channels != channels:
            unknown = np.full(len(channels), np.nan)
            track = self._tracks[stream] = Track(channels, Ring(len(channels)), unknown)
        track.row(outcome)
        for event in outcome.events:
            self._told(stream, track, event, outcome)

    def ask(self, fields: Mapping[str, Any], streams: Sequence[Named]) -> dict[str, Any]:
        """`snapshot`: of an open episode, `{"event_id": …}`, or of a stream's last rows, `{"stream": …}`."""
        event_id, name = fields.get("event_id"), fields.get("stream")
        for stream in streams:
            parts = self.ledger.open_parts(stream.id).values()
            event = next((event_from_dict(part["event"]) for part in parts if part["event"]["id"] == event_id), None)
            if (event is not None or stream.id == name) and stream.id in self._tracks:
                track = self._tracks[stream.id]
                size = self._send(stream.id, track, event, "request", float(track.ring.rows().times[-1]))
                return {"stream": stream.id, "topic": self.topics.snapshot(stream.id), "bytes": size}
        raise RequestError('snapshot wants "event_id" of an open episode, or "stream", one that has had rows')

    def _told(self, stream: str, track: Track, event: Event, outcome: Outcome) -> None:
        snoozed = key_of(event) in self.ledger.attention(stream).snoozed
        if event.event_type == "new":
            track.tolerance = tolerances(outcome, track.channels, track.tolerance)
            track.begin(event)
        if event.event_type != "update" and not snoozed:
            self._send(stream, track, event, event.event_type, outcome.time)
        if event.event_type == "end":
            track.end(event)

    def _send(self, stream: str, track: Track, event: Event | None, occasion: Occasion, time: float) -> int:
        parts = track.parts(event, begins=occasion == "new")
        id_, kind = ("", "anomaly") if event is None else (event.id, event.kind)
        snapshot = Snapshot(id_, self.topics.device, stream, kind, occasion, time, parts)
        payload = encode_snapshot(snapshot)
        self.send(self.topics.snapshot(stream), payload)
        return len(payload)
