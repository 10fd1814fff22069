"""Sparkplug payloads, written by hand after sparkplug_b.proto: what no library would send can be sent too."""

import struct
from collections.abc import Iterable


def varint(value: int) -> bytes:
    """A number in groups of seven bits, the lowest first."""
    out = b""
    while value > 0x7F:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def field(number: int, value: int | bytes | float) -> bytes:
    """A field by the protobuf encoding: numbers as varints, floats as doubles, bytes with their length."""
    if isinstance(value, float):
        return varint(number << 3 | 1) + struct.pack("<d", value)
    if isinstance(value, bytes):
        return varint(number << 3 | 2) + varint(len(value)) + value
    return varint(number << 3) + varint(value)


def metric(
    name: str | None = None,
    alias: int | None = None,
    datatype: int | None = None,
    time_ms: int | None = None,
    double: float | None = None,
    number: int | None = None,
    null: bool = False,
    historical: bool = False,
) -> bytes:
    """A metric with what is given; `number` as long_value."""
    given = [(1, name and name.encode()), (2, alias), (3, time_ms), (4, datatype), (5, historical or None)]
    given += [(7, null or None), (11, number), (13, double)]
    return b"".join(field(place, value) for place, value in given if value is not None)


def payload(time_ms: int | None, metrics: Iterable[bytes], seq: int | None = None) -> bytes:
    """A payload of metrics; a death has no seq."""
    head = b"" if time_ms is None else field(1, time_ms)
    body = b"".join(field(2, one) for one in metrics)
    return head + body + (b"" if seq is None else field(3, seq))
