"""A configured stream as the agent serves it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edge.agent.inbox import Route
from edge.agent.inference import Inference


@dataclass(frozen=True)
class Served:
    """A configured stream: number `number` of an inference."""

    id: str
    route: Route
    inference: Inference
    number: int

    def save(self) -> None:
        """Bring what is on disk of it up to date."""
        self.inference.save(self.number)

    def time(self, monotonic: float) -> float:
        """Its own time, Unix seconds; NaN where it has none yet."""
        rows = self.inference.stream(self.number)
        return math.nan if rows is None else rows.time(monotonic)

    def health(self, overrun: int, trouble: str | None, monotonic: float) -> dict[str, Any]:
        """For the health topic; `overrun` readings were pushed out by newer ones, `trouble` is why it is not judged."""
        stream = self.inference.stream(self.number)
        counts = stream.health() if stream is not None else {"late": 0}
        return {
            "trouble": trouble or self.inference.unjudged_channels(self.number, monotonic),
            "judged": self.inference.calm(self.number, monotonic),
            "rows": self.inference.rows[self.number],
            "unscored": self.inference.unscored[self.number],
            "collected": self.inference.collected(self.number),
            "normal": self.inference.called_normal(self.number),
            **counts,
            "late": counts["late"] + overrun,
            "overrun": overrun,
        }


def routes_of(streams: Sequence[Served]) -> dict[Route, list[Served]]:
    """The streams of each board."""
    routes: dict[Route, list[Served]] = {}
    for stream in streams:
        routes.setdefault(stream.route, []).append(stream)
    return routes


def few(names: Sequence[str], most: int = 8) -> str:
    """The first `most` names, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
