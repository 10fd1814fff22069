"""Modbus registers: which are read together, and what their bits mean."""

import math
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from edge.sources.modbus_settings import ModbusRegister

_MOST_BITS = 2000
_FORMATS = {
    "int16": "h", "uint16": "H", "int32": "i", "uint32": "I", "int64": "q", "uint64": "Q", "float32": "f",
    "float64": "d", "bit": "H",
}  # fmt: skip


@dataclass(frozen=True)
class Request:
    """Addresses of one table that are read at once."""

    kind: str
    address: int
    count: int
    registers: tuple[ModbusRegister, ...]

    def alone(self) -> "list[Request]":
        """The same registers, each in a request of its own."""
        return [Request(one.kind, one.address, one.words, (one,)) for one in self.registers]

    def __str__(self) -> str:
        names = ", ".join(one.name for one in self.registers[:4])
        more = f" and {len(self.registers) - 4} more" if len(self.registers) > 4 else ""
        last = f" to {self.address + self.count - 1}" if self.count > 1 else ""
        return f"{names}{more} ({self.kind} {self.address}{last})"


def planned(registers: Sequence[ModbusRegister], max_registers: int = 125, join_gap: int = 0) -> list[Request]:
    """Requests for these registers, as few as there can be; a value is never cut in two.

    >>> registers = [ModbusRegister(name=str(n), address=n, type="float32") for n in (0, 2, 6)]
    >>> [(one.address, one.count) for one in planned(registers)]
    [(0, 4), (6, 2)]
    >>> [(one.address, one.count) for one in planned(registers, join_gap=2)]
    [(0, 8)]
    """
    requests: list[Request] = []
    for register in sorted(registers, key=lambda one: (one.kind, one.address)):
        most = _MOST_BITS if register.is_bit_table else max(max_registers, register.words)
        end = register.address + register.words
        if requests:
            last = requests[-1]
            near = last.kind == register.kind and register.address <= last.address + last.count + join_gap
            if near and end - last.address <= most:
                count = max(last.count, end - last.address)
                requests[-1] = Request(last.kind, last.address, count, (*last.registers, register))
                continue
        requests.append(Request(register.kind, register.address, register.words, (register,)))
    return requests


def values_in(request: Request, words: Sequence[int]) -> Iterator[tuple[str, float]]:
    """Names and values of a request's registers; NaN where a value means none, or is not finite.

    `words` are the registers' contents, 0 to 65535, or the bits, as the answer has them.
    """
    for register in request.registers:
        at = register.address - request.address
        yield register.name, _value(register, words[at : at + register.words])


def _value(register: ModbusRegister, words: Sequence[int]) -> float:
    raw = float(words[0]) if register.is_bit_table else _unpacked(register, words)
    value = raw * register.scale + register.offset
    return math.nan if not math.isfinite(value) or _is_code(register, raw) else value


def _is_code(register: ModbusRegister, raw: float) -> bool:
    if register.type == "float32":  # which has no -999.9, but a number near by
        return any(math.isclose(raw, code, rel_tol=1e-6) for code in register.missing)
    return raw in register.missing


def _unpacked(register: ModbusRegister, words: Sequence[int]) -> float:
    kind = register.type or "uint16"
    ordered = reversed(words) if register.word_order == "little" else words
    packed = b"".join(word.to_bytes(2, register.byte_order) for word in ordered)
    number = struct.unpack(f">{_FORMATS[kind]}", packed)[0]
    return float(number >> register.bit & 1) if kind == "bit" else float(number)
