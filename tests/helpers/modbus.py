"""Real Modbus servers, from pymodbus: over TCP on a free loopback port, and at the far end of a serial line."""

import asyncio
import os
import pty
import select
import socket
import threading
import tty
from collections.abc import Callable, Coroutine
from typing import Any

from pymodbus.client import ModbusTcpClient
from pymodbus.constants import ExcCodes
from pymodbus.framer import FramerType
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

Types = ModbusTcpClient.DATATYPE
"""For `registers_of`."""


def registers_of(value: float, kind: str, word_order: Any = "big") -> list[int]:
    """A value as pymodbus writes it into registers; an oracle for what we read."""
    return ModbusTcpClient.convert_to_registers(value, Types[kind.upper()], word_order=word_order)


class Unit:
    """One device's tables; what is not in `holding` and so on has no address."""

    def __init__(self, number: int, **tables: dict[int, list[int]]) -> None:
        self.number, self.tables = number, tables
        self.asked: list[tuple[int, int, int]] = []
        """Function, address and count of each request."""
        self.answers_with: dict[int, ExcCodes] = {}
        """Exceptions by address; at key -1 for any."""

    def device(self) -> SimDevice:
        """As the server wants it."""
        bits, words = DataType.BITS, DataType.REGISTERS
        kinds = {"coil": bits, "discrete": bits, "holding": words, "input": words}
        blocks = tuple(
            [
                SimData(address, values=[bool(one) for one in values] if kind is bits else values, datatype=kind)
                for address, values in self.tables.get(name, {0: [0]}).items()
            ]
            for name, kind in kinds.items()
        )
        return SimDevice(self.number, simdata=blocks, action=self._noted)  # type: ignore[arg-type]

    async def _noted(
        self, function: int, _start: int, address: int, count: int, _registers: list[int], _values: Any
    ) -> ExcCodes | None:
        self.asked.append((function, address, count))
        return self.answers_with.get(address, self.answers_with.get(-1))


class Server:
    """Runs in a thread of its own until `stop`; a unit that it has not stays silent."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make, self._loop = make, asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._up = threading.Event()
        self._server: Any = None

    def start(self) -> "Server":
        """Begin to serve; returns when it does."""
        self._thread.start()
        assert self._up.wait(10.0), "the Modbus server does not come up"
        return self

    def stop(self) -> None:
        """End it, also its connections."""
        self._do(self._server.shutdown())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10.0)

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10.0)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._up.set()
        self._loop.run_forever()
        self._loop.close()

    async def _serve(self) -> None:
        self._server = self._make()
        await self._server.serve_forever(background=True)


def free_port() -> int:
    """A TCP port that nothing listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def tcp_server(units: list[Unit], port: int, rtu: bool = False) -> Server:
    """Not started; `rtu` is with a serial line's frames."""
    framing = FramerType.RTU if rtu else FramerType.SOCKET
    devices = [unit.device() for unit in units]
    mute = _mute(units, at=0 if rtu else 6)
    return Server(lambda: ModbusTcpServer(devices, address=("127.0.0.1", port), framer=framing, trace_packet=mute))


def serial_server(units: list[Unit], port: str) -> Server:
    """Not started."""
    devices = [unit.device() for unit in units]
    mute = _mute(units, at=0)
    return Server(lambda: ModbusSerialServer(devices, port=port, baudrate=9600, trace_packet=mute))


def _mute(units: list[Unit], at: int) -> Callable[[bool, bytes], bytes]:
    """Takes away what pymodbus answers for units that it has not; byte `at` of a frame is the unit."""
    numbers = {unit.number for unit in units}
    return lambda sending, data: b"" if sending and data[at] not in numbers else data


class Cable:
    """Two pseudo terminals joined: what is written at one end is read at the other."""

    def __init__(self) -> None:
        self._masters, self._slaves = [], []  # type: list[int], list[int]
        self.ends: list[str] = []
        """Their paths."""
        for _ in range(2):
            master, slave = pty.openpty()
            tty.setraw(master)
            tty.setraw(slave)
            self._masters.append(master)
            self._slaves.append(slave)
            self.ends.append(os.ttyname(slave))
        self._ending, self._end = os.pipe()
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Take it away."""
        os.write(self._end, b"x")
        self._thread.join(10.0)
        for each in (*self._masters, *self._slaves, self._ending, self._end):
            os.close(each)

    def _carry(self) -> None:
        here, there = self._masters
        other = {here: there, there: here}
        while True:
            ready, _, _ = select.select([*self._masters, self._ending], [], [])
            if self._ending in ready:
                return
            for each in ready:
                os.write(other[each], os.read(each, 4096))
