"""Lines that fit a terminal and cannot steer it."""

import json
import os
import re
import unicodedata
from collections.abc import Iterator
from typing import TextIO

_COLOUR = re.compile(r"\x1b\[[0-9]*m")
_INDENT = "    "
_MOST_ROWS = 4
"""Rows of a terminal that one line may take; the rest is cut."""
_NARROWEST = 20


def print_line(out: TextIO, line: str, width: int | None = None) -> None:
    """Write a line, wrapped where a width is given; what the encoding does not know becomes `?`."""
    encoding = out.encoding or "utf-8"
    rows = [line] if width is None else wrapped(line, width)
    out.write("".join(f"{row}\n" for row in rows).encode(encoding, "replace").decode(encoding))
    out.flush()


def width_of(out: TextIO) -> int | None:
    """Columns of a terminal; None where it is none."""
    if not out.isatty():
        return None
    try:
        columns = os.get_terminal_size(out.fileno()).columns
    except OSError:
        return None
    return max(_NARROWEST, columns) if columns else None


def wrapped(line: str, width: int, most: int = _MOST_ROWS) -> list[str]:
    """The line in rows of at most `width` columns, broken at spaces where there are any; the rest is cut with `…`.

    >>> wrapped("one two three four", 10)
    ['one two', '    three', '    four']
    >>> wrapped("abcdefghij" * 3, 20, most=1)
    ['abcdefghijabcdef…']
    """
    rows, row, columns, start = [], "", 0, 0
    for word in _pieces(line, width - len(_INDENT)):
        wide = cells(word)
        if columns + wide > width and columns > start:
            rows.append(row.rstrip())
            row, columns, start = _INDENT, len(_INDENT), len(_INDENT)
            word = word.lstrip()
            wide = cells(word)
        row, columns = row + word, columns + wide
    rows.append(row.rstrip())
    if len(rows) <= most:
        return rows
    return [*rows[: most - 1], _cut(rows[most - 1], width - 1) + "…"]


def cells(text: str) -> int:
    """Columns that a text takes: two for wide marks, none for those that are put on another and for our colours."""
    text = _COLOUR.sub("", text) if "\x1b" in text else text
    return len(text) if text.isascii() else sum(_cells(mark) for mark in text)


def escaped(payload: bytes) -> str:
    """JSON as it came, on one line; what could steer a terminal is escaped, which is the same JSON."""
    text = payload.decode("utf-8", "replace")
    # Within a JSON string a line end would be escaped: these only lay the object out.
    return "".join(_harmless(mark) for mark in text.replace("\n", " ").replace("\r", " ").replace("\t", " "))


def _cells(mark: str) -> int:
    if unicodedata.combining(mark) or unicodedata.category(mark) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(mark) in "WF" else 1


def _pieces(line: str, longest: int) -> Iterator[str]:
    """Words with the spaces before them; one that is too long in parts."""
    word = ""
    for mark in line:
        if (mark == " " and word.strip()) or cells(word + mark) > longest:
            yield word
            word = ""
        word += mark
    yield word


def _cut(text: str, columns: int) -> str:
    while cells(text) > columns:
        text = text[:-1]
    return text


def _harmless(mark: str) -> str:
    return mark if mark.isprintable() else json.dumps(mark)[1:-1] if ord(mark) != 0x7F else "\\u007f"
