"""Wakes the thread that waits on a connection."""

import select
import socket
from contextlib import suppress


class Waker:
    """Readable from `wake` until `clear`; for `select.poll` beside a connection's socket."""

    def __init__(self) -> None:
        self._pair: tuple[socket.socket, socket.socket] | None = None
        self._woken = False  # and not cleared yet: there is no need to wake again

    def open(self) -> None:
        """Before this, and after `close`, a wake has no effect."""
        self._pair, self._woken = socket.socketpair(), False
        for end in self._pair:
            end.setblocking(False)

    def close(self) -> None:
        """Give the sockets back."""
        pair, self._pair = self._pair, None
        for end in pair or ():
            end.close()

    def wake(self) -> None:
        """From any thread."""
        if (pair := self._pair) is not None and not self._woken:
            self._woken = True
            with suppress(OSError):  # full: it will wake anyway; closed meanwhile: nobody waits
                pair[1].send(b"\0")

    def fileno(self) -> int:
        """What to wait on."""
        assert self._pair is not None, "open the waker first"
        return self._pair[0].fileno()

    def clear(self) -> None:
        """Forget the wakes so far."""
        if self._pair is not None:
            # Before what woke it is looked at: a wake that comes from here on is sent again.
            self._woken = False
            with suppress(BlockingIOError):
                self._pair[0].recv(4096)

    def wait(self, timeout_s: float) -> None:
        """Until the next wake, or the time-out."""
        poller = select.poll()
        poller.register(self.fileno(), select.POLLIN)
        poller.poll(timeout_s * 1000)
        self.clear()
