"""Lines of JSON as rows of cells: nested objects become columns named by their path."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from edge.readings.options import FileError

_MOST_COLUMNS = 2000
_DEEPEST = 8


def is_json(line: str) -> bool:
    """Whether a file that begins with this line holds JSON."""
    start = line.lstrip("\ufeff ")
    return start.startswith("{") or (start.startswith("[") and start.strip()[1:2] in ("", "{", "["))


def flat_object(line: str) -> dict[str, str] | None:
    """The object in a line as text by path; None where the line is a bracket of the list around them.

    The own form's `values` are named without that word: {"time": 1, "values": {"a": 2}} gives time and a.

    Raises:
        FileError: the line holds no object.
    """
    body = line.strip().rstrip(",").strip()
    if body.startswith("[{"):
        body = body[1:]
    if body.endswith("}]"):
        body = body[:-1]
    if body in ("", "[", "]"):
        return None
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise FileError(f"not JSON: {error}") from error
    if not isinstance(found, dict):
        raise FileError(f"wanted a JSON object, found {body[:40]!r}")
    return dict(_flat(found, "", 0))


def _flat(value: Mapping[str, Any], front: str, depth: int) -> Iterator[tuple[str, str]]:
    for key, one in value.items():
        name = f"{front}{key}"
        if isinstance(one, Mapping) and depth < _DEEPEST:
            yield from _flat(one, "" if name == "values" else f"{name}.", depth + 1)
        else:
            yield name, _text(one)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value)
    return value.strip() if isinstance(value, str) else json.dumps(value)


class JsonColumns:
    """The columns of a file of JSON lines, in the order in which they first come."""

    def __init__(self) -> None:
        self.places: dict[str, int] = {}

    def cells(self, found: Mapping[str, str], grow: bool) -> list[str]:
        """A row's cells; names that were not seen yet become columns where it may `grow`."""
        if grow:
            for name in found:
                if name not in self.places and len(self.places) < _MOST_COLUMNS:
                    self.places[name] = len(self.places)
        return [found.get(name, "") for name in self.places]
