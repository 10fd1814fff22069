"""What the plant asks of the pump: start, stop, and a speed setpoint in steps with ramps."""

from collections import deque
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class LoadProfile:
    """How a pump is used."""

    run_s: tuple[float, float] = (480.0, 1080.0)
    """Shortest and longest run, seconds."""
    stop_s: tuple[float, float] = (120.0, 240.0)
    """Shortest and longest stop, seconds."""
    hold_s: tuple[float, float] = (60.0, 240.0)
    """A setpoint is held so long, seconds."""
    speed: tuple[float, float] = (0.75, 1.0)
    """Range of the setpoint, part of the rated speed."""
    ramp_per_s: float = 0.07
    """The drive's ramp, part of the rated speed a second: a start takes 11 to 14 s."""


@dataclass(frozen=True, slots=True)
class Step:
    """From `start_s` on the drive goes to `level`."""

    start_s: float
    """Seconds since the start of the simulation."""
    level: float | None
    """Place in the range of setpoints, 0 to 1; None is a stop."""


class Load:
    """The setpoint over time, drawn as it is needed."""

    def __init__(self, rng: np.random.Generator, profile: LoadProfile):
        self.rng = rng
        self.profile = profile
        self.run_end_s = rng.uniform(*profile.run_s)
        self.steps = deque([Step(-60.0, rng.uniform())])
        self.drawn_until_s = rng.uniform(*profile.hold_s)

    def setpoint(self, times_s: np.ndarray, shift: float = 0.0) -> np.ndarray:
        """Speed setpoint, part of rated, at increasing times (rows,), seconds since the start.

        `shift` moves every level round the range by that part of it: the same
        distribution of levels, the same starts and stops, another load.
        """
        self._draw_until(float(times_s[-1]))
        moments, levels = self._corners(shift)
        return np.interp(times_s, moments, levels)

    def forget_before(self, time_s: float) -> None:
        """Steps that can no longer matter are dropped; a month need not stay in memory."""
        while len(self.steps) > 2 and self.steps[2].start_s < time_s - 60.0:
            self.steps.popleft()

    def _draw_until(self, time_s: float) -> None:
        while self.drawn_until_s <= time_s:
            start_s = self.drawn_until_s
            if start_s >= self.run_end_s:
                self.steps.append(Step(start_s, None))
                start_s += self.rng.uniform(*self.profile.stop_s)
                self.run_end_s = start_s + self.rng.uniform(*self.profile.run_s)
            self.steps.append(Step(start_s, self.rng.uniform()))
            self.drawn_until_s = start_s + self.rng.uniform(*self.profile.hold_s)

    def _corners(self, shift: float) -> tuple[list[float], list[float]]:
        low, high = self.profile.speed
        moments: list[float] = []
        speeds: list[float] = []
        for step in self.steps:
            goal = 0.0 if step.level is None else low + (high - low) * ((step.level + shift) % 1.0)
            origin = speeds[-1] if speeds else goal
            moments += [step.start_s, step.start_s + max(abs(goal - origin) / self.profile.ramp_per_s, 1e-3)]
            speeds += [origin, goal]
        return moments, speeds
