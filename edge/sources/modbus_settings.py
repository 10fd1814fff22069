"""`[[source]] type = "modbus"` in agent.toml: devices and their registers."""

from collections.abc import Mapping
from typing import Any, Literal

from attrs import field, frozen
from attrs.validators import ge, le, optional

from edge.sources.checks import is_id, is_positive, not_negative
from edge.sources.intake import Intake
from edge.sources.settings import Reader, SourceSettings, Surroundings

Kind = Literal["holding", "input", "coil", "discrete"]
RegisterType = Literal["int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64", "bit"]
Order = Literal["big", "little"]
WORDS: Mapping[str, int] = {
    "int16": 1, "uint16": 1, "int32": 2, "uint32": 2, "int64": 4, "uint64": 4, "float32": 2, "float64": 4, "bit": 1,
}  # fmt: skip
"""Registers of 16 bits that a value of each type takes."""
_MOST_ADDRESS = 65535


def _between(least: int, most: int) -> Any:
    return [ge(least), le(most)]


@frozen(kw_only=True)
class ModbusRegister:
    """A value of a device."""

    name: str
    """The channel."""
    address: int = field(validator=_between(0, _MOST_ADDRESS))
    """As it is on the wire, from 0. Manuals that count holding registers from 40001 and input registers from 30001
    mean 0 by these."""
    kind: Kind = "holding"
    """Which of a device's four tables."""
    type: RegisterType | None = None
    """How the value is written; uint16 where left out, bit for coils and discrete inputs."""
    bit: int = field(default=0, validator=_between(0, 15))
    """Of type bit in a holding or input register: which, 0 the lowest."""
    scale: float = 1.0
    """What the value is multiplied with."""
    offset: float = 0.0
    """What is added then."""
    unit: str = ""
    """As `offbeat-edge check` prints it."""
    word_order: Order = "big"
    """Of values that take several registers: which comes first, the high one (big) or the low one."""
    byte_order: Order = "big"
    """Of the two bytes in a register; big in all devices that follow the standard."""
    missing: list[float] = field(factory=list)
    """Values that mean none, before scale and offset, such as -32768."""

    def __attrs_post_init__(self) -> None:
        if self.is_bit_table and self.type not in (None, "bit"):
            raise ValueError(f"type is {self.type!r}, but {self.kind} is a table of bits; leave type out")
        if self.address + self.words > _MOST_ADDRESS + 1:
            raise ValueError(f"address {self.address} and type {self.type} reach beyond {_MOST_ADDRESS}")

    @property
    def is_bit_table(self) -> bool:
        """Whether the table has bits, and not registers."""
        return self.kind in ("coil", "discrete")

    @property
    def words(self) -> int:
        """Addresses that the value takes."""
        return 1 if self.is_bit_table else WORDS[self.type or "uint16"]


def _of_other_names(_owner: Any, attribute: Any, value: tuple[ModbusRegister, ...]) -> None:
    names = [register.name for register in value]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"[[{attribute.name}]] name {name!r} is used twice")


@frozen(kw_only=True)
class ModbusDevice:
    """A device: one unit id on a line, or at a host."""

    board: str = field(validator=is_id)
    """What streams call it."""
    unit_id: int = field(default=1, validator=_between(0, 255))
    """Also called slave or device id. Devices with a network port of their own mostly take any."""
    host: str | None = None
    """Name or address; that of the source where left out."""
    port: int | None = field(default=None, validator=optional(_between(1, 65535)))
    """TCP port; that of the source where left out."""
    register: tuple[ModbusRegister, ...] = field(default=(), validator=_of_other_names)
    """[[source.device.register]]: what is read; those of the source where there are none."""


@frozen(kw_only=True)
class ModbusSource(SourceSettings):
    """Devices that answer Modbus over TCP or on a serial line; each is a board, read once a period."""

    type: Literal["modbus"]
    host: str | None = None
    """Name or address of the device or gateway, for TCP."""
    port: int = field(default=502, validator=_between(1, 65535))
    """TCP port."""
    framing: Literal["tcp", "rtu"] = "tcp"
    """What goes over TCP: rtu with converters that pass a serial line's frames on as they are."""
    serial: str | None = None
    """Serial port in place of `host`, such as /dev/ttyUSB0, for RTU."""
    baud: int = field(default=9600, validator=is_positive)
    """Symbols a second."""
    parity: Literal["N", "E", "O"] = "N"
    """None, even or odd; the standard says even, most devices are delivered with none."""
    stop_bits: Literal[1, 2] = 1
    """Stop bits."""
    period_s: float = field(default=1.0, validator=is_positive)
    """Between two reads, seconds; best that of the bundle."""
    timeout_s: float | None = field(default=None, validator=optional(is_positive))
    """How long an answer may take, seconds; half a period where left out, from 0.1 to 3 s."""
    max_registers: int = field(default=125, validator=_between(1, 125))
    """Registers in one request; some devices answer fewer than the standard's 125."""
    join_gap: int = field(default=0, validator=not_negative)
    """Registers between two wanted ones that may be read along to make one request of two."""
    register: tuple[ModbusRegister, ...] = field(default=(), validator=_of_other_names)
    """[[source.register]]: of each device that has none of its own."""
    device: tuple[ModbusDevice, ...]
    """[[source.device]]: who is asked."""

    def __attrs_post_init__(self) -> None:
        if not self.device:
            raise ValueError("wanted at least one [[source.device]], found none")
        boards = [device.board for device in self.device]
        for device in self.device:
            if boards.count(device.board) > 1:
                raise ValueError(f"[[source.device]] board {device.board!r} is used twice")
            if not self.registers_of(device):
                raise ValueError(f"device {device.board} has no [[source.device.register]], nor has the source any")
            if (self.serial is None) == (self.host is None and device.host is None):
                raise ValueError(f"device {device.board}: wanted host, for TCP, or serial, for RTU: one of the two")

    def registers_of(self, device: ModbusDevice) -> tuple[ModbusRegister, ...]:
        """What is read of a device."""
        return device.register or self.register

    def address_of(self, device: ModbusDevice) -> tuple[str, int]:
        """Host and TCP port of a device; the serial port and 0 on a line."""
        if self.serial is not None:
            return self.serial, 0
        return device.host or self.host or "", device.port or self.port

    @property
    def answer_s(self) -> float:
        """How long an answer may take, seconds."""
        return self.timeout_s or min(max(self.period_s / 2, 0.1), 3.0)

    def open(self, intake: Intake, surroundings: Surroundings) -> Reader:  # noqa: ARG002
        from edge.sources.modbus import ModbusReader

        return ModbusReader(self, intake)
