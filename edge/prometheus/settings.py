"""[prometheus]: whether and where metrics are served."""

from typing import Any

from attrs import field, frozen, validators


def _is_port(_owner: Any, attribute: Any, value: int) -> None:
    if not 0 <= value <= 65535:
        raise ValueError(f"{attribute.name} is {value}; wanted 1 to 65535, 0 for any that is free, left out for none")


@frozen(kw_only=True)
class PrometheusSettings:
    """[prometheus]: an address to scrape, off until a port is named."""

    port: int | None = field(default=None, validator=validators.optional(_is_port))
    """Port of `/metrics`; left out for none."""
    host: str = "127.0.0.1"
    """Address to listen on. Whoever reaches it can read, so beyond loopback let a firewall say who does."""
