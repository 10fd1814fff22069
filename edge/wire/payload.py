"""JSON payloads: what every message but a serial frame consists of."""

import json
import math
from typing import Any


def jsonable(value: Any) -> Any:
    """The value in plain JSON types that every reader takes; numbers that are not finite become null, NumPy scalars
    plain numbers, half surrogates in text `?`.

    >>> jsonable({"score": float("nan"), "rows": (1, 2), "by": "ann\\ud800"})
    {'score': None, 'rows': [1, 2], 'by': 'ann?'}
    """
    if isinstance(value, dict):
        return {jsonable(key): jsonable(part) for key, part in value.items()}
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, tuple | list):
        return [jsonable(part) for part in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if type(value).__module__ == "numpy" and hasattr(value, "item"):  # float32 and the integers are no Python numbers
        return jsonable(value.item())
    return value


def encodable(text: str) -> str:
    """The text with `?` for half surrogates: JSON can name them, no file, database or HTTP answer takes them.

    >>> encodable("m\u00fcller \\ud83d")
    'm\xfcller ?'
    """
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


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
