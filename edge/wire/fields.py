"""Typed fields out of decoded JSON, each checked once where it enters."""

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from edge.wire.payload import encodable

T = TypeVar("T")
Reader = Callable[[Mapping[str, Any], str], T]
"""Takes one field out of a body, or raises `FieldError`."""


class FieldError(ValueError):
    """A field is missing or not what it should be; it names the field, what was found and what was wanted."""


def text(body: Mapping[str, Any], name: str) -> str:
    """A string that can be written down anywhere."""
    value = _present(body, name)
    if not isinstance(value, str):
        raise _wrong(name, value, "text")
    return encodable(value)


def choice(body: Mapping[str, Any], name: str, allowed: tuple[str, ...]) -> Any:
    """One of a few words."""
    value = _present(body, name)
    if not isinstance(value, str) or value not in allowed:
        raise _wrong(name, value, " or ".join(allowed))
    return value


def number(body: Mapping[str, Any], name: str) -> float:
    """A finite number."""
    value = _present(body, name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _LARGEST:
        raise _wrong(name, value, "a finite number")
    return float(value)


def integer(body: Mapping[str, Any], name: str) -> int:
    """A whole number that a database keeps: of 64 bits."""
    value = _present(body, name)
    if isinstance(value, bool) or not isinstance(value, int) or not -(2**63) <= value < 2**63:
        raise _wrong(name, value, "a whole number of 64 bits")
    return value


def flag(body: Mapping[str, Any], name: str) -> bool:
    """True or false."""
    value = _present(body, name)
    if not isinstance(value, bool):
        raise _wrong(name, value, "true or false")
    return value


def nested(make: Callable[[Mapping[str, Any]], T]) -> Reader[T]:
    """What `make` takes out of a JSON object."""

    def read(body: Mapping[str, Any], name: str) -> T:
        value = _present(body, name)
        if not isinstance(value, dict):
            raise _wrong(name, value, "an object")
        return make(value)

    return read


def objects(body: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """A list of JSON objects."""
    value = _present(body, name)
    if not isinstance(value, list) or not all(isinstance(part, dict) for part in value):
        raise _wrong(name, value, "a list of objects")
    return value


def where_known(body: Mapping[str, Any], name: str, read: Reader[T], default: T) -> T:
    """What `read` takes, or the default where the writer did not know the field."""
    return read(body, name) if name in body else default


def optional(read: Reader[T]) -> Reader[T | None]:
    """What `read` takes, or None for null."""
    return lambda body, name: None if _present(body, name) is None else read(body, name)


optional_number = optional(number)
"""A finite number or null."""

_LARGEST = math.nextafter(math.inf, 0)  # compared without a conversion: an integer may be beyond any double


def _present(body: Mapping[str, Any], name: str) -> Any:
    try:
        return body[name]
    except KeyError:
        raise FieldError(f"{name} is missing") from None


def _wrong(name: str, value: object, wanted: str) -> FieldError:
    return FieldError(f"{name} is {str(value)[:40]!r}, wanted {wanted}")
