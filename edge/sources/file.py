"""Readings from a recording or from standard input. No line is lost: the reader waits while the agent is busy."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from edge.readings.options import FileError
from edge.sources.intake import Intake
from edge.sources.lines import Line, PipeText, read_file, read_lines
from edge.sources.settings import FileSource, SourceError, StdinSource
from edge.wire.readings import FrameError, Readings

_LONGEST_WAIT_S = 86400.0
"""A pause longer than this is a nonsense time rather than a pause; the pace starts anew behind it, seconds."""


class LineReader:
    """Reads a file's or stdin's lines in a thread until their end or `stop`."""

    def __init__(self, settings: FileSource | StdinSource, intake: Intake) -> None:
        if isinstance(settings, FileSource) and not settings.path.is_file():
            raise SourceError(f"source {settings.name}: there is no file {settings.path}")
        self._settings, self._intake = settings, intake
        self._stop = threading.Event()
        speed = settings.speed if isinstance(settings, FileSource) else 0.0
        self._pace = Pace(speed, self._stop.wait) if speed > 0 else None
        self._thread = threading.Thread(target=self._run, name=f"source-{settings.name}", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread before the lines' end; one that waits for a line of stdin is left to the process's end."""
        self._stop.set()
        if self._thread.is_alive() and isinstance(self._settings, FileSource):
            self._thread.join(timeout=1.0)

    def probe(self) -> str:
        """The type: whether the file is there was seen when the reader was made."""
        return self._settings.type

    def _run(self) -> None:
        try:
            self._read_all()
        except Exception as error:  # whatever it is, somebody waits for this source's end
            self._intake.finished(error)
        else:
            if not self._stop.is_set():
                self._intake.finished()

    def _read_all(self) -> None:
        span = _Span()
        loop = isinstance(self._settings, FileSource) and self._settings.loop
        while True:
            self._intake.connected()
            self._read(span)
            if self._stop.is_set() or not loop or span.step_s == 0:
                return
            span.restart()

    def _lines(self) -> Iterator[Line | FrameError]:
        settings = self._settings
        unit_s = 0.001 if settings.time_unit == "ms" else 1.0
        if isinstance(settings, FileSource):
            return read_file(settings.path, settings.written_as, settings.format, unit_s)
        # Not sys.stdin: the interpreter closes that one at exit and dies when a thread is reading from it.
        return read_lines(PipeText(0), settings.written_as, settings.format, unit_s)

    def _read(self, span: "_Span") -> None:
        settings, before, error = self._settings, self._intake.frames, None
        try:
            for line in self._lines():
                if self._stop.is_set():
                    return
                if isinstance(line, FrameError):
                    error = line
                    self._intake.bad(line)
                    continue
                board, readings = line
                readings = span.shift(readings)
                if self._pace is not None and readings.time is not None:
                    self._pace.wait_until(readings.time)
                self._intake.take(board or settings.board or settings.name, readings, wait=True)
        except FileError as refused:
            raise SourceError(f"source {settings.name}: {in_toml(str(refused))}") from refused
        if error is not None and self._intake.frames == before:
            raise SourceError(f"source {settings.name}: no line could be read, the last: {error}")


def in_toml(message: str) -> str:
    """A message of the reader of files with its options as keys of agent.toml.

    >>> in_toml("say which: --day-first or --no-day-first, or --time-format '%d'")
    "say which: day_first = true or day_first = false, or time_format = '%d'"
    """
    message = message.replace("--no-day-first", "day_first = false").replace("--day-first", "day_first = true")
    message = re.sub(r"--period( SECONDS)?", "period_s = SECONDS", message)
    return re.sub(r"--([a-z][a-z-]*)(?= |$|,|;)", lambda found: f"{found[1].replace('-', '_')} =", message)


class Pace:
    """Waits so that `speed` seconds of a recording pass in one second.

    `pause` waits for some seconds, or less when there is a reason to stop.
    """

    def __init__(
        self, speed: float, pause: Callable[[float], object], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._speed, self._pause, self._monotonic = speed, pause, monotonic
        self._start: tuple[float, float] | None = None

    def wait_until(self, time_s: float) -> None:
        """Return when the recording has reached `time_s`, Unix seconds of the recording."""
        now = self._monotonic()
        if self._start is None:
            self._start = (time_s, now)
        wait_s = (time_s - self._start[0]) / self._speed - (now - self._start[1])
        if wait_s > _LONGEST_WAIT_S:
            self._start = (time_s, now)
        elif wait_s > 0:
            self._pause(wait_s)


class _Span:
    """The time that a pass through a file took, so that the next pass goes on behind it."""

    def __init__(self) -> None:
        self.step_s = 0.0
        self._offset_s = 0.0
        self._first: float | None = None
        self._last = 0.0

    def shift(self, readings: Readings) -> Readings:
        """The readings with their time moved behind the passes before."""
        if readings.time is None:
            return readings
        if self._first is None:
            self._first = self._last = readings.time
        if readings.time > self._last:
            self.step_s, self._last = readings.time - self._last, readings.time
        return replace(readings, time=readings.time + self._offset_s) if self._offset_s else readings

    def restart(self) -> None:
        """A new pass begins."""
        assert self._first is not None
        self._offset_s += self._last - self._first + self.step_s
        self._first = None
