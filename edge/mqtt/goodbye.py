"""Leaving a broker so that it has read what was said last."""

import os
import select
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_GOODBYE_S = 1.0
"""How long the broker may take to hang up once it was told goodbye, seconds."""


@contextmanager
def heard_out(descriptor: int) -> Iterator[float]:
    """Whoever closes the connection within, it stays until the other side has hung up, or the monotonic time that is
    given, a second from now.

    A socket that is closed with something unread resets the connection, and what the other side has not read yet,
    such as an acknowledgement, is thrown away there.
    """
    until = time.monotonic() + _GOODBYE_S
    with socket.socket(fileno=os.dup(descriptor)) as still_open:
        yield until
        with suppress(OSError):
            still_open.shutdown(socket.SHUT_WR)
            poller = select.poll()
            poller.register(still_open, select.POLLIN)
            while (left_s := until - time.monotonic()) > 0 and poller.poll(left_s * 1000):
                if not still_open.recv(65536):
                    break
