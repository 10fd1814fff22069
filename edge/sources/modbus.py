"""Readings from Modbus devices, asked once a period; one that is silent is asked ever more rarely."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from edge.sources.intake import Intake
from edge.sources.modbus_link import BUSY, OF_REGISTERS, Link, LinkError, ModbusError, RefusedError, SilentError
from edge.sources.modbus_settings import ModbusDevice, ModbusSource
from edge.sources.polling import Schedule
from edge.sources.registers import Request, planned, values_in
from edge.sources.settings import SourceError
from edge.wire.backoff import Backoff
from edge.wire.readings import Readings
from edge.wire.worker import Worker

_LONGEST_RETRY_S = 60.0
"""Of a device that does not answer: each attempt costs the others on its link a while."""
_LONGEST_UNREACHED_S = 10.0
"""Of a link that cannot be made."""
_LEAST_TIMEOUT_S = 0.05


@dataclass
class _Asked:
    """A device and what is known of it."""

    device: ModbusDevice
    requests: list[Request]
    backoff: Backoff
    retry_at: float | None = None
    """When one that is silent is asked again, monotonic; None of one that answers."""
    unreached: bool = False
    """Whether it is silent because the link is down."""
    troubles: list[str] = field(default_factory=list)
    """Of the last read."""
    _left_out: dict[tuple[str, int], float] = field(default_factory=dict)  # not answered though others are: until when

    def read(self, link: Link, timeout_s: float) -> Readings:
        """All that the device gives.

        Raises:
            SilentError, LinkError, ModbusError: it gives nothing.
        """
        self.troubles = []
        values: dict[str, float] = {}
        for request in list(self.requests):
            if self._left_out.get((request.kind, request.address), 0.0) > time.monotonic():
                self.troubles.append(f"{request}: no answer")
                continue
            try:
                values.update(self._answered(link, request, timeout_s))
                self._left_out.pop((request.kind, request.address), None)
            except RefusedError as error:
                if error.code not in OF_REGISTERS:
                    raise
                self.troubles.append(str(error))
            except SilentError:
                self._leave_out(request, bool(values))
                if not values:
                    raise
        if not values:
            raise ModbusError("; ".join(self.troubles[:3]))
        good = {name: value for name, value in values.items() if value == value}
        return Readings(good, rejected=tuple(name for name in values if name not in good))

    def _leave_out(self, request: Request, others_answer: bool) -> None:
        """Ask the others first the next time; where they do answer, this one only once in a while."""
        self.requests.remove(request)
        self.requests.append(request)
        if others_answer:
            self._left_out[request.kind, request.address] = time.monotonic() + _LONGEST_RETRY_S
            self.troubles.append(f"{request}: no answer")

    def _answered(self, link: Link, request: Request, timeout_s: float) -> dict[str, float]:
        unit_id = self.device.unit_id
        try:
            return dict(values_in(request, link.read(unit_id, request, timeout_s)))
        except RefusedError as error:
            if error.code not in OF_REGISTERS or len(request.registers) == 1:
                raise
        # Some devices do not answer for two of their blocks at once, or one register is none: each alone from now on.
        at = self.requests.index(request)
        self.requests[at : at + 1] = request.alone()
        values: dict[str, float] = {}
        for one in request.alone():
            try:
                values.update(values_in(one, link.read(unit_id, one, timeout_s)))
            except RefusedError as error:
                self.troubles.append(str(error))
        return values


class Line:
    """The devices at the end of one link, asked in a thread of their own."""

    def __init__(self, settings: ModbusSource, where: tuple[str, int], reader: "ModbusReader") -> None:
        self._settings, self._reader = settings, reader
        self.link = Link(settings, where)
        self.asked = [
            _Asked(device, _requests(settings, device), _backoff(settings))
            for device in settings.device
            if settings.address_of(device) == where
        ]
        self._schedule = Schedule(settings.period_s)
        self.worker = Worker(f"source {settings.name} {self.link.name}", self._run, reader.failed, reader.leaving)

    def _run(self) -> None:
        try:
            while not self._reader.leaving.is_set():
                self.round(self._settings.period_s)
                self._reader.leaving.wait(self._schedule.wait_s(time.time()))
        finally:
            self.link.close()

    def round(self, until_next_s: float) -> None:
        """Ask all that answer, then one of those that did not, in what is left of the period."""
        began = time.monotonic()
        for one in [one for one in self.asked if one.retry_at is None]:
            if not self._reader.leaving.is_set():
                self._ask(one, self._settings.answer_s)
        due = [one for one in self.asked if one.retry_at is not None and one.retry_at <= time.monotonic()]
        if due and not self._reader.leaving.is_set():
            left_s = 0.9 * until_next_s - (time.monotonic() - began)
            one = min(due, key=lambda one: one.retry_at or 0.0)
            self._ask(one, max(_LEAST_TIMEOUT_S, min(self._settings.answer_s, left_s)))

    def _ask(self, one: _Asked, timeout_s: float) -> None:
        try:
            readings = one.read(self.link, timeout_s)
        except ModbusError as error:
            self._unanswered(one, error)
            return
        if one.unreached:  # the link is back, and so may be the others
            for other in self.asked:
                if other.unreached:
                    other.retry_at, other.unreached = None, False
        one.retry_at = None
        one.backoff.reset()
        self._reader.heard(one.device.board, readings, one.troubles)

    def _unanswered(self, one: _Asked, error: ModbusError) -> None:
        if isinstance(error, RefusedError) and error.code in BUSY:
            self._reader.silent(one.device.board, error)
            return
        wait_s = one.backoff.next_s()
        if not isinstance(error, LinkError):
            one.retry_at, one.unreached = time.monotonic() + wait_s, False
            self._reader.silent(one.device.board, error)
            return
        retry_at = time.monotonic() + min(wait_s, _LONGEST_UNREACHED_S)
        for other in self.asked:  # none of them is reached
            if other is one or other.retry_at is None:
                other.retry_at, other.unreached = retry_at, True
                self._reader.silent(other.device.board, error)


class ModbusReader:
    """Asks all devices, those of each link in one thread; a link that hangs does not delay the others."""

    def __init__(self, settings: ModbusSource, intake: Intake) -> None:
        """
        Raises:
            NotInstalledError: pymodbus is missing.
        """
        self._settings, self._intake = settings, intake
        self.leaving = threading.Event()
        self._lock = threading.Lock()
        self._silent: dict[str, str] = {}
        where = dict.fromkeys(settings.address_of(device) for device in settings.device)
        self._lines = [Line(settings, each, self) for each in where]

    def start(self) -> None:
        """Begin to ask; returns at once, whether or not anyone is there."""
        for line in self._lines:
            line.worker.start()

    def stop(self) -> None:
        """End the threads."""
        self.leaving.set()
        for line in self._lines:
            line.worker.join(2 * self._settings.answer_s)

    def probe(self) -> str:
        """Ask each device once; what they answer.

        Raises:
            SourceError: one does not.
        """
        found = []
        for line in self._lines:
            try:
                found += [self._probed(line, one) for one in line.asked]
            finally:
                line.link.close()
        return "; ".join(found)

    def heard(self, board: str, readings: Readings, troubles: Sequence[str]) -> None:
        """A device answered; in a line's thread."""
        with self._lock:
            self._silent.pop(board, None)
            self._intake.connected()
            self._intake.board(board, "; ".join(troubles[:3]) or None)
            self._intake.take(board, readings)

    def silent(self, board: str, error: ModbusError) -> None:
        """A device did not; in a line's thread."""
        with self._lock:
            self._silent[board] = str(error)
            self._intake.board(board, str(error))
            if not isinstance(error, SilentError | LinkError):
                self._intake.bad(f"board {board}: {error}")
            if len(self._silent) == len(self._settings.device):
                more = f", nor does any other of {len(self._silent)} devices" if len(self._silent) > 1 else ""
                self._intake.lost(f"{error}{more}")

    def failed(self, error: BaseException) -> None:
        """A thread failed and is started again."""
        with self._lock:
            self._intake.lost(error)

    def _probed(self, line: Line, one: _Asked) -> str:
        board = one.device.board
        try:
            readings = one.read(line.link, self._settings.answer_s)
        except ModbusError as error:
            raise SourceError(f"board {board}: {error}") from error
        if one.troubles:
            raise SourceError(f"board {board}: {one.troubles[0]}")
        units = {register.name: register.unit for register in self._settings.registers_of(one.device)}
        said = [f"{name} {value:g}{units[name] and ' ' + units[name]}" for name, value in readings.values.items()]
        said += [f"{name} none" for name in readings.rejected]
        requests = f"{len(one.requests)} request{'s' if len(one.requests) > 1 else ''}"
        return f"{board} at {line.link.name}, {requests}: {', '.join(said)}"


def _requests(settings: ModbusSource, device: ModbusDevice) -> list[Request]:
    return planned(settings.registers_of(device), settings.max_registers, settings.join_gap)


def _backoff(settings: ModbusSource) -> Backoff:
    first_s = min(2 * settings.period_s, _LONGEST_RETRY_S)
    return Backoff(first_s, max(first_s, _LONGEST_RETRY_S))
