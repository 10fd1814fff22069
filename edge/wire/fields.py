"""Typed fields out of decoded JSON, each checked once where it enters."""

import math
from collections.abc import Mapping
from typing import Any


class FieldError(ValueError):
    """A field is missing or not what it should be; it names the field, what was found and what was wanted."""


def text(body: Mapping[str, Any], name: str) -> str:
    """A string."""
    value = _present(body, name)
    if not isinstance(value, str):
        raise _wrong(name, value, "text")
    return value


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


def optional_number(body: Mapping[str, Any], name: str) -> float | None:
    """A finite number or null."""
    return None if _present(body, name) is None else number(body, name)


def integer(body: Mapping[str, Any], name: str) -> int:
    """A whole number."""
    value = _present(body, name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong(name, value, "a whole number")
    return value


def flag(body: Mapping[str, Any], name: str) -> bool:
    """True or false."""
    value = _present(body, name)
    if not isinstance(value, bool):
        raise _wrong(name, value, "true or false")
    return value


def optional_object(body: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    """A JSON object or null."""
    value = _present(body, name)
    if value is not None and not isinstance(value, dict):
        raise _wrong(name, value, "an object or null")
    return value


def objects(body: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """A list of JSON objects."""
    value = _present(body, name)
    if not isinstance(value, list) or not all(isinstance(part, dict) for part in value):
        raise _wrong(name, value, "a list of objects")
    return value


_LARGEST = math.nextafter(math.inf, 0)  # compared without a conversion: an integer may be beyond any double


def _present(body: Mapping[str, Any], name: str) -> Any:
    try:
        return body[name]
    except KeyError:
        raise FieldError(f"{name} is missing") from None


def _wrong(name: str, value: object, wanted: str) -> FieldError:
    return FieldError(f"{name} is {str(value)[:40]!r}, wanted {wanted}")
