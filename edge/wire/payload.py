"""JSON payloads: what every message but a serial frame consists of."""

import json
import math
from typing import Any


def jsonable(value: Any) -> Any:
    """The value in plain JSON types; numbers that are not finite become null, NumPy scalars plain numbers.

    >>> jsonable({"score": float("nan"), "rows": (1, 2)})
    {'score': None, 'rows': [1, 2]}
    """
    if isinstance(value, dict):
        return {key: jsonable(part) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return [jsonable(part) for part in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if type(value).__module__ == "numpy" and hasattr(value, "item"):  # float32 and the integers are no Python numbers
        return jsonable(value.item())
    return value


def encode_payload(body: Any) -> bytes:
    """Compact JSON of a message's body.

    Raises:
        TypeError: something in it has no JSON form.
    """
    return json.dumps(jsonable(body), separators=(",", ":"), allow_nan=False).encode()


def printable(text: str) -> str:
    """The text with `?` for what could steer a terminal or forge a line: controls, bidirectional marks, line ends.

    >>> printable("flow\\x1b[2J\\nERROR \\u202etxet")
    'flow?[2J?ERROR ?txet'
    """
    return text if text.isprintable() else "".join(mark if mark.isprintable() else "?" for mark in text)
