"""A pseudo-terminal that stands for a serial line."""

import fcntl
import os
import select
import struct
import termios
import threading
import time
import tty
from pathlib import Path

from firmware_sim.links.errors import LinkError


class PtyLine:
    """We hold the master, a reader opens the slave by its path.

    Like a UART it does not wait for a reader: what nobody fetches is lost once
    the kernel's buffer of some kilobytes is full. With `patient` it waits until
    there is room or `stop` is set, for runs in which time goes faster than real.
    """

    def __init__(self, stop: threading.Event, patient: bool, symlink: Path | None = None):
        self.stop = stop
        self.patient = patient
        self.symlink = symlink
        self.master = self.slave = -1
        self.rest = b""
        """Of a frame that the buffer took a part of; it goes first, so that no frame is torn."""

    def open(self) -> str:
        """Make the pty and the link to it; the path of the slave.

        Raises:
            LinkError: there is no pty to be had, or something is in the link's place.
        """
        try:
            # The slave stays open here too, or the master would report a hang-up whenever a reader leaves.
            self.master, self.slave = os.openpty()
        except OSError as error:
            raise LinkError(f"no pseudo-terminal to be had: {error.strerror}") from error
        tty.setraw(self.slave)
        os.set_blocking(self.master, False)
        path = os.ttyname(self.slave)
        if self.symlink is not None:
            self._point_to(path)
        return path

    def write(self, data: bytes) -> bool:
        """Send `data`, or say that there was no room for it."""
        self.rest = self._put(self.rest)
        while self.rest and self.patient and not self.stop.is_set():
            select.select([], [self.master], [], 0.1)
            self.rest = self._put(self.rest)
        if self.rest:
            return False
        self.rest = self._put(data)
        if self.rest == data and not self.patient:
            self.rest = b""
            return False
        return True

    def close(self, patience_s: float = 1.0) -> None:
        """Let a reader fetch what is on the line, while it does so within `patience_s`; close, remove the link."""
        if self.symlink is not None and self.symlink.is_symlink():
            self.symlink.unlink()
        if self.master < 0:
            return
        self._drain(patience_s)
        os.close(self.master)
        os.close(self.slave)
        self.master = self.slave = -1

    def _drain(self, patience_s: float) -> None:
        now = fetched_at = empty_since = time.monotonic()
        before = -1
        # Closing throws away what is unread. The kernel hands bytes on in portions, so the count
        # that it gives is 0 now and then although more is to come: 0.2 s of it are the end.
        while now - fetched_at < patience_s and now - empty_since < 0.2:
            self.rest = self._put(self.rest)
            unread = self._unread() + len(self.rest)
            time.sleep(0.005)  # a pty tells nobody that it was read
            now = time.monotonic()
            fetched_at = now if unread != before else fetched_at
            empty_since = now if unread else empty_since
            before = unread

    def _put(self, data: bytes) -> bytes:
        """What the buffer had no room for."""
        try:
            return data[os.write(self.master, data) :] if data else data
        except BlockingIOError:
            return data

    def _unread(self) -> int:
        """Bytes that wait for a reader."""
        return struct.unpack("i", fcntl.ioctl(self.slave, termios.FIONREAD, b"\0" * 4))[0]

    def _point_to(self, path: str) -> None:
        assert self.symlink is not None
        try:
            if self.symlink.is_symlink():  # left over from a run that was killed
                self.symlink.unlink()
            self.symlink.symlink_to(path)
        except OSError as error:
            raise LinkError(f"--symlink {self.symlink}: {error.strerror}") from error
