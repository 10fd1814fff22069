"""The payload of Sparkplug 3.0 from its protobuf: time, seq and metrics. Source: the specification's sparkplug_b.proto.

Written out rather than left to a library: what a gateway installs stays as small as it is, and a payload of eight
metrics is read in the time that the own format's JSON takes. Fields that are not named here are passed over.
"""

import struct
from collections.abc import Mapping

from edge.wire.readings import FrameError

Metric = tuple[str | None, int | None, int | None, float | None, Mapping[int, int]]
"""Name, alias, time in ms, the number of a float or double, and the other fields that are numbers, by their keys."""
DATATYPE, NULL, INT, LONG, BOOLEAN = 0x20, 0x38, 0x50, 0x58, 0x70
"""Keys of fields on the wire: the field's number and its wire type."""
_NAME, _ALIAS, _TIME_MS, _FLOAT, _DOUBLE = 0x0A, 0x10, 0x18, 0x65, 0x69
_OTHERS = frozenset((DATATYPE, NULL, INT, LONG, BOOLEAN))
_NOTHING: Mapping[int, int] = {}
_PAYLOAD_TIME, _PAYLOAD_METRIC, _PAYLOAD_SEQ, _PAYLOAD_UUID = 0x08, 0x12, 0x18, 0x22
_COMPRESSED = b"SPBV1.0_COMPRESSED"
_MOST_METRICS = 10_000
_TIME_BYTES = 6
"""Of the milliseconds since 1970 as a varint, from 2004 to 2109."""

_float, _double = struct.Struct("<f").unpack_from, struct.Struct("<d").unpack_from


def read_payload(data: bytes) -> tuple[int | None, int | None, list[Metric]]:
    """Time in ms since 1970, seq, and the metrics.

    Raises:
        FrameError: the bytes are no such protobuf, or are compressed.
    """
    try:
        return _payload(data)
    except (IndexError, struct.error):
        raise FrameError("the protobuf ends within a field: is it Sparkplug?") from None


def _payload(data: bytes) -> tuple[int | None, int | None, list[Metric]]:
    time_ms = seq = None
    metrics: list[Metric] = []
    times: dict[bytes, int] = {}
    place, end = 0, len(data)
    while place < end:
        key = data[place]
        if key == _PAYLOAD_METRIC:
            size, place = (data[place + 1], place + 2) if data[place + 1] < 0x80 else _varint(data, place + 1)
            if place + size > end or len(metrics) >= _MOST_METRICS:
                raise FrameError(f"a metric goes beyond the payload, or there are more than {_MOST_METRICS}")
            metrics.append(_metric(data, place, place + size, times))
            place += size
        elif key == _PAYLOAD_TIME:
            time_ms, place = _varint(data, place + 1)
        elif key == _PAYLOAD_SEQ:
            seq, place = _varint(data, place + 1)
        else:
            before, place = place, _after(data, place)
            if key == _PAYLOAD_UUID and _COMPRESSED in data[before:place]:
                raise FrameError("compressed Sparkplug payloads are not read; turn compression off at the node")
    if place != end:
        raise FrameError("the protobuf ends within a field: is it Sparkplug?")
    return time_ms, seq, metrics


def _metric(data: bytes, place: int, end: int, times: dict[bytes, int]) -> Metric:
    """A metric. `times` keeps those that were read: all metrics of a payload mostly have one time."""
    name = alias = time_ms = number = None
    others: dict[int, int] | None = None
    while place < end:
        key = data[place]
        place += 1
        if key == _ALIAS:
            alias = data[place]
            place += 1
            if alias > 0x7F:
                alias, place = _varint(data, place - 1)
        elif key == _DOUBLE:
            number = _double(data, place)[0]
            place += 8
        elif key == _TIME_MS:
            time_ms = times.get(data[place : place + _TIME_BYTES])
            place += _TIME_BYTES
            if time_ms is None:
                time_ms, place = _time(data, place - _TIME_BYTES, times)
        elif key == _FLOAT:
            number, place = _float(data, place)[0], place + 4
        elif key == _NAME:
            size, place = _varint(data, place)
            name, place = data[place : place + size].decode("utf-8", "replace"), place + size
        else:
            others = others or {}
            place = _other(data, place - 1, others)
    if place != end:
        raise FrameError("a metric ends within a field: is it Sparkplug?")
    return name, alias, time_ms, number, others or _NOTHING


def _other(data: bytes, place: int, others: dict[int, int]) -> int:
    """Take a field that is a number of use, or pass it over; where it ends."""
    after = _after(data, place)
    if data[place] in _OTHERS:
        others[data[place]] = _varint(data, place + 1)[0]
    return after


def _time(data: bytes, place: int, times: dict[bytes, int]) -> tuple[int, int]:
    value, after = _varint(data, place)
    if after - place == _TIME_BYTES:
        times[data[place:after]] = value
    return value, after


def _after(data: bytes, place: int) -> int:
    """Where the field that begins at a place ends.

    Raises:
        FrameError: its wire type is none.
    """
    key, place = _varint(data, place)
    wire = key & 7
    if wire == 0:
        return _varint(data, place)[1]
    if wire == 2:
        size, place = _varint(data, place)
        return place + size
    if wire in (1, 5):
        return place + (8 if wire == 1 else 4)
    raise FrameError(f"protobuf has no wire type {wire}: is it Sparkplug?")


def _varint(data: bytes, place: int) -> tuple[int, int]:
    """A number in groups of seven bits, and the place after it."""
    byte = data[place]
    if byte < 0x80:
        return byte, place + 1
    value = shift = 0
    while byte >= 0x80:
        value |= (byte & 0x7F) << shift
        shift += 7
        place += 1
        byte = data[place]
        if shift > 63:
            raise FrameError("a number in the protobuf is too long: is it Sparkplug?")
    return value | byte << shift, place + 1
