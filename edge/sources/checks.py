"""Checks of settings as attrs validators; each says the name, what was found and what was wanted."""

from typing import Any

from edge.wire.topics import valid_id

_MOST = 1e9


def is_id(_owner: Any, attribute: Any, value: str) -> None:
    """A level of a topic."""
    if not valid_id(value):
        raise ValueError(f"{attribute.name} is {value!r}; ids have letters, digits, _ and - only")


def is_topic_root(_owner: Any, attribute: Any, value: str) -> None:
    """The start of a topic."""
    if not value or value[0] == "/" or value[-1] == "/" or any(mark in value for mark in "+#\0"):
        raise ValueError(
            f"{attribute.name} is {value!r}; wanted the start of a topic without + and # and outer slashes"
        )


def is_positive(_owner: Any, attribute: Any, value: float) -> None:
    """More than 0, and no more than a thousand million: what waits for ever is a mistake."""
    if not 0 < value <= _MOST:
        raise ValueError(f"{attribute.name} is {value!r}; wanted more than 0" + _bound(value))


def is_positive_or_inf(_owner: Any, attribute: Any, value: float) -> None:
    """More than 0; inf is without a bound."""
    if not value > 0:
        raise ValueError(f"{attribute.name} is {value!r}; wanted more than 0")


def not_negative(_owner: Any, attribute: Any, value: float) -> None:
    """0 or more, and no more than a thousand million."""
    if not 0 <= value <= _MOST:
        raise ValueError(f"{attribute.name} is {value!r}; wanted 0 or more" + _bound(value))


def _bound(value: float) -> str:
    return f", at most {_MOST:g}" if value > _MOST else ""
