"""Readings over a serial line: frames of `edge.wire.frame`, from pyserial (an extra)."""

import errno
import importlib
import logging
import os
import threading
from typing import Any

from edge.sources.intake import Intake
from edge.sources.linebuffer import LineBuffer
from edge.sources.settings import NotInstalledError, SerialSource, SourceError
from edge.wire.backoff import Backoff
from edge.wire.frame import MAX_FRAME_BYTES, decode_frame
from edge.wire.readings import FrameError

log = logging.getLogger(__name__)

_READ_TIMEOUT_S = 0.25
"""How long a read waits; bounds how long `stop` takes."""


def load_pyserial() -> Any:
    """The `serial` module.

    Raises:
        SourceError: it is not installed.
    """
    try:
        return importlib.import_module("serial")
    except ImportError as error:
        raise NotInstalledError("a serial source needs pyserial: pip install 'offbeat[serial]'") from error


class SerialReader:
    """Reads frames from a port in a thread; a port that is absent or unplugged is tried again."""

    def __init__(self, settings: SerialSource, intake: Intake) -> None:
        self._settings, self._intake = settings, intake
        self._pyserial = load_pyserial()
        self._stop = threading.Event()
        self._backoff = Backoff()
        self._thread = threading.Thread(target=self._run, name=f"source-{settings.name}", daemon=True)

    def start(self) -> None:
        """Begin to read; returns at once, whether or not the port is there."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread and close the port."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=4 * _READ_TIMEOUT_S)

    def probe(self) -> str:
        """The port, where this user may open it.

        Raises:
            SourceError: it is not there, or this user may not.
        """
        port = self._settings.port
        if not os.path.exists(port):
            raise SourceError(f"{port} is not there; plug it in: ls -l /dev/serial/by-id shows those that are")
        if not os.access(port, os.R_OK | os.W_OK):
            raise SourceError(f"this user may not open {port}: put it into the group of ls -l {port}, mostly dialout")
        return port

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with self._open() as port:
                    self._intake.connected()
                    self._read(port)
            except Exception as error:  # an unplugged port raises more than SerialException, such as termios.error
                self._intake.lost(error)
                log.debug("where it was lost", exc_info=True)
                self._stop.wait(self._backoff.next_s())

    def _open(self) -> Any:
        settings = self._settings
        try:
            return self._pyserial.Serial(settings.port, settings.baud, timeout=_READ_TIMEOUT_S, exclusive=True)
        except self._pyserial.SerialException as error:
            if error.errno not in (errno.EAGAIN, errno.EBUSY):
                raise
            port = settings.port
            raise SourceError(f"another program has {port}: fuser -v {port} shows which; end it") from error

    def _read(self, port: Any) -> None:
        lines = LineBuffer(MAX_FRAME_BYTES, start=b"$")
        overlong = 0
        while not self._stop.is_set():
            for line in lines.feed(port.read(max(1, port.in_waiting))):
                self._backoff.reset()
                self._frame(line)
            if lines.overlong > overlong:
                overlong = lines.overlong
                self._intake.bad(f"a line without an end within {MAX_FRAME_BYTES} bytes; is baud = right?")

    def _frame(self, line: bytes) -> None:
        try:
            board, readings = decode_frame(line)
        except FrameError as error:
            self._intake.bad(error)
        else:
            self._intake.take(board, readings)
