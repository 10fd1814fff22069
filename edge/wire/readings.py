"""Readings as boards send them over MQTT, in files and on stdin: one JSON object."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass


class FrameError(ValueError):
    """A message from a board that cannot be read; it says what was found and what was wanted."""


@dataclass(frozen=True, slots=True)
class Readings:
    """What a board measured at one instant: any subset of its channels."""

    values: Mapping[str, float]
    """Channel name to value, finite numbers only, in the channel's unit."""
    time: float | None = None
    """The board's own time, Unix seconds; None where the board has no clock."""
    seq: int | None = None
    """The board's message counter, or None."""
    rejected: tuple[str, ...] = ()
    """Channels whose value was no finite number (text, null, NaN); they count as missing."""
    offline: bool = False
    """The board said, or somebody for it, that it sends no more until it is heard again; there are no values."""


def decode_readings(payload: bytes | str) -> Readings:
    """The readings in a `{"time": …, "seq": …, "values": {…}}` object.

    A single bad value is set aside in `rejected`, the others still count.

    Raises:
        FrameError: the payload is no such object.
    """
    try:
        message = json.loads(payload)
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError is a ValueError
        message = _with_nan(payload)
        if message is None:
            raise FrameError(f"readings are not JSON: {error}") from error
    if not isinstance(message, dict) or not isinstance(message.get("values"), dict):
        raise FrameError('readings want a JSON object with "values", an object of channel: number')
    good, rejected = split_values(message["values"])
    return Readings(good, _time(message.get("time")), _seq(message.get("seq")), rejected)


def encode_readings(readings: Readings) -> bytes:
    """The JSON object that `decode_readings` reads; absent time and seq are left out."""
    message: dict[str, object] = {}
    if readings.time is not None:
        message["time"] = readings.time
    if readings.seq is not None:
        message["seq"] = readings.seq
    message["values"] = dict(readings.values)
    return json.dumps(message, separators=(",", ":"), allow_nan=False).encode()


def split_values(values: Mapping[str, object]) -> tuple[dict[str, float], tuple[str, ...]]:
    """The finite numbers of a mapping, text that is one among them, and the names of what is none."""
    if all(type(value) is float and math.isfinite(value) for value in values.values()):
        return values, ()  # type: ignore[return-value]  # the usual case, one pass and no copy
    good = {name: number for name, value in values.items() if (number := _number_of(value)) is not None}
    return good, tuple(name for name in values if name not in good)


_BARE_NAN = re.compile(r"(?<=[:,\[\s])[-+]?(?:nan|inf|infinity)(?=\s*[,}\]])", re.IGNORECASE)


def _with_nan(payload: bytes | str) -> object:
    """JSON in which a board's printf left nan or inf bare, which become null; None where it is not that."""
    try:
        text = payload if isinstance(payload, str) else payload.decode("utf-8")
        mended, times = _BARE_NAN.subn("null", text)
        return json.loads(mended) if times else None
    except (ValueError, RecursionError):
        return None


def _number_of(value: object) -> float | None:
    """A finite number, or text that is one; None for everything else."""
    if isinstance(value, str) and "_" not in value:
        try:
            value = float(value)
        except ValueError:
            return None
    return float(value) if _is_finite_number(value) else None  # type: ignore[arg-type]


def _is_finite_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond the range of a double
        return False


def _time(value: object) -> float | None:
    if value is None:
        return None
    if not _is_finite_number(value):
        raise FrameError(f'readings want "time" in Unix seconds, found {str(value)[:40]!r}')
    return float(value)  # type: ignore[arg-type]


def _seq(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
