"""The snapshot of an episode: its rows around start and peak, with what was expected of them. Not retained."""

import json
from dataclasses import asdict, dataclass, replace
from importlib import resources
from typing import Any, Literal

from edge.wire.payload import encode_payload, jsonable

Occasion = Literal["new", "end", "request"]
MOST_BYTES = 65_536
"""Of a payload. Where the rows of all channels take more, the channels that say least go, then every other row."""


@dataclass(frozen=True, slots=True)
class Series:
    """One channel over the rows, in its unit; None where nothing is known."""

    channel: str
    unit: str
    value: tuple[float | None, ...]
    expected: tuple[float | None, ...]
    tolerance: tuple[float | None, ...]
    """How far from expected normal rows stay."""


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows in a row."""

    around: Literal["start", "peak", "now"]
    time: tuple[float, ...]
    """Unix seconds."""
    score: tuple[float | None, ...]
    channels: tuple[Series, ...]
    """Those that say most of the episode first."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What an episode looked like."""

    event_id: str
    device: str
    stream: str
    kind: str
    occasion: Occasion
    time: float
    """When it was taken, Unix seconds of stream time."""
    parts: tuple[Part, ...]
    omitted_channels: int = 0
    """Channels that were left out for their size."""
    every: int = 1
    """Rows of which one is told."""
    schema: int = 1


def encode_snapshot(snapshot: Snapshot, most_bytes: int = MOST_BYTES) -> bytes:
    """The payload, of at most `most_bytes` bytes unless one channel and one row take more."""
    smaller, payload = snapshot, _encoded(snapshot)
    while len(payload) > most_bytes:
        channels = max((len(part.channels) for part in smaller.parts), default=0)
        rows = max((len(part.time) for part in smaller.parts), default=0)
        if channels > 8 or (channels > 1 and rows < 8):
            smaller = _with_channels(smaller, max(1, channels // 2))
        elif rows > 1:
            smaller = _with_every_other_row(smaller)
        else:
            break
        payload = _encoded(smaller)
    return payload


def snapshot_schema() -> dict[str, Any]:
    """The published JSON Schema of a snapshot."""
    return json.loads(resources.files("edge.wire").joinpath("schemas/snapshot.schema.json").read_text("utf-8"))


def group_schema() -> dict[str, Any]:
    """The published JSON Schema of a device's group."""
    return json.loads(resources.files("edge.wire").joinpath("schemas/group.schema.json").read_text("utf-8"))


def _encoded(snapshot: Snapshot) -> bytes:
    body = jsonable(asdict(snapshot))
    return encode_payload({"schema": body.pop("schema"), **body})


def _with_channels(snapshot: Snapshot, most: int) -> Snapshot:
    parts = tuple(replace(part, channels=part.channels[:most]) for part in snapshot.parts)
    before = max(len(part.channels) for part in snapshot.parts)
    return replace(snapshot, parts=parts, omitted_channels=snapshot.omitted_channels + before - most)


def _with_every_other_row(snapshot: Snapshot) -> Snapshot:
    def half(part: Part) -> Part:
        channels = tuple(
            replace(one, value=one.value[::2], expected=one.expected[::2], tolerance=one.tolerance[::2])
            for one in part.channels
        )
        return replace(part, time=part.time[::2], score=part.score[::2], channels=channels)

    return replace(snapshot, parts=tuple(half(part) for part in snapshot.parts), every=snapshot.every * 2)
