"""An episode as a picture: its loudest channels with what was expected, and the score."""

import io
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from PIL import Image, ImageDraw, ImageFont

from edge.wire.moments import utc

_WIDTH, _PANEL, _TOP, _LEFT, _RIGHT, _SCALE = 900, 150, 74, 74, 18, 2
_CHANNELS = 3
_LARGEST = 1e100
Point = tuple[float, float | None]


class Scheme(NamedTuple):
    """Colours."""

    ground: str
    text: str
    muted: str
    grid: str
    read: str
    expected: str
    band: str
    span: str
    level: str


_LIGHT = Scheme("#ffffff", "#1c1b19", "#605c55", "#e4e0d8", "#26344a", "#2468bd", "#dde9f8", "#f8e0de", "#b3261e")
_DARK = Scheme("#1c1b19", "#f0eee9", "#aaa59a", "#34322e", "#e8e6e1", "#7ab0f4", "#25364b", "#452a27", "#ff8a80")


def drawn(event: dict[str, Any], rows: dict[str, Any], dark: bool = False) -> bytes:
    """PNG of an episode. `event` is its last message, `rows` the answer to the request `rows`.

    Anything in them may be missing or of another type: what cannot be drawn is left out.
    """
    return _Drawing(event, rows, _DARK if dark else _LIGHT).png()


class _Drawing:
    def __init__(self, event: dict[str, Any], rows: dict[str, Any], scheme: Scheme) -> None:
        self._event, self._rows, self._scheme = event, rows, scheme
        times = _numbers(rows.get("times"))
        self._known = [number for number, time in enumerate(times) if time is not None]
        self._times = [time for time in times if time is not None]
        self._channels = _loudest(event, rows)
        height = _TOP + _PANEL * (len(self._channels) + 1) + 12
        self._image = Image.new("RGB", (_WIDTH * _SCALE, height * _SCALE), scheme.ground)
        self._draw = ImageDraw.Draw(self._image)
        start = _number(event.get("start_time"), self._times[0] if self._times else 0.0)
        self._span = (start, _number(event.get("end_time"), math.inf))
        shown = self._times or [start, start + 1]  # in any order, where a clock was set
        self._from, self._to = min(shown), max(shown)

    def png(self) -> bytes:
        """Draw all of it."""
        self._head()
        for number, (name, unit) in enumerate(self._channels):
            self._channel(_TOP + number * _PANEL, name, unit)
        self._score(_TOP + len(self._channels) * _PANEL)
        file = io.BytesIO()
        self._image.save(file, "PNG", optimize=True)
        return file.getvalue()

    def _head(self) -> None:
        event, scheme = self._event, self._scheme
        title = f"{event.get('device')} / {event.get('stream')}: {event.get('kind')}, {event.get('severity')}"
        self._text((18, 14), title, 19, scheme.text)
        end = _number(event.get("end_time"), math.nan)
        until = "is open" if math.isnan(end) else f"ended {_time(end)}"
        self._text((18, 42), f"began {_time(self._span[0])}, {until} (UTC)", 13, scheme.muted)

    def _channel(self, top: int, name: str, unit: str) -> None:
        values, expected, tolerance = (
            self._column(_part(self._rows, part, name)) for part in ("values", "expected", "tolerance")
        )
        reach = [
            (at - by, at + by) if at is not None and by is not None and by >= 0 else (None, None)
            for at, by in zip(expected, tolerance, strict=False)
        ]
        known = [one for one in (*values, *expected, *(edge for pair in reach for edge in pair)) if one is not None]
        axis = self._axis(top, f"{name} ({unit})" if unit else name, known)
        self._band(top, axis, reach)
        self._line(top, axis, expected, self._scheme.expected, 1)
        self._line(top, axis, values, self._scheme.read, 2)

    def _column(self, listed: Any) -> list[float | None]:
        """Of the rows whose time is known."""
        numbers = _numbers(listed)
        return [numbers[row] if row < len(numbers) else None for row in self._known]

    def _score(self, top: int) -> None:
        scores = [None if one is None else math.log10(max(one, 0.02)) for one in self._column(self._rows.get("scores"))]
        known = [one for one in scores if one is not None]
        axis = self._axis(top, "score", [*known, -1.0, 0.5], log=True)
        y = self._y(top, axis, 0.0)
        for x in range(_LEFT, _WIDTH - _RIGHT, 10):
            self._draw.line(_scaled((x, y), (x + 5, y)), self._scheme.level, _SCALE)
        self._line(top, axis, scores, self._scheme.expected, 2)

    def _axis(self, top: int, title: str, known: Sequence[float], log: bool = False) -> tuple[float, float]:
        low, high = (min(known), max(known)) if known else (0.0, 1.0)
        room = (high - low) * 0.06 or abs(high) * 0.1 or 1.0
        axis = (low - room, high + room)
        start, end = (self._x(max(one, self._from)) for one in (self._span[0], min(self._span[1], self._to)))
        box = _scaled((start, top + 22), (max(end, start + 2), top + _PANEL - 12))
        self._draw.rectangle(box, self._scheme.span)
        for part in (0.1, 0.5, 0.9):
            value = axis[0] + part * (axis[1] - axis[0])
            y = self._y(top, axis, value)
            self._draw.line(_scaled((_LEFT, y), (_WIDTH - _RIGHT, y)), self._scheme.grid, _SCALE)
            label = f"{10**value:.3g}" if log else f"{value:.4g}"
            self._text((_LEFT - 8, y - 7), label, 11, self._scheme.muted, right=True)
        self._text((_LEFT, top + 2), title, 13, self._scheme.text)
        return axis

    def _band(self, top: int, axis: tuple[float, float], reach: Sequence[tuple[float | None, float | None]]) -> None:
        for (time, later), pair in zip(zip(self._times, self._times[1:], strict=False), reach, strict=False):
            low, high = pair
            if low is not None and high is not None and later >= time:
                corners = ((self._x(time), self._y(top, axis, high)), (self._x(later), self._y(top, axis, low)))
                self._draw.rectangle(_scaled(*corners), self._scheme.band)

    def _line(
        self, top: int, axis: tuple[float, float], values: Sequence[float | None], colour: str, width: int
    ) -> None:
        piece: list[tuple[float, float]] = []
        for time, value in zip(self._times, [*values, None], strict=False):
            if value is None:
                self._stroke(piece, colour, width)
                piece = []
            else:
                piece.append((self._x(time), self._y(top, axis, value)))
        self._stroke(piece, colour, width)

    def _stroke(self, piece: list[tuple[float, float]], colour: str, width: int) -> None:
        if len(piece) > 1:
            self._draw.line(_scaled(*piece), colour, width * _SCALE, joint="curve")

    def _x(self, time: float) -> float:
        return _LEFT + (time - self._from) / max(self._to - self._from, 1e-3) * (_WIDTH - _LEFT - _RIGHT)

    def _y(self, top: int, axis: tuple[float, float], value: float) -> float:
        return top + _PANEL - 12 - (value - axis[0]) / (axis[1] - axis[0]) * (_PANEL - 34)

    def _text(self, at: tuple[float, float], text: str, size: int, colour: str, right: bool = False) -> None:
        font = ImageFont.load_default(size * _SCALE)
        shown = "".join(mark if mark.isprintable() else "?" for mark in text[:120])
        self._draw.text((at[0] * _SCALE, at[1] * _SCALE), shown, colour, font, anchor="ra" if right else "la")


def _loudest(event: dict[str, Any], rows: dict[str, Any]) -> list[tuple[str, str]]:
    listed = rows.get("channels")
    channels = [
        (str(one.get("name")), str(one.get("unit") or ""))
        for one in (listed if isinstance(listed, list) else [])
        if isinstance(one, dict)
    ]
    peak = event.get("peak")
    parts = (peak.get("contributors") if isinstance(peak, dict) else None) or event.get("contributors")
    order = [one.get("channel") for one in (parts if isinstance(parts, list) else []) if isinstance(one, dict)]
    if isinstance(rule := event.get("rule"), dict):
        order.insert(0, rule.get("channel"))
    return sorted(channels, key=lambda one: order.index(one[0]) if one[0] in order else len(order))[:_CHANNELS]


def _part(rows: dict[str, Any], part: str, name: str) -> Any:
    found = rows.get(part)
    return found.get(name) if isinstance(found, dict) else None


def _numbers(listed: Any) -> list[float | None]:
    return [float(one) if _drawable(one) else None for one in (listed if isinstance(listed, list) else [])]


def _number(value: Any, default: float) -> float:
    return float(value) if _drawable(value) else default


def _drawable(value: Any) -> bool:
    """A number with which the axes can be computed."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST


def _time(seconds: float) -> str:
    try:
        return utc(seconds).strftime("%Y-%m-%d %H:%M:%S")
    except (OverflowError, ValueError, OSError):
        return "at an unknown time"


def _scaled(*points: tuple[float, float]) -> list[tuple[float, float]]:
    return [(x * _SCALE, y * _SCALE) for x, y in points]
