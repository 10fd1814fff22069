"""One connection over which Modbus devices are asked: a host's TCP port, or a serial line. From pymodbus (an extra)."""

import importlib
import logging
import socket
from types import ModuleType
from typing import Any

from edge.sources.modbus_settings import ModbusSource
from edge.sources.registers import Request
from edge.sources.settings import NotInstalledError

_READS = {
    "holding": "read_holding_registers",
    "input": "read_input_registers",
    "coil": "read_coils",
    "discrete": "read_discrete_inputs",
}
EXCEPTIONS = {
    1: "illegal function: it has no such table",
    2: "illegal data address",
    3: "illegal data value: fewer max_registers may help",
    4: "device failure",
    5: "acknowledge: it will take longer",
    6: "device busy",
    7: "negative acknowledge",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "the gateway's target device does not answer",
}
"""Meaning of the exception codes of the Modbus application protocol, version 1.1b3, section 7."""
OF_REGISTERS = frozenset({1, 2, 3, 4})
"""Codes that say something of the registers that were asked for; the others, of the device."""
BUSY = frozenset({5, 6})
"""Codes after which to ask again soon."""
_AS_IN_MANUALS = 10_001


class ModbusError(Exception):
    """A device did not give what it was asked for."""


class RefusedError(ModbusError):
    """It answered with an exception code."""

    def __init__(self, code: int, request: Request) -> None:
        meaning = EXCEPTIONS.get(code, "unknown")
        hint = ""
        if code == 2 and request.address >= _AS_IN_MANUALS:
            hint = f"; a manual's {request.address} may be address {request.address % 10_000 - 1}"
        super().__init__(f"{request}: exception {code}, {meaning}{hint}")
        self.code = code


class SilentError(ModbusError):
    """It did not answer in time."""


class LinkError(ModbusError):
    """The connection cannot be made, or ended."""


def load_pymodbus() -> ModuleType:
    """The module with the clients.

    Raises:
        NotInstalledError: it is not installed.
    """
    try:
        module = importlib.import_module("pymodbus.client")
    except ImportError as error:
        raise NotInstalledError("a modbus source needs pymodbus: pip install 'offbeat[modbus]'") from error
    # It logs each attempt as an error; what is wrong is logged by the source, once.
    logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)
    return module


class Link:
    """Asks one device after another; used by one thread. `where` is host and TCP port, or serial port and 0."""

    def __init__(self, settings: ModbusSource, where: tuple[str, int]) -> None:
        """Nothing is connected yet.

        Raises:
            NotInstalledError: pymodbus, or for a line pyserial, is missing.
        """
        self._settings, self._where = settings, where
        pymodbus = load_pymodbus()
        name, port = where
        if settings.serial is None:
            framings = importlib.import_module("pymodbus.framer").FramerType
            framing = framings.RTU if settings.framing == "rtu" else framings.SOCKET
            self._client: Any = pymodbus.ModbusTcpClient(name, port=port, framer=framing, retries=0)
        else:
            self._pyserial = _pyserial()
            self._client = pymodbus.ModbusSerialClient(name, retries=0, **self._line)

    @property
    def name(self) -> str:
        """Of where it leads to."""
        name, port = self._where
        return f"{name}:{port}" if port else name

    def read(self, unit_id: int, request: Request, timeout_s: float) -> list[int]:
        """The contents of the registers, 0 to 65535, or bits, 0 or 1, that a request asks for.

        Raises:
            RefusedError, SilentError, LinkError: as they say.
        """
        fresh = self._connected(timeout_s)
        try:
            return self._asked(unit_id, request, timeout_s)
        except LinkError:
            if fresh:
                raise
        # Many devices end a connection over which nothing came for a while.
        self._connected(timeout_s)
        return self._asked(unit_id, request, timeout_s)

    def close(self) -> None:
        """End the connection; the next read makes it anew."""
        self._client.close()

    @property
    def _line(self) -> dict[str, Any]:
        settings = self._settings
        return {"baudrate": settings.baud, "parity": settings.parity, "stopbits": settings.stop_bits}

    def _connected(self, timeout_s: float) -> bool:
        """Make the connection where there is none, here rather than by the client, which keeps the reason to itself;
        whether it is a new one."""
        if self._client.connected:
            return False
        try:
            if self._settings.serial is None:
                self._client.socket = socket.create_connection(self._where, timeout_s)
            else:
                self._client.socket = self._pyserial.Serial(
                    self._where[0], timeout=timeout_s, write_timeout=timeout_s, exclusive=True, **self._line
                )
        except Exception as error:  # pyserial raises more than its own, such as termios.error
            raise LinkError(f"no connection to {self.name}: {error}") from error
        return True

    def _asked(self, unit_id: int, request: Request, timeout_s: float) -> list[int]:
        from pymodbus.exceptions import ConnectionException, ModbusException

        self._client.comm_params.timeout_connect = timeout_s
        try:
            answer = getattr(self._client, _READS[request.kind])(
                request.address, count=request.count, device_id=unit_id
            )
        except (ConnectionException, OSError) as error:
            self.close()
            raise LinkError(f"the connection to {self.name} ended: {error}") from error
        except ModbusException as error:
            if self._settings.serial is None:
                self.close()  # an answer that is late must not be taken for that to the next request
            raise SilentError(f"no answer of unit {unit_id} at {self.name} within {timeout_s:g} s") from error
        except Exception as error:  # an answer that pymodbus does not get through
            self.close()
            raise ModbusError(f"{request}: an answer that cannot be read: {error!r}") from error
        if answer.isError():
            raise RefusedError(int(getattr(answer, "exception_code", 0)), request)
        found = [int(bit) for bit in answer.bits] if request.kind in ("coil", "discrete") else list(answer.registers)
        if len(found) < request.count:
            raise ModbusError(f"{request}: asked for {request.count} values, the answer has {len(found)}")
        return found[: request.count]


def _pyserial() -> ModuleType:
    try:
        return importlib.import_module("serial")
    except ImportError as error:
        raise NotInstalledError("Modbus on a serial line needs pyserial: pip install 'offbeat[modbus]'") from error
