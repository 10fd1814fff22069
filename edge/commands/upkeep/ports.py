"""Whether the ports that an agent would listen on, for its page and its metrics, can be had."""

import errno
import socket
from collections.abc import Iterator

from edge.commands.upkeep.finding import Finding
from edge.config.settings import Config
from edge.state.lock import holder

_REMEDIES = {
    errno.EADDRINUSE: "another program listens there (ss -ltnp shows which); end it, or name another port",
    errno.EADDRNOTAVAIL: "this machine has no such address; ip addr shows those that it has",
    errno.EACCES: "ports below 1024 are root's; name one above",
}


def ports(config: Config) -> Iterator[Finding]:
    """A line for each that is configured; where an agent runs, it has them."""
    for what, where in (("web", config.web), ("prometheus", config.prometheus)):
        if where.port is None or holder(config.device.state_dir):
            continue
        told = f"[{what}] {where.host}:{where.port}"
        try:
            _listen(where.host, where.port)
        except OSError as error:
            remedy = _REMEDIES.get(error.errno or 0, str(error))
            yield Finding("do", "port", f"{told} cannot be had, so it is not served: {remedy}")
        else:
            yield Finding("ok", "port", f"{told} is free")


def _listen(host: str, port: int) -> None:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(1)
