"""Checks of settings as attrs validators; each says the name, what was found and what was wanted."""

from typing import Any

from edge.wire.topics import valid_id


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
    """More than 0."""
    if not value > 0:
        raise ValueError(f"{attribute.name} is {value!r}; wanted more than 0")


def not_negative(_owner: Any, attribute: Any, value: float) -> None:
    """0 or more."""
    if not value >= 0:
        raise ValueError(f"{attribute.name} is {value!r}; wanted 0 or more")
