"""[homeassistant]: whether and where the agent makes itself known to Home Assistant."""

from typing import Any

from attrs import field, frozen

_FORBIDDEN = "#+\0"


def _is_prefix(_owner: Any, attribute: Any, value: str) -> None:
    if not value or value != value.strip("/") or any(mark in value for mark in _FORBIDDEN):
        raise ValueError(f"{attribute.name} is {value!r}; wanted a topic without wildcards and outer slashes")


@frozen(kw_only=True)
class HomeAssistantSettings:
    """[homeassistant]: discovery, off until asked for."""

    discovery: bool = False
    """Whether entities are announced for every stream and for the gateway."""
    prefix: str = field(default="homeassistant", validator=_is_prefix)
    """Discovery prefix, as in Home Assistant's MQTT settings."""
    snooze_s: float = field(default=3600.0)
    """What the button `Snooze` asks for, seconds."""

    @snooze_s.validator
    def _positive(self, attribute: Any, value: float) -> None:
        if not 0 < value <= 1e7:
            raise ValueError(f"{attribute.name} is {value:g}; wanted more than 0 and at most 1e7")
