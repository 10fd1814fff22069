"""Lines of a file, whatever it is packed and encoded in; each is bounded."""

import bz2
import codecs
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from edge.readings.options import FileError

MAX_LINE_CHARS = 65536
"""A longer line is no line of readings; it bounds what a reader must keep."""
_BLOCK = 1 << 20
_DAMAGED = (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile)
"""What reading a packed file raises where it is cut off or garbled."""
_JOINED_LINES = 5
"""Lines that a quoted cell with line ends in it may take."""
_BINARY = {
    b"PAR1": "a Parquet file",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls)",
    b"SQLite": "an SQLite database",
    b"\x89HDF": "an HDF5 file",
    b"(\xb5/\xfd": "packed with zstd",
    b"%PDF": "a PDF",
    b"ARROW1": "an Arrow or Feather file",
    b"TDSm": "a TDMS file",
    b"\x93NUMPY": "a NumPy file",
    b"MATLAB": "a MATLAB file",
}


@dataclass(frozen=True)
class TextFile:
    """A file that can be read line by line, any number of times."""

    path: Path
    packing: str
    """gzip, bz2, xz, zip or nothing."""
    encoding: str

    def lines(self) -> "Iterator[tuple[int, str] | FileError]":
        """Number, from 1, and text of each line without its end; an overlong one gives an error in its place."""
        with _unpacked(self.path, self.packing) as raw:
            text = io.TextIOWrapper(raw, self.encoding, errors="replace", newline=None)  # type: ignore[arg-type]
            try:
                yield from bounded_lines(text.readline)
            except _DAMAGED as error:  # what was packed before counts: a recorder may have lost its power
                yield FileError(f"{self.path}: the packed file is damaged, or ends too early ({error})")


def open_text(path: Path) -> TextFile:
    """Find out packing and encoding, reading the file once.

    Raises:
        FileError: it cannot be read, or is no text.
    """
    try:
        with path.open("rb") as file:
            start = file.read(16)
        packing = _packing(start)
        kind = next((what for magic, what in _BINARY.items() if start.startswith(magic)), None)
        if kind is None and packing == "zip":
            kind = _workbook(path)
        if kind is not None:
            raise FileError(f"{path}: it is {kind}; save it as CSV, or as Parquet or .xlsx for offbeat-train")
        return TextFile(path, packing, _encoding(path, packing))
    except (OSError, zipfile.BadZipFile) as error:
        raise FileError(f"{path}: cannot read it ({getattr(error, 'strerror', None) or error})") from error


def _packing(start: bytes) -> str:
    for magic, name in ((b"\x1f\x8b", "gzip"), (b"BZh", "bz2"), (b"\xfd7zXZ", "xz"), (b"PK\x03\x04", "zip")):
        if start.startswith(magic):
            return name
    return ""


def _workbook(path: Path) -> str | None:
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/") and not name.startswith("__MACOSX")]
    if any(name.startswith(("xl/", "word/", "Object ")) or name == "content.xml" for name in names):
        return "an Excel workbook or another office document"
    return None if len(names) == 1 else f"a zip archive of {len(names)} files; unpack it and give the files"


def _unpacked(path: Path, packing: str) -> IO[bytes]:
    if packing == "zip":
        archive = zipfile.ZipFile(path)
        name = next(one for one in archive.namelist() if not one.endswith("/") and not one.startswith("__MACOSX"))
        return archive.open(name)
    opener: Callable[..., IO[bytes]] = {"gzip": gzip.open, "bz2": bz2.open, "xz": lzma.open}.get(packing, open)  # type: ignore[assignment]
    return opener(path, "rb")


def _encoding(path: Path, packing: str) -> str:
    """UTF-8 where all bytes are, else what the file begins with, else the usual one of Windows."""
    with _unpacked(path, packing) as raw:
        block = _block(raw)
        for mark, name in (
            (codecs.BOM_UTF32_LE, "utf-32"),
            (codecs.BOM_UTF32_BE, "utf-32"),
            (codecs.BOM_UTF8, "utf-8-sig"),
            (codecs.BOM_UTF16_LE, "utf-16"),
            (codecs.BOM_UTF16_BE, "utf-16"),
        ):
            if block.startswith(mark):
                return name
        pairs = block[:4000].rstrip(b"\0")  # zeros at the end are what a power cut left, not text
        for name, zeros in (("utf-16-le", pairs[1::2]), ("utf-16-be", pairs[::2])):
            if len(pairs) > 8 and zeros.count(0) > 0.8 * len(zeros):
                return name
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while block:
                decoder.decode(block)
                block = _block(raw)
        except UnicodeDecodeError:
            return "latin-1" if any(byte in block for byte in b"\x81\x8d\x8f\x90\x9d") else "cp1252"
    return "utf-8"


def _block(raw: IO[bytes]) -> bytes:
    """The next bytes, as many as can be had of a damaged file."""
    for size in (_BLOCK, 1 << 12, 1):
        try:
            return raw.read(size)
        except _DAMAGED:
            continue
    return b""


def bounded_lines(readline: Callable[[int], str]) -> "Iterator[tuple[int, str] | FileError]":
    """Numbered lines; a quoted cell may go on over some of them, one that is too long is skipped to its end."""
    plain = _plain_lines(readline)
    waiting: list[tuple[int, str] | FileError] = []
    while True:
        one = waiting.pop(0) if waiting else next(plain, None)
        if one is None:
            return
        if isinstance(one, FileError) or not _open_quote(one[1]):
            yield one
            continue
        number, text = one
        while len(waiting) < _JOINED_LINES and _open_quote(text):
            more = next(plain, None)
            if more is None:
                break
            waiting.append(more)
            text = text if isinstance(more, FileError) else f"{text} {more[1]}"
        if _open_quote(text):
            yield one  # a stray quote: the lines stay as they are
        elif len(text) > MAX_LINE_CHARS:
            waiting.clear()
            yield FileError(
                f"line {number}: a quoted cell makes it longer than {MAX_LINE_CHARS} characters: {text[:40]!r}…"
            )
        else:
            waiting.clear()
            yield number, text


def _open_quote(text: str) -> bool:
    """Whether a quoted cell begins and does not end in the text."""
    if text.count('"') % 2 == 0:
        return False
    before = text[text.rfind('"') - 1 : text.rfind('"')].strip()
    return before in ("", ",", ";", "|", "\t") or text.lstrip().startswith('"')


def _plain_lines(readline: Callable[[int], str]) -> "Iterator[tuple[int, str] | FileError]":
    number = 0
    while line := readline(MAX_LINE_CHARS):
        number += 1
        if line.endswith("\n") or len(line) < MAX_LINE_CHARS:
            line = line.rstrip("\r\n").replace("\0", "")
            yield number, line.removeprefix("\ufeff") if number == 1 else line
            continue
        while (rest := readline(MAX_LINE_CHARS)) and not rest.endswith("\n"):
            pass
        yield FileError(f"line {number}: longer than {MAX_LINE_CHARS} characters: {line[:40]!r}…")
