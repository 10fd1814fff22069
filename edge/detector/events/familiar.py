"""A pattern that somebody called normal: the rows of its episode, and how near to them is the same again."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

MOST = 20
"""Patterns kept for a stream. Each costs up to `WINDOWS` windows of rows in its state file, and time in alarm."""
WINDOWS = 10
"""Rows kept of an episode, windows: of a longer one half from its start, half up to its end."""
ALIKE = 0.6
"""A window is the pattern's where the cosine between it and one of its windows is at least this: the same channels, in
the same order, go the same way. 0.5 is no better and no worse for the simulated pump's flushes (`tests.soak.normal`),
the only pattern that it was tried on."""
LEAST, LOUDEST = 0.5, 1.5
"""How large it may be, as a multiple of that window: a leak that looks like a third of a flush is none, and one on top
of a flush is told."""
BODY_SIZE = 0.7
"""Windows that differ from normal by more than this part of what the loudest does are the pattern's body."""
_AT_ONCE = 64
"""Windows whose distances are taken in one piece."""
_LARGEST = 60_000.0  # float16 ends at 65,504
NOT, EDGE, BODY = range(3)
"""What a window of the pattern is good for: nothing, since the score was low; its edge, which looks nearly as normal
rows do and so may stand for the pattern only for as long as it lasted; its body, which nothing else looks like."""


@dataclass(frozen=True)
class Part:
    """A stretch of rows without a gap."""

    rows: np.ndarray
    """(n, columns) float16; see `edge.detector.score.engine.Engine.looks`."""
    use: np.ndarray
    """(n - window + 1,) uint8: what the windows that end with each row are good for."""


@dataclass(frozen=True)
class Familiar:
    """What an episode looked like."""

    event_id: str
    time: float
    """Of its last row here, Unix seconds."""
    parts: tuple[Part, ...]
    window: int
    radius: float
    """Distance from normal beyond which a window is of the pattern's body."""
    edge: int
    """Rows that the longest of its edges lasts."""
    by: str = ""
    """Who called it normal."""

    @property
    def distinct(self) -> bool:
        """Whether it differs from normal operation by more than from itself: mere noise does not."""
        return bool(self.parts)

    def nearest(self, window: np.ndarray) -> int:
        """What the (window, columns) last rows are: `NOT` of the pattern, its `EDGE`, its `BODY`."""
        flat, found = window.reshape(-1).astype(np.float32), NOT
        size = float(np.linalg.norm(flat))
        for windows, use in _pieces(self.parts, self.window):
            own, along = np.linalg.norm(windows, axis=1), windows @ flat
            near = (along >= ALIKE * own * size) & (along >= LEAST * own**2) & (along <= LOUDEST * own**2)
            found = max(found, int(use[near].max(initial=NOT)))
        return found

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types: 16-bit floats, little-endian, in base 64."""
        parts = [{"rows": _text(part.rows.astype("<f2")), "use": _text(part.use)} for part in self.parts]
        return {**{name: getattr(self, name) for name in _PLAIN}, "parts": parts}


_PLAIN = ("event_id", "time", "radius", "edge", "by")


def familiar_from_dict(body: Mapping[str, Any], window: int, columns: int) -> Familiar:
    """What `to_dict` wrote.

    Raises:
        KeyError, TypeError, ValueError: it is malformed.
    """
    parts = []
    for part in body["parts"]:
        rows = np.frombuffer(_bytes(part["rows"]), "<f2").astype(np.float16).reshape(-1, columns)
        use = np.frombuffer(_bytes(part["use"]), np.uint8)
        if len(use) != len(rows) - window + 1 or use.max(initial=0) > BODY or not np.isfinite(rows).all():
            raise ValueError(f"{len(rows)} rows of a pattern want {len(rows) - window + 1} uses, found {len(use)}")
        parts.append(Part(rows, use))
    numbers = [float(body[name]) for name in ("time", "radius", "edge")]
    if not np.isfinite(numbers).all():
        raise ValueError("a pattern wants finite numbers")
    time, radius, edge = numbers
    return Familiar(str(body["event_id"]), time, tuple(parts), window, radius, int(edge), str(body["by"]))


class Capture:
    """The rows of one stream's episode as they come; `parts` of an earlier capture of the same episode come first."""

    def __init__(self, window: int, earlier: Sequence[Part] = ()) -> None:
        self.top = 0.0
        """Highest score."""
        self.time = 0.0
        self._window = window
        self._going = False  # whether the next row goes on with the last part
        self._done = list(earlier)
        self._rows: list[np.ndarray] = []
        self._loud: list[bool] = []

    def pause(self) -> None:
        """The next row does not follow the last one."""
        self._going = False

    def add(self, time: float, score: float, window: np.ndarray, loud: bool) -> None:
        """Take the row that ends a (window, columns) window; `loud` where its score says that something is unusual."""
        if not self._going:
            self._close()
            self._rows, self._loud = list(_half(window)), []
        else:
            self._rows.append(_half(window[-1]))
        self._loud.append(loud)
        self._going, self.time, self.top = True, time, max(self.top, score)
        if len(self._rows) > WINDOWS // 2 * self._window:
            self.pause()  # the next part begins with the window that ends this one: none is lost

    def pattern(self, event_id: str) -> Familiar:
        """What was captured so far."""
        parts = _bounded([*self._done, *self._open()], WINDOWS * self._window)
        return _measured(Familiar(event_id, self.time, tuple(parts), self._window, 0.0, 0))

    def _open(self) -> list[Part]:
        if not any(self._loud):
            return []
        return [Part(np.stack(self._rows), np.array(self._loud, np.uint8))]

    def _close(self) -> None:
        self._done = _bounded(self._done + self._open(), WINDOWS * self._window)


def _half(values: np.ndarray) -> np.ndarray:
    return np.clip(values, -_LARGEST, _LARGEST).astype(np.float16)


def _bounded(parts: list[Part], rows: int) -> list[Part]:
    """The first part and as many of the last ones as fit."""
    kept = list(parts)
    while len(kept) > 2 and sum(len(part.rows) for part in kept) > rows:
        del kept[1]
    return kept


def _measured(pattern: Familiar) -> Familiar:
    """The pattern with its radius, its edges and its body; without parts where it is not even like itself."""
    loud = [windows[use != NOT] for windows, use in _pieces(pattern.parts, pattern.window)]
    windows = np.concatenate(loud) if loud else np.empty((0, 0), np.float32)
    if len(windows) < 2:
        return replace(pattern, parts=())
    size = np.linalg.norm(windows, axis=1)
    radius = BODY_SIZE * float(size.max())
    body, parts, at = np.where(size > radius, BODY, EDGE).astype(np.uint8), [], 0
    some = np.flatnonzero(body == BODY)
    step = float(np.median([_step(windows, one) for one in some[:: max(1, len(some) // _AT_ONCE)]]))
    noise = float(np.sqrt(windows.shape[1]))  # two windows of normal residuals, each 1 in size, differ by so much
    if max(step, noise) > radius:
        return replace(pattern, parts=())
    for part in pattern.parts:
        use, count = part.use.copy(), int((part.use != NOT).sum())
        use[use != NOT] = body[at : at + count]
        parts.append(Part(part.rows, use))
        at += count
    return replace(pattern, parts=tuple(parts), radius=radius, edge=max(_longest(part.use) for part in parts))


def _step(windows: np.ndarray, at: int) -> float:
    """How far a window is from the nearest other one."""
    distance = np.linalg.norm(windows - windows[at], axis=1)
    distance[at] = np.inf
    return float(distance.min())


def _longest(use: np.ndarray) -> int:
    """Rows of the longest stretch of edge."""
    bounds = np.flatnonzero(np.diff(np.concatenate([[0], use == EDGE, [0]])))
    return int((bounds[1::2] - bounds[::2]).max(initial=0))


def _pieces(parts: Sequence[Part], window: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(k, window * columns) windows and (k,) what they are good for, k small."""
    for part in parts:
        view = np.lib.stride_tricks.sliding_window_view(part.rows, window, axis=0).transpose(0, 2, 1)
        for start in range(0, len(view), _AT_ONCE):
            piece = slice(start, start + _AT_ONCE)
            yield view[piece].reshape(len(part.use[piece]), -1).astype(np.float32), part.use[piece]


def _text(values: np.ndarray) -> str:
    return base64.b64encode(values.tobytes()).decode("ascii")


def _bytes(text: object) -> bytes:
    return base64.b64decode(str(text), validate=True)
