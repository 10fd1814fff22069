"""[web]: whether and where the live page is served."""

import ipaddress
from pathlib import Path
from typing import Any

from attrs import field, frozen, validators


def _is_port(_owner: Any, attribute: Any, value: int) -> None:
    if not 0 <= value <= 65535:
        raise ValueError(f"{attribute.name} is {value}; wanted 1 to 65535, or 0 for any that is free")


@frozen(kw_only=True)
class WebSettings:
    """[web]: the live page, off until a port is named."""

    port: int | None = field(default=None, validator=validators.optional(_is_port))
    """Port of the page; left out for none."""
    host: str = "127.0.0.1"
    """Address to listen on; beyond loopback only with `password_hash_file`."""
    password_hash_file: Path | None = None
    """File with what `offbeat-edge password` prints; whoever opens the page is then asked for the password."""
    cert: Path | None = None
    """The page's certificate, PEM; with `key` it is served over HTTPS."""
    key: Path | None = None
    """The certificate's key."""
    behind_proxy: bool = False
    """Whether a reverse proxy on this machine serves it over HTTPS; cookies are then sent over HTTPS alone."""

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches the page."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def is_secure(self) -> bool:
        """Whether browsers reach it over HTTPS."""
        return self.cert is not None or self.behind_proxy

    def problem(self) -> str | None:
        """Why the page must not be served so, in a line; None where it may."""
        if (self.cert is None) != (self.key is None):
            return "web: cert and key come together"
        if not self.is_loopback and self.password_hash_file is None:
            return (
                f"web: {self.host} can be reached from outside and wants a password: offbeat-edge password > web.hash, "
                'then password_hash_file = "web.hash"'
            )
        return None
