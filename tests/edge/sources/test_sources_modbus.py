"""Modbus devices: real pymodbus servers over TCP and at the end of a serial line."""

import contextlib
import math
import socket
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from pymodbus.constants import ExcCodes

from edge.config.structure import ConfigError, structure
from edge.sources.intake import Arrival, Intake
from edge.sources.modbus import ModbusReader
from edge.sources.modbus_link import SilentError
from edge.sources.modbus_settings import ModbusRegister, ModbusSource
from edge.sources.registers import Request, planned, values_in
from edge.sources.settings import NotInstalledError, SourceError, SourceSettings
from tests.helpers.modbus import Cable, Unit, free_port, registers_of, serial_server, tcp_server
from tests.helpers.mosquitto import wait_for

TYPES = {"int16": -1234, "uint16": 65000, "int32": -70000, "uint32": 4_000_000_000, "int64": -(2**40), "uint64": 2**50,
         "float32": 2.5, "float64": 3.141592653589793}  # fmt: skip


@frozen
class _Config:
    source: SourceSettings


class Rig:
    """A source's reader with what arrives of each board."""

    def __init__(self, **keys: Any) -> None:
        self.arrivals: dict[str, list[Arrival]] = defaultdict(list)
        self.intake = Intake("plc", lambda one, _wait: self.arrivals[one.board].append(one), {})
        self.reader = ModbusReader(source(**keys), self.intake)

    def values(self, board: str) -> dict[str, float]:
        return dict(self.arrivals[board][-1].readings.values)

    def arrived(self, board: str, more: int = 1) -> None:
        count = len(self.arrivals[board]) + more
        wait_for(lambda: len(self.arrivals[board]) >= count, f"{more} readings of {board}")


def source(device: list[dict[str, Any]], **keys: Any) -> ModbusSource:
    table = {"name": "plc", "type": "modbus", "period_s": 0.1, "device": device, **keys}
    made = structure({"source": table}, _Config, Path()).source
    assert isinstance(made, ModbusSource)
    return made


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def serving(port) -> Iterator[Any]:
    servers = []

    def serve(*units: Unit, at: int = port) -> None:
        servers.append(tcp_server(list(units), at).start())

    yield serve
    for server in servers:
        server.stop()


def register(name: str, address: int, **keys: Any) -> dict[str, Any]:
    return {"name": name, "address": address, **keys}


@pytest.mark.parametrize("word_order", ["big", "little"])
@pytest.mark.parametrize("kind", TYPES)
def test_each_type_and_word_order_is_read_as_pymodbus_wrote_it(kind, word_order):
    words = registers_of(TYPES[kind], kind, word_order)
    one = ModbusRegister(name="x", address=7, type=kind, word_order=word_order)

    assert dict(values_in(planned([one])[0], words)) == {"x": TYPES[kind]}


def test_bytes_may_be_swapped_in_each_register():
    swapped = [int.from_bytes(word.to_bytes(2, "big"), "little") for word in registers_of(2.5, "float32")]
    one = ModbusRegister(name="x", address=0, type="float32", byte_order="little")

    assert dict(values_in(planned([one])[0], swapped)) == {"x": 2.5}


@pytest.mark.parametrize(
    ("kind", "words", "missing"),
    [
        ("float32", registers_of(math.nan, "float32"), []),
        ("float32", registers_of(math.inf, "float32"), []),
        ("float32", registers_of(-999.9, "float32"), [-999.9]),
        ("int16", [0x8000], [-32768.0]),
        ("uint32", [0xFFFF, 0xFFFF], [4294967295.0]),
    ],
)
def test_what_means_no_value_is_none_before_scale_and_offset(kind, words, missing):
    one = ModbusRegister(name="x", address=0, type=kind, missing=missing, scale=0.1, offset=5.0)

    assert math.isnan(dict(values_in(planned([one])[0], words))["x"])


def test_adjoining_registers_are_one_request_up_to_what_a_device_answers():
    registers = [ModbusRegister(name=str(n), address=n) for n in range(200)]
    coils = [ModbusRegister(name=f"c{n}", address=n, kind="coil") for n in (0, 9)]

    assert [one.count for one in planned(registers)] == [125, 75]
    assert [one.count for one in planned(registers, max_registers=90)] == [90, 90, 20]
    assert [(one.kind, one.address, one.count) for one in planned([*coils, *registers[:2]], join_gap=8)] == [
        ("coil", 0, 10),
        ("holding", 0, 2),
    ]
    wide = [ModbusRegister(name=str(n), address=n, type="float32") for n in (0, 2, 4)]
    assert [(one.address, one.count) for one in planned(wide, max_registers=5)] == [(0, 4), (4, 2)]


def test_values_of_all_tables_arrive_scaled_and_in_as_few_requests_as_can_be(serving, port):
    unit = Unit(3, holding={10: [215, *registers_of(2.5, "float32"), 0b100]}, input={0: [65535]}, coil={4: [1, 0]},
                discrete={2: [1]})  # fmt: skip
    serving(unit)
    registers = [
        register("flow", 11, type="float32"),
        register("temperature", 10, scale=0.1, offset=-1.0),
        register("valve", 13, type="bit", bit=2),
        register("raw", 0, kind="input", type="int16"),
        register("pump", 4, kind="coil"),
        register("door", 2, kind="discrete"),
    ]
    rig = Rig(host="127.0.0.1", port=port, device=[{"board": "plc1", "unit_id": 3, "register": registers}])
    rig.reader.start()
    rig.arrived("plc1", 3)
    rig.reader.stop()

    assert rig.values("plc1") == pytest.approx(
        {"temperature": 20.5, "flow": 2.5, "valve": 1.0, "raw": -1.0, "pump": 1.0, "door": 1.0}
    )
    assert {(function, address, count) for function, address, count in unit.asked} == {
        (1, 4, 1), (2, 2, 1), (3, 10, 4), (4, 0, 1)
    }  # fmt: skip
    assert rig.intake.up


def test_a_register_that_is_none_is_named_and_the_others_are_read(serving, port):
    serving(Unit(1, holding={0: [5, 6]}))
    registers = [register("a", 0), register("b", 1), register("c", 2)]
    rig = Rig(host="127.0.0.1", port=port, device=[{"board": "plc1", "register": registers}])
    rig.reader.start()
    rig.arrived("plc1", 3)
    rig.reader.stop()

    assert rig.values("plc1") == {"a": 5.0, "b": 6.0}
    boards = rig.intake.health()["boards"]
    assert boards == {"plc1": "c (holding 2): exception 2, illegal data address"}
    assert rig.intake.health()["up"]


def test_a_manuals_address_is_hinted_at(serving, port):
    serving(Unit(1, holding={0: [5]}))
    rig = Rig(host="127.0.0.1", port=port, device=[{"board": "plc1", "register": [register("a", 40001)]}])

    with pytest.raises(SourceError, match="a manual's 40001 may be address 0"):
        rig.reader.probe()


@pytest.mark.parametrize(("code", "meaning"), [(ExcCodes.DEVICE_BUSY, "exception 6, device busy"),
                                               (ExcCodes.GATEWAY_NO_RESPONSE, "exception 11")])  # fmt: skip
def test_a_devices_exception_is_named_and_over_when_it_answers(serving, port, code, meaning):
    unit = Unit(1, holding={0: [5]})
    unit.answers_with[-1] = code
    serving(unit)
    rig = Rig(host="127.0.0.1", port=port, device=[{"board": "plc1", "register": [register("a", 0)]}])
    rig.reader.start()
    wait_for(lambda: meaning in rig.intake.troubles.get("plc1", ""), "the trouble")
    assert meaning in rig.intake.down_reason
    unit.answers_with.clear()
    rig.arrived("plc1")
    rig.reader.stop()

    assert rig.intake.troubles == {}


def test_those_that_answer_are_asked_first_and_one_that_does_not_in_what_is_left_of_the_period():
    devices = [{"board": f"silent{n}", "unit_id": n} for n in (8, 9)] + [{"board": "good"}]
    rig = Rig(host="127.0.0.1", period_s=1.0, device=devices, register=[register("a", 0)])
    (line,) = rig.reader._lines
    asked: list[tuple[int, float]] = []

    def read(unit_id: int, _request: Request, timeout_s: float) -> list[int]:
        asked.append((unit_id, timeout_s))
        if unit_id == 1:
            return [5]
        raise SilentError(f"no answer of unit {unit_id}")

    line.link.read = read  # type: ignore[method-assign]
    line.round(1.0)
    assert asked == [(8, 0.5), (9, 0.5), (1, 0.5)]

    asked.clear()
    line.round(1.0)
    assert asked == [(1, 0.5)]

    asked.clear()
    for one in line.asked[:2]:
        one.retry_at = 0.0
    line.round(0.3)
    assert [unit for unit, _ in asked] == [1, 8]
    assert asked[1][1] < 0.3
    waits = [one.backoff.next_s() for one in line.asked[:2]]
    assert waits == [8.0, 4.0]
    assert rig.intake.up


def test_a_silent_device_does_not_keep_the_others_from_being_read(serving, port):
    serving(Unit(1, holding={0: [5]}))
    devices = [{"board": "silent", "unit_id": 9}, {"board": "good", "unit_id": 1}]
    rig = Rig(host="127.0.0.1", port=port, device=devices, register=[register("a", 0)])
    rig.reader.start()
    rig.arrived("good", 10)
    rig.reader.stop()

    assert "no answer of unit 9" in rig.intake.troubles["silent"]
    assert not rig.arrivals["silent"]


def test_a_host_that_is_not_there_does_not_hold_up_another_and_is_found_when_it_is(serving, port):
    absent = free_port()
    devices = [
        {"board": "absent", "port": absent},
        {"board": "second", "unit_id": 2, "port": absent},
        {"board": "good"},
    ]
    serving(Unit(1, holding={0: [5]}))
    rig = Rig(host="127.0.0.1", port=port, device=devices, register=[register("a", 0)])
    rig.reader.start()
    rig.arrived("good", 5)
    assert "no connection to 127.0.0.1" in rig.intake.troubles["absent"]
    assert "no connection to 127.0.0.1" in rig.intake.troubles["second"]
    serving(Unit(1, holding={0: [7]}), Unit(2, holding={0: [8]}), at=absent)
    rig.arrived("absent")
    rig.arrived("second")
    rig.reader.stop()

    assert (rig.values("absent"), rig.values("second")) == ({"a": 7.0}, {"a": 8.0})
    assert rig.intake.troubles == {}


def test_a_server_that_goes_and_comes_back_is_read_again(port):
    rig = Rig(host="127.0.0.1", port=port, device=[{"board": "plc1"}], register=[register("a", 0)])
    first = tcp_server([Unit(1, holding={0: [5]})], port).start()
    rig.reader.start()
    rig.arrived("plc1")
    first.stop()
    wait_for(lambda: not rig.intake.up, "the loss")
    second = tcp_server([Unit(1, holding={0: [6]})], port).start()
    wait_for(lambda: rig.values("plc1") == {"a": 6.0}, "the new value")
    rig.reader.stop()
    second.stop()


def answered(request: bytes, words: list[int]) -> bytes:
    """The answer over TCP to a request for registers."""
    body = bytes([request[6], request[7], 2 * len(words)]) + b"".join(word.to_bytes(2, "big") for word in words)
    return request[:4] + len(body).to_bytes(2, "big") + body


STRANGE: dict[str, Callable[[bytes], bytes]] = {
    "nothing that is Modbus": lambda _request: b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "another unit's": lambda request: (good := answered(request, [9]))[:6] + b"\x07" + good[7:],
    "that to another request": lambda request: b"\xff\xff" + answered(request, [9])[2:],
    "too few registers": lambda request: answered(request, []),
    "half of it": lambda request: answered(request, [9])[:-1],
    "another function": lambda request: (good := answered(request, [9]))[:7] + b"\x63" + good[8:],
    "an exception code that is none": lambda request: request[:4] + bytes([0, 3, request[6], request[7] | 0x80, 99]),
}


@pytest.fixture
def strange() -> Iterator[Any]:
    """A server that answers as it is told to, one request a connection."""
    listening = socket.create_server(("127.0.0.1", 0))
    answers: list[Callable[[bytes], bytes]] = []

    def serve() -> None:
        while True:
            try:
                one, _ = listening.accept()
            except OSError:
                return
            with one, contextlib.suppress(OSError):
                if request := one.recv(256):
                    one.sendall(answers[0](request))
                    one.settimeout(0.3)
                    one.recv(1)  # until the other end has read it

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listening.getsockname()[1], answers
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join(5.0)


@pytest.mark.parametrize("kind", STRANGE)
def test_a_strange_answer_is_no_value_and_the_next_good_one_is_read(strange, kind):
    port, answers = strange
    answers[:] = [STRANGE[kind]]
    rig = Rig(host="127.0.0.1", port=port, device=[{"board": "plc1"}], register=[register("a", 0)])
    rig.reader.start()
    wait_for(lambda: "plc1" in rig.intake.troubles, "the trouble")
    assert not rig.arrivals["plc1"]
    answers[:] = [lambda request: answered(request, [5])]
    rig.arrived("plc1", 2)  # each over a connection of its own, since the server ends it
    rig.reader.stop()

    assert {one.readings.values["a"] for one in rig.arrivals["plc1"]} == {5.0}


def test_frames_of_a_serial_line_are_read_over_tcp(port):
    server = tcp_server([Unit(1, holding={0: registers_of(2.5, "float32")})], port, rtu=True).start()
    rig = Rig(host="127.0.0.1", port=port, framing="rtu", device=[{"board": "a"}], register=[
        register("a", 0, type="float32")
    ])  # fmt: skip
    rig.reader.start()
    rig.arrived("a", 2)
    rig.reader.stop()
    server.stop()

    assert rig.values("a") == {"a": 2.5}


@pytest.fixture
def cable() -> Iterator[Cable]:
    cable = Cable()
    yield cable
    cable.close()


def test_two_units_on_a_serial_line_are_read(cable):
    units = [Unit(1, holding={0: registers_of(2.5, "float32")}), Unit(2, holding={0: registers_of(-1.5, "float32")})]
    server = serial_server(units, cable.ends[0]).start()
    devices = [{"board": "one"}, {"board": "two", "unit_id": 2}, {"board": "silent", "unit_id": 3}]
    rig = Rig(serial=cable.ends[1], period_s=0.5, device=devices, register=[register("a", 0, type="float32")])
    rig.reader.start()
    rig.arrived("one", 3)
    rig.arrived("two", 3)
    rig.reader.stop()
    server.stop()

    assert (rig.values("one"), rig.values("two")) == ({"a": 2.5}, {"a": -1.5})
    assert "no answer of unit 3" in rig.intake.troubles["silent"]


def test_a_serial_port_that_is_not_there_is_named():
    rig = Rig(serial="/dev/none", device=[{"board": "one"}], register=[register("a", 0)])

    with pytest.raises(SourceError, match="/dev/none"):
        rig.reader.probe()


def test_check_prints_values_with_units(serving, port):
    serving(Unit(1, holding={0: [215]}))
    registers = [register("temperature", 0, scale=0.1, unit="°C")]
    rig = Rig(host="127.0.0.1", port=port, device=[{"board": "plc1", "register": registers}])

    assert rig.reader.probe() == f"plc1 at 127.0.0.1:{port}, 1 request: temperature 21.5 °C"


@pytest.mark.parametrize("absent", ["pymodbus.client", "serial"])
def test_a_missing_extra_says_what_to_install(monkeypatch, absent):
    monkeypatch.setitem(sys.modules, absent, None)

    with pytest.raises(NotInstalledError, match=r"pip install 'offbeat\[modbus\]'"):
        Rig(serial="/dev/none", device=[{"board": "one"}], register=[register("a", 0)])


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ({"device": []}, "at least one"),
        ({"device": [{"board": "a"}], "host": "x"}, "no .*register"),
        ({"device": [{"board": "a", "register": [{"name": "x", "address": 0}]}]}, "wanted host, for TCP, or serial"),
        ({"device": [{"board": "a", "register": [{"name": "x", "address": 65535, "type": "int32"}]}], "host": "x"},
         "beyond 65535"),
        ({"device": [{"board": "a", "register": [{"name": "x", "address": 0, "kind": "coil", "type": "int16"}]}],
          "host": "x"}, "table of bits"),
        ({"device": [{"board": "a", "register": [{"name": "x", "address": 0}, {"name": "x", "address": 1}]}],
          "host": "x"}, "'x' is used twice"),
        ({"device": [{"board": "a"}, {"board": "a"}], "host": "x", "register": [{"name": "x", "address": 0}]},
         "'a' is used twice"),
        ({"device": [{"board": "a", "unit": 1}], "host": "x"}, "did you mean 'unit_id'"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_are_refused_with_what_is_wanted(keys, found):
    with pytest.raises(ConfigError, match=found):
        source(**keys)
