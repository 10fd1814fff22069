"""The serial frame: `$<board>,<seq>,<time_ms>,<name>=<value>,…*<CRC-16>\\r\\n`, one a line."""

import binascii
import math

from edge.wire.readings import FrameError, Readings
from edge.wire.topics import valid_id

MAX_FRAME_BYTES = 4096
"""A line longer than this is no frame; it bounds what a reader must keep."""


def crc16(data: bytes) -> int:
    """CRC-16/CCITT-FALSE: polynomial 0x1021, start 0xFFFF, not reflected.

    >>> hex(crc16(b"123456789"))
    '0x29b1'
    """
    return binascii.crc_hqx(data, 0xFFFF)


def encode_frame(board: str, readings: Readings) -> bytes:
    """One frame with its line end. `time` goes as whole milliseconds; absent time or seq as an empty field.

    Raises:
        FrameError: the board or a channel has a name that a frame cannot carry.
    """
    seq = "" if readings.seq is None else str(readings.seq)
    time_ms = "" if readings.time is None else str(round(readings.time * 1000))
    for name in (board, *readings.values):
        if not valid_id(name):
            raise FrameError(f"a frame cannot carry the name {name!r}; use letters, digits, _ and -")
    pairs = ",".join(f"{name}={value!r}" for name, value in readings.values.items())
    body = f"{board},{seq},{time_ms},{pairs}".encode("ascii")
    return b"$%s*%04X\r\n" % (body, crc16(body))


def decode_frame(line: bytes) -> tuple[str, Readings]:
    """Board and readings of one line, with or without its line end.

    Raises:
        FrameError: no frame, a wrong CRC, or fields that do not parse.
    """
    body = _checked_body(line.rstrip(b"\r\n"))
    try:
        board, seq, time_ms, *pairs = body.decode("ascii").split(",")
        time = None if time_ms == "" else int(time_ms) / 1000
        number = None if seq == "" else int(seq)
    except (ValueError, OverflowError) as error:
        raise FrameError(f"frame fields want board,seq,time_ms,name=value: {error}") from error
    if not valid_id(board):
        raise FrameError(f"frame names the board {board[:40]!r}; ids have letters, digits, _ and - only")
    values, rejected = _values(pairs)
    return board, Readings(values, time, number, rejected)


def _checked_body(line: bytes) -> bytes:
    if len(line) > MAX_FRAME_BYTES:
        raise FrameError(f"frame of {len(line)} bytes, at most {MAX_FRAME_BYTES} are allowed")
    if not line.startswith(b"$") or line[-5:-4] != b"*":
        raise FrameError(f"no frame: wanted $…*XXXX, found {line[:40]!r}")
    body, sent = line[1:-5], line[-4:]
    wanted = b"%04X" % crc16(body)
    if sent.upper() != wanted:
        raise FrameError(f"frame CRC is {sent.decode('ascii', 'replace')}, its bytes give {wanted.decode()}")
    return body


def _values(pairs: list[str]) -> tuple[dict[str, float], tuple[str, ...]]:
    good: dict[str, float] = {}
    rejected: list[str] = []
    for pair in pairs:
        if not pair:
            continue
        name, _, text = pair.partition("=")
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if math.isfinite(value):
            good[name] = value
        else:
            rejected.append(name)
    return good, tuple(rejected)
