"""EWMA control charts per channel, and a baseline that follows slow drift."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from edge.detector.members.relation import ROWS
from edge.detector.members.tuning import Tuning

_STEP = 6.0
"""A single row moves the baseline as if it were at most this far away, z-units."""
_LONG = 10**9
"""Rows since an alarm that never was."""
_STATE = ("level", "bias", "energy", "relation", "baseline", "home", "age", "gap", "calm", "alarmed", "learned")


class Sizes(Protocol):
    """What charts are sized by; see `edge.detector.score.engine.Shape`."""

    @property
    def window(self) -> int: ...
    @property
    def channels(self) -> int: ...
    @property
    def slots(self) -> int: ...
    @property
    def stride(self) -> int: ...


@dataclass(frozen=True)
class Wander:
    """How far the baselines of n streams go on normal rows; (n, channels) z-units."""

    low: np.ndarray
    high: np.ndarray
    control: np.ndarray
    """Level chart within which a baseline follows."""
    most: np.ndarray
    """Bound of a baseline either way."""


class Charts:
    """EWMA charts and baselines of many streams; the first axis is the stream.

    A channel's baseline follows its readings while that channel is in control, and stands
    still otherwise. It takes its place from the first window after a start or a long
    silence, within what it was seen to do on normal rows. Where it was before an alarm, or
    before a silence, is remembered as its home: what it followed meanwhile was perhaps the
    fault's, and it jumps back when the readings do.
    Source: Roberts 1959 (EWMA chart).
    """

    def __init__(self, streams: int, shape: Sizes, tuning: Tuning) -> None:
        size = (streams, shape.channels)
        self.level: np.ndarray = np.zeros(size)
        """EWMA of the distance from the baseline, z-units."""
        self.bias: np.ndarray = np.zeros(size)
        """EWMA of the windows' mean residuals, residual scales."""
        self.energy: np.ndarray = np.zeros(size)
        """EWMA of the windows' mean squared residuals, squared residual scales."""
        self.relation: np.ndarray = np.zeros(size)
        """EWMA of the squared parts of a row outside the principal components, squared z-units."""
        self.baseline: np.ndarray = np.zeros((streams, shape.slots, shape.channels))
        """Offset from the commissioned center, z-units."""
        self.home: np.ndarray = np.zeros_like(self.baseline)
        """The baseline before the last alarm or silence."""
        self.age: np.ndarray = np.zeros(streams, np.intp)
        """Rows since the windows started over."""
        self.gap: np.ndarray = np.full(streams, np.inf)
        """Rows of silence before that."""
        self.calm: np.ndarray = np.full(streams, _LONG, np.intp)
        """Rows since the last alarm, or since the baseline took its place after a silence."""
        self.alarmed: np.ndarray = np.zeros(streams, np.intp)
        """Rows that the present alarm has lasted."""
        self.learned: np.ndarray = np.zeros(streams, bool)
        """Whether the baseline was learned from readings; else it is the commissioned center's."""
        self._shape = shape
        self._level_weight = 1 / max(1.0, tuning.level_windows * shape.window)
        self._error_weight = 1 / max(1.0, tuning.error_windows * shape.window / shape.stride)
        self._memory = max(1.0, tuning.baseline_windows * shape.window)
        # A slot of a season comes round once a day or a week: it must follow within a few visits.
        self._follow = 1 / (self._memory if shape.slots == 1 else _SLOT_VISITS)
        self._patience = _PATIENCE * self._memory

    def update_level(self, streams: np.ndarray, distance: np.ndarray) -> np.ndarray:
        """Take (n, channels) distances from the baseline, NaN where missing; the level charts after them."""
        level = self.level[streams]
        level += self._level_weight * np.where(np.isnan(distance), 0.0, distance - level)
        self.level[streams] = level
        return level

    def update_relation(self, streams: np.ndarray, squares: np.ndarray) -> np.ndarray:
        """Take (n, channels) squared parts of rows; the charts after them."""
        chart = self.relation[streams]
        chart += (squares - chart) / ROWS
        self.relation[streams] = chart
        return chart

    def update_errors(self, streams: np.ndarray, bias: np.ndarray, energy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Take (n, channels) mean and mean squared residuals of windows; both charts after them, bias unsigned.

        What a chart remembers counts as far as the last window still shows it: an EWMA
        alone fades slowly after a loud fault.
        """
        weight = self._error_weight
        of_bias = self.bias[streams] + weight * (bias - self.bias[streams])
        of_energy = self.energy[streams] + weight * (energy - self.energy[streams])
        self.bias[streams], self.energy[streams] = of_bias, of_energy
        return np.minimum(np.abs(of_bias), np.abs(bias)), np.minimum(of_energy, energy)

    def count(self, streams: np.ndarray, alarm: np.ndarray) -> None:
        """A row came of n streams, of which `alarm` (n,) are in alarm."""
        self.age[streams] += 1
        alarmed = self.alarmed[streams]
        if not alarm.any() and not alarmed.any():
            self.calm[streams] += 1
            return
        calm = self.calm[streams]
        first = streams[alarm & (calm > self._memory)]
        self.home[first] = self.baseline[first]
        # What a fault left in slow charts is not the machine's, and would leave one window's mean to their limit.
        over = streams[~alarm & (alarmed > 0)]
        self.bias[over] = self.energy[over] = 0.0
        self.calm[streams] = np.where(alarm, 0, calm + 1)
        self.alarmed[streams] = np.where(alarm, alarmed + 1, 0)

    def follow(
        self, streams: np.ndarray, slots: np.ndarray, distance: np.ndarray, control: np.ndarray, most: np.ndarray
    ) -> np.ndarray:
        """Move the baselines of (n, channels) channels that are in control towards the readings; where they are then.

        `distance` from them is 0 where a reading is missing; `control` and `most` as in `Wander`.
        """
        level, alarmed = np.abs(self.level[streams]), self.alarmed[streams]
        if alarmed.any():
            # In an alarm what is only just in control may be the fault.
            within = control * np.where(alarmed > 0, _IN_ALARM, 1.0)[:, None]
            follows = (level <= within) | (alarmed > self._patience)[:, None]
        else:
            follows = level <= control
        follows &= (self.age[streams] > self._shape.window)[:, None]
        step = np.minimum(np.maximum(distance, -_STEP), _STEP)
        moved = self.baseline[streams, slots] + follows * (self._follow * step)
        moved = np.minimum(np.maximum(moved, -most), most)
        self.baseline[streams, slots] = moved
        return moved

    def place(self, streams: np.ndarray, means: np.ndarray, wander: Wander) -> None:
        """Put the baselines of n streams where the (n, channels) means of their first windows are, NaN where unknown.

        As far as the silence before it was long, and never beyond where it was seen to
        go on normal rows. A season knows where its slots are.
        """
        if self._shape.slots > 1:
            return
        now = self.baseline[streams, 0]
        unknown = 1 - np.exp(-self.gap[streams] / self._memory)
        # Where normal rows were seen, or where it already is: a drift that was followed is not undone by a gap.
        target = np.clip(means, np.minimum(wander.low, now), np.maximum(wander.high, now))
        shift = np.where(np.isnan(means), 0.0, unknown[:, None] * (target - now))
        self.baseline[streams, 0] = now + shift
        # It may be a fault that the first window shows: then it goes back to what it had learned when the readings do.
        learned, alarmed = self.learned[streams], self.alarmed[streams] > 0
        before = np.where(learned[:, None], now, now + shift)
        self.home[streams, 0] = np.where(alarmed[:, None], self.home[streams, 0], before)
        self.calm[streams] = np.where(learned, 0, self.calm[streams])
        self.learned[streams] = True
        self.level[streams] -= shift * (1 - (1 - self._level_weight) ** self._shape.window)

    def go_home(self, streams: np.ndarray, slots: np.ndarray, control: np.ndarray) -> None:
        """Jump back to the baseline before the alarm or silence where the level is in control there and not here.

        After a long calm nothing draws it there.
        """
        quiet = self.calm[streams] > self._memory
        if quiet.all():
            return
        away = self.baseline[streams, slots] - self.home[streams, slots]
        level = self.level[streams]
        from_home = level + away
        back = (np.abs(level) > control) & (np.abs(from_home) <= control) & ~quiet[:, None]
        if back.any():
            self.baseline[streams, slots] = np.where(back, self.home[streams, slots], self.baseline[streams, slots])
            self.level[streams] = np.where(back, from_home, level)

    def restore(self, stream: int, baseline: np.ndarray, learned: bool = True) -> None:
        """Begin anew with a (slots, channels) baseline of before; whether it was `learned`, see there."""
        fresh = np.array([stream])
        self.clear(fresh, np.full(1, np.inf))
        self.baseline[stream] = self.home[stream] = baseline
        self.calm[stream], self.alarmed[stream], self.learned[stream] = _LONG, 0, learned

    def clear(self, streams: np.ndarray, gap_rows: np.ndarray) -> None:
        """Start the charts over after n silences of so many rows; baselines stay until the window is full."""
        self.level[streams] = self.bias[streams] = self.energy[streams] = self.relation[streams] = 0.0
        # A silence in the first window is part of the one before it.
        before = np.where(self.age[streams] >= self._shape.window, 0.0, self.gap[streams])
        self.gap[streams] = before + gap_rows
        self.age[streams] = 0

    def take_over(self, stream: int, other: "Charts", theirs: int = 0) -> None:
        """Go on with the charts and the baseline of a stream of others of the same size."""
        for name in _STATE:
            getattr(self, name)[stream] = getattr(other, name)[theirs]


_IN_ALARM = 0.5
"""Part of the control limit within which a baseline follows in an alarm."""
_PATIENCE = 10.0
"""Time constants of a baseline after which an alarm's new level is taken for normal."""
_SLOT_VISITS = 8.0
"""Time constant of a seasonal baseline, rows that fall into a slot."""
