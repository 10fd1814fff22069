"""Eclipse Sparkplug 3.0: each board is an edge node, born with its metrics' names and aliases, then sends aliases.

Payloads are written by hand from sparkplug_b.proto (Eclipse Tahu), of which five fields are enough; a test reads them
with Google's protobuf. edge has a reader of its own: neither shares code with the other, so that each tests the other.
Left out: rebirth on command (`Node Control/Rebirth` is announced as false, NCMD is not listened to), and primary hosts.
"""

import struct
from collections.abc import Iterator, Sequence

from edge.wire.readings import Readings
from firmware_sim.formats.message import Outgoing, milliseconds

GROUP = "offbeat-sim"
_INT64, _DOUBLE, _BOOLEAN = 4, 10, 11
"""Datatypes of the specification."""
_REBIRTH = "Node Control/Rebirth"


class Sparkplug:
    """The encoder of one board, which has a connection of its own: the specification wants it for the will."""

    time_told = True
    names = "{}"

    def __init__(self, channels: Sequence[str]):
        self.aliases = {name: alias for alias, name in enumerate(channels, 1)}
        self.born = False
        self.seq = 0
        self.bd_seq = -1

    def encode(self, board: str, readings: Readings) -> tuple[Outgoing, ...]:
        """NBIRTH with what is known as the first message of a connection, NDATA after it."""
        stamp = milliseconds(readings.time or 0.0)
        birth = not self.born
        self.seq = 0 if birth else (self.seq + 1) % 256
        metrics = [*self._birth(readings, stamp)] if birth else [*self._data(readings, stamp)]
        self.born = True
        kind = "NBIRTH" if birth else "NDATA"
        return (Outgoing(_topic(kind, board), _payload(stamp, metrics, self.seq)),)

    def connected(self, board: str) -> Outgoing | None:
        """NDEATH as the will, with the number that the next birth has."""
        self.bd_seq = (self.bd_seq + 1) % 256
        self.born = False
        return self.leaving(board)

    def leaving(self, board: str) -> Outgoing | None:
        """NDEATH: a tidy end needs it too, since the broker then forgets the will."""
        return Outgoing(_topic("NDEATH", board), _payload(None, [self._bd_seq(None)], None))

    def _birth(self, readings: Readings, stamp: int) -> Iterator[bytes]:
        yield self._bd_seq(stamp)
        yield _metric(_REBIRTH, None, stamp, _BOOLEAN, _number(14, 0))
        for name, alias in self.aliases.items():
            value = readings.values.get(name)
            yield _metric(name, alias, stamp, _DOUBLE, _number(7, 1) if value is None else _double(value))

    def _data(self, readings: Readings, stamp: int) -> Iterator[bytes]:
        for name, value in readings.values.items():
            yield _metric(None, self.aliases[name], stamp, _DOUBLE, _double(value))

    def _bd_seq(self, stamp: int | None) -> bytes:
        return _metric("bdSeq", None, stamp, _INT64, _number(11, self.bd_seq))


def _topic(kind: str, board: str) -> str:
    return f"spBv1.0/{GROUP}/{kind}/{board}"


def _payload(stamp: int | None, metrics: Sequence[bytes], seq: int | None) -> bytes:
    """Payload: 1 timestamp, 2 metrics, 3 seq."""
    parts = [] if stamp is None else [_number(1, stamp)]
    parts += [_bytes(2, metric) for metric in metrics]
    return b"".join(parts if seq is None else [*parts, _number(3, seq)])


def _metric(name: str | None, alias: int | None, stamp: int | None, datatype: int, value: bytes) -> bytes:
    """Metric: 1 name, 2 alias, 3 timestamp, 4 datatype, 7 is_null, 11 long, 13 double, 14 boolean."""
    parts = [] if name is None else [_bytes(1, name.encode())]
    parts += [_number(place, number) for place, number in ((2, alias), (3, stamp)) if number is not None]
    return b"".join([*parts, _number(4, datatype), value])


def _double(value: float) -> bytes:
    return _varint(13 << 3 | 1) + struct.pack("<d", value)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    """Base 128, the lowest seven bits first.

    >>> _varint(300).hex()
    'ac02'
    """
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])
