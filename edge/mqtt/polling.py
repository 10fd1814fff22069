"""Waiting for a socket."""

import select
from typing import Any

from edge.mqtt.waker import Waker


def readable(sock: Any, timeout_s: float) -> bool:
    """Whether something has come, waiting for it so long."""
    if getattr(sock, "pending", int)():  # bytes that TLS has decrypted and poll cannot see
        return True
    poller = select.poll()
    poller.register(sock.fileno(), select.POLLIN)
    return bool(poller.poll(timeout_s * 1000))


def wait(sock: Any, to_write: bool, waker: Waker | None, timeout_s: float) -> None:
    """Until there is something to read, room to write where that is wanted, the waker, or the time-out."""
    if getattr(sock, "pending", int)():
        timeout_s = 0.0
    poller = select.poll()
    poller.register(sock.fileno(), select.POLLIN | (select.POLLOUT if to_write else 0))
    if waker is not None:
        poller.register(waker.fileno(), select.POLLIN)
    poller.poll(max(0.0, timeout_s) * 1000)
    if waker is not None:
        waker.clear()
