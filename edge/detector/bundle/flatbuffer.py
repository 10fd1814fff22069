"""Reads a flatbuffer within its bounds, as far as a model file has to be looked at before a runtime sees it."""

import struct
from collections.abc import Iterator


class FlatbufferError(ValueError):
    """An offset that leads out of the file, or a length that cannot be."""


class Table:
    """A table at a position of a file; fields are numbered as in the schema.

    Source: FlatBuffers internals, "Tables" and "Vectors".
    """

    def __init__(self, data: bytes, at: int) -> None:
        self._data, self._at = data, at
        self._vtable = at - _read(data, "<i", at)
        self._size = _read(data, "<H", self._vtable)

    @classmethod
    def root(cls, data: bytes) -> "Table":
        """The file's outermost table."""
        return cls(data, _read(data, "<I", 0))

    def number(self, field: int, form: str, default: int = 0) -> int:
        """A field's number; `form` is that of `struct`."""
        at = self._where(field)
        return default if at is None else _read(self._data, form, at)

    def table(self, field: int) -> "Table | None":
        """A field's table."""
        at = self._where(field)
        return None if at is None else Table(self._data, at + _read(self._data, "<I", at))

    def tables(self, field: int) -> Iterator["Table"]:
        """The tables of a field's vector."""
        start, count = self._vector(field, 4)
        for at in range(start, start + 4 * count, 4):
            yield Table(self._data, at + _read(self._data, "<I", at))

    def numbers(self, field: int) -> list[int]:
        """The 32-bit integers of a field's vector."""
        start, count = self._vector(field, 4)
        return [_read(self._data, "<i", at) for at in range(start, start + 4 * count, 4)]

    def _where(self, field: int) -> int | None:
        slot = 4 + 2 * field
        if slot + 2 > self._size:
            return None
        offset = _read(self._data, "<H", self._vtable + slot)
        return self._at + offset if offset else None

    def _vector(self, field: int, size: int) -> tuple[int, int]:
        at = self._where(field)
        if at is None:
            return 0, 0
        start = at + _read(self._data, "<I", at)
        count = _read(self._data, "<I", start)
        if start + 4 + size * count > len(self._data):
            raise FlatbufferError(f"a vector of {count} entries goes beyond the file's end")
        return start + 4, count


def _read(data: bytes, form: str, at: int) -> int:
    if not 0 <= at <= len(data) - struct.calcsize(form):
        raise FlatbufferError(f"an offset to {at} leads out of the file of {len(data)} bytes")
    return struct.unpack_from(form, data, at)[0]
