"""Eclipse Sparkplug 3.0 (namespace spBv1.0): births, data with aliases, and deaths, from the published protobuf.

Covered: NBIRTH, NDATA, NDEATH, DBIRTH, DDATA, DDEATH; numbers and booleans of the datatypes 1 to 11; aliases of births
(tck-id-payloads-alias-*), is_null, is_historical, metrics' own times. Not covered: datasets, templates, property sets,
the order of `seq`, and commands, so that a birth that was missed is not asked for again: data with aliases that no
birth explained is counted as bad until the next birth. Source: sparkplug_b.proto of the specification.
"""

import math
import struct
from collections.abc import Iterator
from typing import Any

from edge.sources.formats.message import Decoded, Message, board_id
from edge.wire.readings import FrameError, Readings

_BITS = {1: 8, 2: 16, 3: 32, 4: 64}
"""Datatype of a signed integer to its size; they are sent as unsigned ones."""
_MOST_METRICS = 10_000
_SIZES = {2: 0, 3: 0, 4: 0, 7: 0, 10: 0, 11: 0, 12: 4, 13: 8, 14: 0}
"""Fields of a metric that are numbers, and their bytes; 0 for varints."""
_OWN = frozenset(("bdSeq", "Node Control/Rebirth"))

_FLOAT, _DOUBLE = struct.Struct("<f").unpack, struct.Struct("<d").unpack

Metric = dict[int, Any]
"""A metric's fields by their numbers; 0 holds the datatype that its birth gave."""


class Sparkplug:
    """The node, or the device behind it, is the board; channels are called as metrics are."""

    topics = ("spBv1.0/#",)

    def __init__(self) -> None:
        self._births: dict[tuple[str, ...], dict[int, tuple[str, int]]] = {}

    def decode(self, message: Message) -> Decoded:
        """Readings of data and of births; one for each time in them."""
        levels = message.levels
        if len(levels) not in (4, 5) or levels[0] != "spBv1.0" or levels[2][1:] not in ("BIRTH", "DATA", "DEATH"):
            return
        who = (levels[1], *levels[3:])
        if levels[2].endswith("DEATH"):
            for one in [one for one in self._births if one[: len(who)] == who]:
                del self._births[one]
            return
        time, metrics = _payload(message.payload)
        if levels[2].endswith("BIRTH"):
            known = {one[2]: (one[1], one.get(4, 0)) for one in metrics if 1 in one and 2 in one}
            self._births[who] = known
        yield from self._readings(who, time, metrics)

    def _readings(self, who: tuple[str, ...], time: float | None, metrics: list[Metric]) -> Decoded:
        known = self._births.get(who, {})
        by_time: dict[float | None, tuple[dict[str, float], list[str]]] = {}
        for one in metrics:
            name, datatype = one.get(1), one.get(4, 0)
            if 2 in one and not name:
                if one[2] not in known:
                    raise FrameError(f"{'/'.join(who)[:80]}: alias {one[2]} of a birth that was not heard")
                name, datatype = known[one[2]][0], datatype or known[one[2]][1]
            if not name or name in _OWN:
                continue
            good, bad = by_time.setdefault(one[3] / 1000 if one.get(3) else time, ({}, []))
            value = _value(one, datatype)
            if value is not None:
                good[name] = value
            elif one.get(7):
                bad.append(name)
        for moment, (values, rejected) in by_time.items():
            yield board_id("_".join(who[1:])), Readings(values, moment, rejected=tuple(rejected))


def _value(one: Metric, datatype: int) -> float | None:
    """A metric's number; None where it is null, text or of another kind."""
    if one.get(7):
        return None
    if 14 in one:
        return float(bool(one[14]))
    if 12 in one or 13 in one:
        number: float = _FLOAT(one[12])[0] if 12 in one else _DOUBLE(one[13])[0]
        return number if math.isfinite(number) else None
    if 10 in one or 11 in one:
        whole = one[10] if 10 in one else one[11]
        bits = _BITS.get(datatype)
        if bits is not None:
            whole &= (1 << bits) - 1
            whole -= (1 << bits) if whole >> (bits - 1) else 0
        return float(whole)
    return None


def _payload(data: bytes) -> tuple[float | None, list[Metric]]:
    time: float | None = None
    metrics: list[Metric] = []
    for number, value in _fields(data):
        if number == 1 and isinstance(value, int):
            time = value / 1000
        elif number == 2 and isinstance(value, bytes):
            if len(metrics) >= _MOST_METRICS:
                raise FrameError(f"more than {_MOST_METRICS} metrics in a payload")
            metrics.append(_metric(value))
    return time, metrics


def _metric(data: bytes) -> Metric:
    one: Metric = dict(_fields(data))
    name = one.get(1)
    if name is not None:
        if not isinstance(name, bytes):
            raise FrameError("a metric's name is no text")
        one[1] = name.decode("utf-8", "replace")
    for number, value in one.items():
        size = _SIZES.get(number)
        if size is not None and (len(value) != size if type(value) is bytes and size else type(value) is bytes or size):
            raise FrameError(f"field {number} of a metric is of another kind than the specification says")
    return one


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Number and value of each field: varints as numbers, all else as bytes.

    Raises:
        FrameError: the bytes are no protobuf.
    """
    place, end = 0, len(data)
    while place < end:
        key = data[place]
        place += 1
        if key > 0x7F:
            key, place = _varint(data, place - 1)
        number, wire = key >> 3, key & 7
        if wire == 0:
            if place < end and data[place] < 0x80:
                yield number, data[place]
                place += 1
                continue
            value, place = _varint(data, place)
            yield number, value
            continue
        if wire == 2:
            if place < end and data[place] < 0x80:
                size = data[place]
                place += 1
            else:
                size, place = _varint(data, place)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise FrameError(f"protobuf has no wire type {wire}: is it Sparkplug?")
        if place + size > len(data):
            raise FrameError("the protobuf ends within a field")
        yield number, data[place : place + size]
        place += size


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if place >= len(data) or shift > 63:
            raise FrameError("the protobuf ends within a number")
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, place
