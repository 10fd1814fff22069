"""Rows as a device answers them, made sure of once: charts and pictures take what is here as it is."""

from typing import Any

from edge.web.link import AskError

_LARGEST = 1e300
_PARTS = ("values", "expected", "tolerance")


def tidied(body: Any) -> dict[str, Any]:
    """The answer with columns of one length: times rise, what is no number is null, each channel has all its columns.

    Raises:
        AskError: there are no rows in it.

    >>> found = tidied({"times": [1.0, None, 2.0], "channels": [{"name": "flow"}], "values": {"flow": [3.0, 4.0, "x"]}})
    >>> found["times"], found["values"], found["channels"]
    ([1.0, 2.0], {'flow': [3.0, None]}, [{'name': 'flow', 'unit': ''}])
    """
    body = body if isinstance(body, dict) else {}
    times, channels = body.get("times"), body.get("channels")
    if not isinstance(times, list) or not isinstance(channels, list):
        raise AskError("what the device sent are no rows; perhaps it is of a later version than this page")
    rows = sorted((row for row, time in enumerate(times) if _is_number(time)), key=lambda row: times[row])
    named = [one for one in channels if isinstance(one, dict) and isinstance(one.get("name"), str)]
    units = {one["name"]: one["unit"] if isinstance(one.get("unit"), str) else "" for one in named}
    columns = {part: body[part] if isinstance(body.get(part), dict) else {} for part in _PARTS}
    return {
        **body,
        "times": [float(times[row]) for row in rows],
        "channels": [{"name": name, "unit": unit} for name, unit in units.items()],
        "scores": _column(body.get("scores"), rows),
        **{part: {name: _column(found.get(name), rows) for name in units} for part, found in columns.items()},
    }


def _column(listed: Any, rows: list[int]) -> list[float | None]:
    known = listed if isinstance(listed, list) else []
    return [float(known[row]) if row < len(known) and _is_number(known[row]) else None for row in rows]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST
