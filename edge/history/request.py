"""The request `rows`: what is kept, in an answer that is bounded."""

import math
from typing import Any

from edge.delivery.requests import RequestError
from edge.history.keeper import Rows
from edge.history.stretch import Stretch
from edge.wire.topics import valid_id

_WANTED = (
    'rows wants "event_id", or "stream" with "since" and "until" (Unix seconds; all of the latest where left out), '
    'or "list": true'
)
_ANSWER_BYTES, _MOST_ROWS, _LISTED = 120_000, 600, 500
_BYTES_A_ROW, _BYTES_A_CHANNEL = 32, 32
"""Of JSON, with three numbers for each channel."""


def answer(rows: Rows, fields: dict[str, Any]) -> dict[str, Any]:
    """What a request's fields ask for, as plain JSON.

    Longer stretches are thinned: of each span the loudest row; `of` is how many there were.

    Raises:
        RequestError: nothing is kept of that, or it is no such request.
    """
    match fields:
        case {"list": True, **rest} if not rest:
            episodes = {stream: ids[-_LISTED:] for stream, ids in rows.episodes().items()}
            return {"episodes": episodes, "streams": rows.streams()}
        case {"event_id": str(event_id), **rest} if not rest and event_id:
            if (found := rows.around(event_id)) is None:
                raise RequestError(f"no rows are kept of an episode {event_id[:100]}; list tells of which they are")
            return _bounded(found)
        case {"stream": str(stream), **rest} if not set(rest) - {"since", "until"}:
            found = rows.recent(stream, _number(rest, "since", -math.inf), _number(rest, "until", math.inf))
            if found is None:
                known = ", ".join(rows.streams()[:20]) or "none"
                name = stream[:100] if valid_id(stream) else "of that name"
                raise RequestError(f"there are no rows of a stream {name}; there are of: {known}")
            return _bounded(found)
    raise RequestError(_WANTED)


def _bounded(stretch: Stretch) -> dict[str, Any]:
    room = _ANSWER_BYTES // (_BYTES_A_ROW + _BYTES_A_CHANNEL * len(stretch.channels))
    return stretch.thinned(max(1, min(_MOST_ROWS, room))).to_dict()


def _number(fields: dict[str, Any], name: str, default: float) -> float:
    value = fields.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        raise RequestError(_WANTED)
    return float(value)
