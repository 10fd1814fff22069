"""Faults as text: `--fault` on the command line, and schedule files, which truth files are too."""

import json
import re
from pathlib import Path
from typing import Any

from firmware_sim.machine.faults import PUMP, Catalog, Fault, FaultError, make_fault
from firmware_sim.schedule.timetext import parse_duration, parse_time

FAULT_SYNTAX = "[BOARD:]KIND[.CHANNEL]@START+DURATION[:SEVERITY]"
_FAULT = re.compile(
    r"(?:(?P<board>[\w-]+):)?(?P<kind>\w+)(?:\.(?P<channel>\w+))?@(?P<start>[^+]+)\+(?P<duration>[^:+]+)(?::(?P<severity>.+))?"
)


def parse_fault(text: str, start: float, board: str, catalog: Catalog = PUMP) -> Fault:
    """The fault in `cavitation@2h+10m:0.8` or `pump2:stuck.flow@30m+15m`.

    Args:
        text: START counts from the start of the simulation.
        start: the simulation's, Unix seconds.
        board: meant where the text names none.

    Raises:
        FaultError: it cannot be read, or is no possible fault.
    """
    match = _FAULT.fullmatch(text.strip())
    if match is None:
        raise FaultError(f"--fault {text!r}: wanted {FAULT_SYNTAX}, for example cavitation@2h+10m:0.8")
    try:
        begin = start + parse_duration(match["start"])
        end = begin + parse_duration(match["duration"])
        severity = _severity(match["severity"] or 1.0)
        return make_fault(match["kind"], begin, end, severity, match["channel"], match["board"] or board, catalog)
    except ValueError as error:
        raise FaultError(f"--fault {text!r}: {error}") from error


def read_schedule(path: Path, start: float, board: str, catalog: Catalog = PUMP) -> tuple[Fault, ...]:
    """The faults of a JSON file: `{"faults": [{"kind", "start", "end" or "duration", ...}]}`.

    `start` and `end` are Unix seconds, ISO times, or `+2h` after the start of the
    simulation; `severity`, `channel` (or `channels`, as truth files have it) and
    `board` may be absent. A truth file read so repeats its faults.

    Raises:
        FaultError: the file cannot be read or holds no such faults.
    """
    try:
        entries = json.loads(path.read_text("utf-8"))["faults"]
        if not isinstance(entries, list):
            raise TypeError("it is no list")
    except OSError as error:
        raise FaultError(f"schedule {path}: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise FaultError(f'schedule {path}: wanted JSON with a list "faults": {error}') from error
    return tuple(
        _fault_in(entry, f"schedule {path}, fault {place}", start, board, catalog)
        for place, entry in enumerate(entries, 1)
    )


_KEYS = {"kind", "start", "end", "duration", "severity", "channel", "channels", "board"}


def _fault_in(entry: Any, where: str, start: float, board: str, catalog: Catalog) -> Fault:
    try:
        if not isinstance(entry, dict):
            raise ValueError(f"wanted an object, found {entry!r}")
        if unknown := sorted(set(entry) - _KEYS):
            raise ValueError(f"unknown key {unknown[0]!r}; there are {', '.join(sorted(_KEYS))}")
        begin = _moment(entry["start"], start)
        end = _moment(entry["end"], start) if "end" in entry else begin + parse_duration(str(entry["duration"]))
        return make_fault(
            str(entry["kind"]),
            begin,
            end,
            _severity(entry.get("severity", 1.0)),
            _channel(entry, catalog),
            str(entry.get("board", board)),
            catalog,
        )
    except KeyError as error:
        raise FaultError(f"{where}: {error} is missing") from error
    except (ValueError, TypeError) as error:
        raise FaultError(f"{where}: {error}") from error


def _moment(value: Any, start: float) -> float:
    text = str(value)
    return start + parse_duration(text[1:]) if text.startswith("+") else parse_time(text)


def _channel(entry: dict[str, Any], catalog: Catalog) -> str | None:
    """The channel that the entry chooses; a machine's fault in a truth file lists channels but chooses none."""
    if "channel" in entry:
        return str(entry["channel"])
    kind = catalog.kinds.get(str(entry["kind"]))
    listed = entry.get("channels")
    return None if not listed or kind is None or kind.group == "machine" else str(listed[0])


def _severity(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ValueError(f"found severity {value!r}, wanted a number; 1 is a clear fault") from None
