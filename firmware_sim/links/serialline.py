"""Serial: one frame a line, on a pseudo-terminal made for it or on a real device."""

import os
import select
import threading
import tty
from pathlib import Path
from typing import Protocol

from edge.wire.frame import encode_frame
from edge.wire.readings import Readings
from firmware_sim.links.errors import LinkError


class Line(Protocol):
    """Where bytes go."""

    def open(self) -> str:
        """Make it ready; what to call it."""

    def write(self, data: bytes) -> bool:
        """Send all of `data`, or say that the line took none of it."""

    def close(self) -> None:
        """Give it back."""


class SerialLink:
    """Writes frames of all boards to one line."""

    def __init__(self, line: Line):
        self.line = line
        self.lost = 0

    def open(self) -> None:
        """Open the line and print its path, alone on a line of stdout."""
        print(self.line.open(), flush=True)

    def send(self, board: str, readings: Readings) -> None:
        """Write one frame; a line that takes nothing loses it."""
        if not self.line.write(encode_frame(board, readings)):
            self.lost += 1

    def close(self) -> None:
        """Close the line."""
        self.line.close()


class PtyLine:
    """A pseudo-terminal: we hold the master, a reader opens the slave by its path.

    Like a UART it does not wait for a reader: what nobody fetches is lost once
    the kernel's buffer of some kilobytes is full. With `patient` it waits until
    there is room or `stop` is set, for runs that go as fast as the reader can.
    """

    def __init__(self, stop: threading.Event, patient: bool, symlink: Path | None = None):
        self.stop = stop
        self.patient = patient
        self.symlink = symlink
        self.master = self.slave = -1

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
        """Send `data`; a frame once begun is finished, so that a slow reader never sees half of one."""
        begun = False
        while data and not self.stop.is_set():
            try:
                data = data[os.write(self.master, data) :]
                begun = True
            except BlockingIOError:
                if not (begun or self.patient):
                    return False
                select.select([], [self.master], [], 0.1)
        return not data

    def close(self) -> None:
        """Let the reader fetch what is on the line for a moment, then close it and remove the link."""
        if self.symlink is not None and self.symlink.is_symlink():
            self.symlink.unlink()
        for end in (self.master, self.slave):
            if end >= 0:
                os.close(end)
        self.master = self.slave = -1

    def _point_to(self, path: str) -> None:
        assert self.symlink is not None
        try:
            if self.symlink.is_symlink():  # left over from a run that was killed
                self.symlink.unlink()
            self.symlink.symlink_to(path)
        except OSError as error:
            raise LinkError(f"--symlink {self.symlink}: {error.strerror}") from error


class DeviceLine:
    """A serial device of the machine, through pyserial."""

    def __init__(self, path: str, baud: int):
        self.path = path
        self.baud = baud

    def open(self) -> str:
        """Open the device; its path.

        Raises:
            LinkError: pyserial is missing, or the device cannot be opened.
        """
        try:
            import serial
        except ImportError as error:
            raise LinkError("a serial device needs pyserial; pip install 'offbeat[serial]'") from error
        try:
            self.port = serial.Serial(self.path, self.baud, write_timeout=2.0)
        except (OSError, ValueError) as error:
            raise LinkError(f"serial device {self.path}: {error}") from error
        return self.path

    def write(self, data: bytes) -> bool:
        """Send `data`; false when the device took none for two seconds."""
        import serial

        try:
            return self.port.write(data) == len(data)
        except serial.SerialTimeoutException:
            return False
        except serial.SerialException as error:
            raise LinkError(f"serial device {self.path} is gone: {error}") from error

    def close(self) -> None:
        """Send what is buffered and close."""
        if hasattr(self, "port"):
            self.port.close()
