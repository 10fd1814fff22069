"""One table, written in any of the dialects that programs export."""

import csv
import gzip
import io
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from edge.readings.options import FileOptions

START = datetime(2024, 3, 4, 22, 30, tzinfo=UTC)
ROWS = 240
TIME_FORMS = (
    "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S+00:00", "%Y-%m-%d %H:%M:%S UTC", "%Y/%m/%d %H:%M",
    "%d.%m.%Y %H:%M:%S", "%d.%m.%y %H:%M", "%d/%m/%Y %H:%M", "%m/%d/%Y %I:%M:%S %p", "%d-%m-%Y %H:%M:%S",
    "%d/%m/%y %H:%M:%S", "%m/%d/%y %H:%M", "%d-%b-%Y %H:%M:%S", "%b %d, %Y %I:%M %p", "%a, %d %b %Y %H:%M:%S GMT",
    "%a %b %d %H:%M:%S %Y", "%Y%m%d%H%M%S", "%Y%m%d %H%M%S", "%Y%m%dT%H%M%SZ", "%d %B %Y %H:%M",
    "%Y-%m-%d %H:%M:%S.000", "%Y-%m-%d_%H-%M-%S", "unix s", "unix ms", "unix us", "unix ns", "unix float", "excel",
    "matlab", "seconds", "parts", "date and hhmm", "date and clock", "german date and clock", "day and hours",
)  # fmt: skip
"""strptime patterns, and forms that have a name here."""


@dataclass
class Table:
    """What the file says, whatever the dialect."""

    times: list[float]
    values: dict[str, list[float]]


@dataclass
class Dialect:
    """A way to write it."""

    seed: int
    time_form: str
    separator: str
    decimal: str
    thousands: str
    encoding: str
    line_end: str
    preamble: str
    units: str
    counter: bool
    label: bool
    missing: str
    newest_first: bool
    header_again: bool
    end_separator: bool
    quote_all: bool
    packed: bool
    notes: list[str] = field(default_factory=list)


def make_table(seed: int) -> Table:
    """Minutes over midnight, three channels: a temperature, a flow below ten and a power in thousands."""
    rng = random.Random(seed)
    times = [(START + timedelta(minutes=row)).timestamp() for row in range(ROWS)]
    temp = [round(20 + 5 * rng.random(), rng.choice((1, 2))) for _ in range(ROWS)]
    flow = [round(4 + rng.random(), 3) for _ in range(ROWS)]
    power = [round(900 + 3000 * rng.random(), 1) for _ in range(ROWS)]
    return Table(times, {"temp": temp, "flow": flow, "power": power})


def make_dialect(seed: int) -> Dialect:
    """A random one."""
    rng = random.Random(seed)
    pick = rng.choice
    separator = pick(",,;;\t|")
    decimal = pick(".,") if separator != "," else pick("...,")
    return Dialect(
        seed=seed,
        time_form=pick(TIME_FORMS),
        separator=separator,
        decimal=decimal,
        thousands=pick(("", "", "", ",."[decimal == ","] if False else (" " if decimal == "," else ","), "'")),
        encoding=pick(("utf-8", "utf-8", "utf-8-sig", "utf-16", "cp1252")),
        line_end=pick(("\n", "\r\n", "\r")),
        preamble=pick(("", "", "comments", "lines", "sep", "words")),
        units=pick(("", "", "row", "names", "cells")),
        counter=pick((False, False, True)),
        label=pick((False, False, True)),
        missing=pick(("", "NaN", "null", "---", "#N/A")),
        newest_first=pick((False, False, False, True)),
        header_again=pick((False, False, False, True)),
        end_separator=pick((False, False, True)),
        quote_all=pick((False, False, True)),
        packed=pick((False, False, True)),
    )


UNITS = {"temp": "°C", "flow": "bar", "power": "W"}


def _number(value: float, dialect: Dialect, digits: int) -> str:
    text = f"{value:,.{digits}f}" if dialect.thousands else f"{value:.{digits}f}"
    return text.replace(",", "T").replace(".", dialect.decimal).replace("T", dialect.thousands)


def _time_cells(time: float, row: int, dialect: Dialect) -> list[str]:
    moment = datetime.fromtimestamp(time, UTC)
    days = time / 86400
    comma = (lambda text: text.replace(".", dialect.decimal)) if dialect.separator != "," else (lambda text: text)
    named = {
        "unix s": lambda: [str(int(time))],
        "unix ms": lambda: [str(int(time * 1e3))],
        "unix us": lambda: [str(int(time * 1e6))],
        "unix ns": lambda: [str(int(time) * 10**9)],
        "unix float": lambda: [f"{time:.3f}"],
        "excel": lambda: [comma(f"{days + 25569:.8f}")],
        "matlab": lambda: [comma(f"{days + 719529:.8f}")],
        "seconds": lambda: [comma(f"{row * 60:.1f}")],
        "parts": lambda: [str(moment.year), str(moment.month), str(moment.day), str(moment.hour), str(moment.minute)],
        "date and hhmm": lambda: [f"{moment:%Y-%m-%d}", str(moment.hour * 100 + moment.minute)],
        "date and clock": lambda: [f"{moment:%Y-%m-%d}", f"{moment:%H:%M:%S}"],
        "german date and clock": lambda: [f"{moment:%d.%m.%Y}", f"{moment:%H:%M}"],
        "day and hours": lambda: [f"{moment:%Y-%m-%d}", str(moment.hour), str(moment.minute)],
    }
    return named[dialect.time_form]() if dialect.time_form in named else [moment.strftime(dialect.time_form)]


_TIME_NAMES = {
    "parts": ["year", "month", "day", "hour", "minute"],
    "date and hhmm": ["Date", "Time"],
    "date and clock": ["Date", "Time"],
    "german date and clock": ["Datum", "Uhrzeit"],
    "day and hours": ["Date", "Hour", "Minute"],
    "seconds": ["Time (s)"],
}


def write(table: Table, dialect: Dialect) -> bytes:
    """The file's bytes."""
    rng = random.Random(dialect.seed + 1)
    names = _TIME_NAMES.get(dialect.time_form, [rng.choice(("time", "Timestamp", "Date Time", "Zeit", "created_at"))])
    channels = list(table.values)
    shown = [f"{name} ({UNITS[name]})" if dialect.units == "names" else name for name in channels]
    header = [*(["id"] if dialect.counter else []), *names, *shown, *(["label"] if dialect.label else [])]
    units = ["" for _ in header]
    for name in channels:
        units[header.index(name if dialect.units != "names" else f"{name} ({UNITS[name]})")] = UNITS[name]
    rows = []
    for row, time in enumerate(table.times):
        cells = [_cell(table, name, row, dialect) for name in channels]
        label = ["1" if 100 <= row < 110 else "0"] if dialect.label else []
        counter = [str(row + 1)] if dialect.counter else []
        rows.append([*counter, *_time_cells(time, row, dialect), *cells, *label])
    if dialect.newest_first:
        rows.reverse()
    if dialect.header_again:
        rows.insert(len(rows) // 2, header)
    above = [header, units] if dialect.units == "row" else [header]
    return _bytes([*above, *rows], dialect)


def _cell(table: Table, name: str, row: int, dialect: Dialect) -> str:
    value = table.values[name][row]
    if value != value:
        return dialect.missing
    text = _number(value, dialect, {"temp": 2, "flow": 3, "power": 1}[name])
    return f"{text} {UNITS[name]}" if dialect.units == "cells" else text


def _bytes(rows: list[list[str]], dialect: Dialect) -> bytes:
    out = io.StringIO()
    quoting = csv.QUOTE_ALL if dialect.quote_all else csv.QUOTE_MINIMAL
    writer = csv.writer(out, delimiter=dialect.separator, quoting=quoting, lineterminator="\n")
    writer.writerows([[*row, ""] for row in rows] if dialect.end_separator else rows)
    text = out.getvalue()
    before = {
        "comments": "# logger 7\n# made by hand\n",
        "lines": "Logger export\nDevice: L-7 (north)\n\n",
        "sep": f"sep={dialect.separator}\n",
        "words": f"Station{dialect.separator}North\nSerial{dialect.separator}12345\n\n",
    }.get(dialect.preamble, "")
    data = (before + text).replace("\n", dialect.line_end).encode(dialect.encoding)
    return gzip.compress(data) if dialect.packed else data


REMEDIES = {
    "--day-first": lambda dialect: {"day_first": dialect.time_form.startswith("%d")},
    "--decimal": lambda dialect: {"decimal": dialect.decimal},
    "--time-format": lambda dialect: {"time_format": dialect.time_form},
    "--header-row": lambda _dialect: {},
}
"""Option that an error names, and what it then is given."""


def with_remedy(message: str, dialect: Dialect) -> FileOptions | None:
    """The options that an error asks for; None where it names none."""
    for name, option in REMEDIES.items():
        if name in message:
            return FileOptions(**option(dialect))
    return None
