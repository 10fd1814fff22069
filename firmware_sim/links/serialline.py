"""Serial: one frame a line, on a pseudo-terminal made for it or on a real device."""

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
