"""A configured stream as the agent serves it."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edge.agent.inbox import Route
from edge.agent.inference import Inference
from edge.agent.judging import Judging


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

    def recalibrate(self, back: bool) -> int | None:
        """Forget what it has learnt, or bring `back` what was forgotten last. How many rows it then collects to
        commission itself, None where it is judged by a calibration.

        Raises:
            RecalibrationError: there is nothing to bring back.
            OSError: the disk refuses.
        """
        inference, number, now = self.inference, self.number, time.monotonic()
        inference.save(number)
        own = self.time(now)
        open_ = inference.snapshots.recalibrate(number, own if math.isfinite(own) else -math.inf, back)
        inference.judging[number] = Judging(now)
        if (loaded := inference.loaded) is None:
            return inference.configs[number].calibrate_rows or None
        loaded.streams[number].in_episode = open_
        commissioned = loaded.group.calibration(number) is not None
        return None if commissioned else inference.configs[number].calibrate_rows

    def status(self, trouble: str | None, source_up: bool, monotonic: float) -> dict[str, Any]:
        """Whether it is judged, in a word, since when where that is known of its readings, and why not."""
        inference, number = self.inference, self.number
        rows, loaded = inference.stream(number), inference.loaded
        calibrated = loaded is not None and loaded.group.calibration(number) is not None
        heard = rows is not None and rows.live and math.isfinite(rows.arrived_at)
        at = time.time() - (monotonic - rows.arrived_at) if rows is not None and heard else None
        word = self._word(trouble, source_up, calibrated, monotonic)
        return {
            "status": word,
            "since": at if word in ("silent", "offline") else None,
            "why": trouble,
            "heard": at,
            "bundle": None if loaded is None else loaded.bundle.sha256,
            "rows": inference.rows[number],
            "collected": None if calibrated else inference.collected(number),
            "wanted": None if calibrated else inference.configs[number].calibrate_rows,
        }

    def _word(self, trouble: str | None, source_up: bool, calibrated: bool, monotonic: float) -> str:
        rows = self.inference.stream(self.number)
        if rows is None or self.number in self.inference.troubles:
            return "out of order"
        if rows.gone or not source_up:
            return "offline"
        if rows.silent(monotonic) and (trouble is not None or rows.readings):  # at the start it is given time
            return "silent"
        if trouble is not None:
            return "out of order"
        if not calibrated:
            return "commissioning"
        return "judging" if self.inference.calm(self.number, monotonic) else "starting"

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
