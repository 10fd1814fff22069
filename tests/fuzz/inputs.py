"""Hypothesis strategies for what may arrive: JSON values, and good inputs with damage."""

import copy
import math
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
"""Whatever JSON can say, and the NaN and infinities that Python's json adds."""

PIECES = (
    b"", b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b"\n", b"\r\n", b'"', b"'", b"{", b"}", b"[", b"]", b",", b";", b":",
    b"=", b"*", b"$", b"#", b"\\", b"\\ud800", b" ", b"\t", b"-", b"+", b".", b"_", b"0", b"1", b"-1", b"1e999",
    b"-1e308", b"1e-400", b"9" * 20, b"9" * 5000, b"NaN", b"Infinity", b"null", b"true", b"false", b"inf", b"0x10",
    "½".encode(), "٣".encode(), b"[" * 3000, b'{"a":' * 3000, b"1970-01-01T00:00:00", b"9999-12-31T23:59:59-23:59",
    b"2026-03-29T02:30:00", b"e", b"a", b'""', b"{}", b"\xc3", b"\x7f", b"\xe2\x80\xa8", b"\x1c",
)  # fmt: skip
"""What parsers have stumbled over."""
ODD_VALUES = (
    None, True, False, 0, 1, -1, 2, 7, 10**400, -(10**19), 0.5, -0.0, 1e-320, 1e300, -1e308, math.nan, math.inf,
    -math.inf, "", "0", "1e3", "nan", "a b", "x" * 300, "\ud800", "\n", "..", "/", [], [0], [1.0, 2.0], [[1.0, 2.0]],
    [None], [[]], ["flow", "pressure"], {}, {"": 0}, {"name": "x"}, {"a": {"b": []}}, [{}], [1.0, 1e400],
)  # fmt: skip
"""What stands where something else should."""
_STEP = 4
"""Bytes of an edit: two say where, one how much is taken out, one what is put in."""


def damaged(good: Sequence[bytes], edits: int = 4) -> st.SearchStrategy[bytes]:
    """Good inputs with up to `edits` pieces put in, put over or taken out, or a few bytes of noise alone.

    One draw of bytes says it all, since draws are what takes hypothesis its time.
    """
    return st.binary(max_size=1 + _STEP * edits).map(lambda script: _edited(good, script))


def _edited(good: Sequence[bytes], script: bytes) -> bytes:
    if len(script) % _STEP == 2:
        return script
    which = script[0] if script else 0
    text = good[which % len(good)]
    for start in range(1, len(script) - _STEP + 1, _STEP):
        high, low, removed, piece = script[start : start + _STEP]
        place = (high * 256 + low) % (len(text) + 1)
        added = PIECES[piece] if piece < len(PIECES) else bytes([piece])
        text = text[:place] + added + text[place + removed % 16 :]
    return text


def places(body: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where in a JSON value there are values: the path of keys and indices to each, the whole first."""
    pairs = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    return [path, *(place for key, part in pairs for place in places(part, (*path, key)))]


def replaced(body: Any, path: tuple[Any, ...], value: object) -> Any:
    """A copy of a JSON value with another value at a path."""
    if not path:
        return value
    body = copy.copy(body)
    body[path[0]] = replaced(body[path[0]], path[1:], value)
    return body


def with_other_values(body: object) -> st.SearchStrategy[Any]:
    """A good JSON value in which something, anywhere, is something else."""
    values = st.sampled_from(ODD_VALUES) | json_values
    return st.tuples(st.sampled_from(places(body)), values).map(lambda drawn: replaced(body, *drawn))
