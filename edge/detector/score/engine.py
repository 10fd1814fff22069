"""The core loop: rows of many streams in, one fused statistic for each out."""

from dataclasses import dataclass

import numpy as np

from edge.detector.bundle.calibration import Calibration, everything
from edge.detector.bundle.gaussian import Gaussian
from edge.detector.bundle.memory import Memory
from edge.detector.bundle.scaler import to_z
from edge.detector.members.registry import (
    BIAS,
    ENERGY,
    LEVEL,
    MEMBERS,
    MEMORY,
    RECENT,
    RECENT_ROWS,
    RELATION,
    Fused,
    fuse,
)
from edge.detector.members.tuning import Tuning
from edge.detector.score.chart import Charts, Wander
from edge.detector.score.ring import RingBuffer
from edge.detector.score.runtime import Network

_LEAST_DRIFT = 1e-9
"""Stands for a bound of zero, which no baseline can reach a part of; z-units."""
_DISTANCES = 10
"""Distances to remembered windows that are taken in the time of one window."""
_CUT = 16.0
"""Residuals are cut off at this many residual scales: one wild reading must not fill a window, several may."""


@dataclass(frozen=True)
class Shape:
    """What the arrays of an engine are sized by."""

    window: int
    channels: int
    slots: int = 1
    stride: int = 1


@dataclass(frozen=True)
class Scored:
    """What one row each of n streams gave; NaN and zeros where no network ran."""

    ran: np.ndarray
    """(n,) bool: whether this row completed a window that the network ran on."""
    statistic: np.ndarray
    """(n,): the fused statistic, NaN where it did not run, or no member takes part."""
    shares: np.ndarray
    """(n, channels)."""
    reason: np.ndarray
    """(n, channels): the member that says most of each channel, as a position in `MEMBERS`."""
    expected: np.ndarray
    """(n, channels): what the network made of the last row, in the channels' units; NaN where it did not run."""
    level: np.ndarray
    """(n, channels): where the baseline is, in the channels' units."""
    parts: np.ndarray
    """(ran, members, channels): every member's parts by channel, before usual sizes; of those that ran."""
    values: np.ndarray
    """(ran, members): the members that are one number for all; NaN for those by channel."""
    last: np.ndarray
    """(ran, channels): residuals of last rows, residual scales, signed."""
    away: np.ndarray
    """(ran, channels): distances of last rows from their baselines, z-units, signed."""


class Engine:
    """Scaler, baselines, charts, windows and network of streams that share a model; the first axis is the stream."""

    def __init__(self, network: Network, shape: Shape, streams: int, tuning: Tuning) -> None:
        self.shape = shape
        self.tuning = tuning
        self.charts = Charts(streams, shape, tuning)
        self._network = network
        self._rings = RingBuffer(streams, shape.window, shape.channels)
        self._known = RingBuffer(streams, shape.window, shape.channels, bool)
        self.keeps_looks = False
        """Whether rows are kept as `looks` gives them."""
        self._looks = RingBuffer(streams, shape.window, self.look_columns)
        self._residual: np.ndarray = np.zeros((streams, shape.channels))  # of the last row that the network saw
        self._spread: np.ndarray = np.ones((streams, shape.channels))
        self._since_run: np.ndarray = np.zeros(streams, np.intp)
        size = (streams, shape.channels)
        self._center: np.ndarray = np.zeros((streams, shape.slots, shape.channels))
        self._scale: np.ndarray = np.ones_like(self._center)
        self._wander = Wander(np.zeros(size), np.zeros(size), np.full(size, np.inf), np.full(size, np.inf))
        self._shifted: np.ndarray = np.zeros((streams, 1))
        self._residual_scale: np.ndarray = np.ones(size)
        self._fitted: np.ndarray = np.tile(everything(shape.channels).astype(np.float32), (streams, 1, 1))
        self._projector: np.ndarray = np.zeros((streams, shape.channels, shape.channels))
        self._size: np.ndarray = np.ones((streams, 3, shape.channels))
        self._usual: np.ndarray = np.zeros((streams, len(MEMBERS)))
        self._limit: np.ndarray = np.full((streams, len(MEMBERS)), np.inf)
        self._memory: list[Memory | None] = [None] * streams
        self._memory_stride = max(shape.stride, round(shape.window / _DISTANCES))
        self._far: np.ndarray = np.full(streams, np.nan)
        self._from_nearest: np.ndarray = np.zeros(size)
        self._gaussians: dict[int, Gaussian] = {}  # of streams whose threshold is one
        self._recent = max(1, round(shape.window * RECENT))

    def commission(self, stream: int, calibration: Calibration) -> None:
        """Give a stream its scaler and limits."""
        self._center[stream] = calibration.scaler.center
        self._scale[stream] = calibration.scaler.scale
        self._wander.low[stream], self._wander.high[stream] = calibration.wander
        self._wander.control[stream] = calibration.control_limit
        self._wander.most[stream] = calibration.max_drift
        self._shifted[stream] = calibration.shifted
        self._residual_scale[stream] = calibration.residual_scale
        self._fitted[stream] = calibration.fitted_range
        self._spread[stream] = calibration.spread[0]
        self._projector[stream] = calibration.projector
        self._size[stream] = calibration.sizes
        self._usual[stream], self._limit[stream] = calibration.limits.usual, calibration.limits.limit
        self._memory[stream] = calibration.memory
        self._far[stream], self._from_nearest[stream] = np.nan, 0.0
        self._gaussians.pop(stream, None)
        if calibration.gaussian is not None:
            self._gaussians[stream] = calibration.gaussian

    def bound_drift(self, stream: int, max_drift: float) -> None:
        """Let every baseline of a stream leave its commissioned value by `max_drift` z-units at most."""
        self._wander.most[stream] = max_drift

    def step(
        self,
        streams: np.ndarray,
        values: np.ndarray,
        slots: np.ndarray,
        restart: np.ndarray,
        gap_rows: np.ndarray | None = None,
        alarm: np.ndarray | None = None,
    ) -> Scored:
        """Take one row (n, channels) each of n different streams, in the channels' units.

        `slots` (n,) are the season's, `restart` (n,) says where a gap lies before the row,
        `gap_rows` (n,) how long it was (None: nobody knows), `alarm` (n,) who is in alarm.
        """
        self._start_over(streams[restart], None if gap_rows is None else gap_rows[restart])
        self.charts.count(streams, np.zeros(len(streams), bool) if alarm is None else alarm)
        center, scale = self._center[streams, slots], self._scale[streams, slots]
        z = to_z(values, center, scale)
        known = ~np.isnan(z)
        self._rings.append(streams, self._filled(streams, slots, z, known))
        self._known.append(streams, known)
        baseline = self._chart(streams, slots, z, known)
        distance = np.where(known, z - baseline, 0.0)
        self._fill(streams, distance, known)
        rest = np.einsum("nij,nj->ni", self._projector[streams], distance) * known
        relation = self.charts.update_relation(streams, rest * rest)
        scored = self._run(streams, relation, distance, baseline, scale, center)
        if self.keeps_looks:
            self._keep_looks(streams, scored, distance)
        return scored

    @property
    def look_columns(self) -> int:
        """Of what `looks` gives."""
        return 2 * self.shape.channels

    def looks(self, stream: int) -> np.ndarray | None:
        """(window, 2 * channels): residuals of a stream's last rows, as each ended its window, in residual scales, and
        their distances from the baseline as parts of what normal rows reach. None while they are too few."""
        one = np.array([stream])
        return self._looks.windows(one)[0] if self._looks.full(one)[0] else None

    def _keep_looks(self, streams: np.ndarray, scored: Scored, distance: np.ndarray) -> None:
        self._residual[streams[scored.ran]] = np.clip(scored.last, -_CUT, _CUT)
        self._looks.append(streams, np.hstack([self._residual[streams], distance / self._spread[streams]]))

    def _filled(self, streams: np.ndarray, slots: np.ndarray, z: np.ndarray, known: np.ndarray) -> np.ndarray:
        """(n, channels) rows as the network may see them: what is missing as it goes best with the rest."""
        if known.all():
            return z
        baseline = self.charts.baseline[streams, slots]
        distance = np.where(known, z - baseline, 0.0)
        self._fill(streams, distance, known)
        return np.where(known, z, baseline + distance)

    def _fill(self, streams: np.ndarray, distance: np.ndarray, known: np.ndarray) -> None:
        """Give channels that are missing the distances that go best with the others: they are not to be blamed.

        Source: Arteaga and Ferrer 2002, missing data in PCA by regression on what is known.
        """
        for n in np.flatnonzero(~known.all(axis=1)).tolist():
            projector, there = self._projector[streams[n]], known[n]
            if there.any():
                wanted = -projector[:, there] @ distance[n, there]
                distance[n, ~there] = np.linalg.lstsq(projector[:, ~there], wanted, rcond=None)[0]

    def reach(self, streams: np.ndarray) -> np.ndarray:
        """(n, channels): how much of its bound each baseline has used, 0 to 1; with a season, the median slot's."""
        return self._of_slots(np.abs(self.charts.baseline[streams])) / np.maximum(
            self._wander.most[streams], _LEAST_DRIFT
        )

    def normal_now(self, stream: int) -> tuple[np.ndarray, np.ndarray]:
        """(channels,) each in the channels' units: where the baselines are, and where they were commissioned."""
        center, scale = self._center[stream], self._scale[stream]
        return self._of_slots(center + self.charts.baseline[stream] * scale), self._of_slots(center)

    def _of_slots(self, values: np.ndarray) -> np.ndarray:
        """(..., slots, channels) as (..., channels)."""
        return values[..., 0, :] if self.shape.slots == 1 else np.median(values, axis=-2)

    def take_over(self, stream: int, other: "Engine", theirs: int = 0) -> None:
        """Go on from where a stream of another engine stands: window, charts, baseline, phase of the stride."""
        self.charts.take_over(stream, other.charts, theirs)
        self._rings.copy_from(stream, other._rings, theirs)
        self._known.copy_from(stream, other._known, theirs)
        self._looks.copy_from(stream, other._looks, theirs)
        self._since_run[stream] = other._since_run[theirs]
        self._far[stream], self._from_nearest[stream] = other._far[theirs], other._from_nearest[theirs]

    def _chart(self, streams: np.ndarray, slots: np.ndarray, z: np.ndarray, known: np.ndarray) -> np.ndarray:
        """(n, channels): the baselines after these rows."""
        charts = self.charts
        charts.update_level(streams, z - charts.baseline[streams, slots])
        full = charts.age[streams] == self.shape.window
        if full.any():
            charts.place(streams[full], self._means(streams[full]), self._wander_of(streams[full]))
        charts.go_home(streams, slots, self._wander.control[streams])
        distance = np.where(known, z - charts.baseline[streams, slots], 0.0)
        return charts.follow(streams, slots, distance, self._wander.control[streams], self._wander.most[streams])

    def _wander_of(self, streams: np.ndarray) -> Wander:
        every = self._wander
        return Wander(every.low[streams], every.high[streams], every.control[streams], every.most[streams])

    def _means(self, streams: np.ndarray) -> np.ndarray:
        """(n, channels) means over full windows, NaN where nothing is known."""
        known = self._known.windows(streams)
        count = known.sum(axis=1)
        total = (self._rings.windows(streams) * known).sum(axis=1)
        return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)

    def _run(
        self,
        streams: np.ndarray,
        relation: np.ndarray,
        distance: np.ndarray,
        baseline: np.ndarray,
        scale: np.ndarray,
        center: np.ndarray,
    ) -> Scored:
        self._since_run[streams] += 1
        ran = self._rings.full(streams) & (self._since_run[streams] >= self.shape.stride)
        n, channels, members = len(streams), self.shape.channels, len(MEMBERS)
        statistic, shares = np.full(n, np.nan), np.zeros((n, channels))
        reason = np.zeros((n, channels), np.intp)
        expected, count = np.full((n, channels), np.nan), int(ran.sum())
        level = center + baseline * scale
        if not count:
            none = np.zeros((0, channels))
            return Scored(
                ran, statistic, shares, reason, expected, level, np.zeros((0, members, channels)),
                np.zeros((0, members)), none, none,
            )  # fmt: skip
        due = streams[ran]
        self._since_run[due] = 0
        windows, known = self._rings.windows(due), self._known.windows(due)
        shift = (baseline[ran] * self._shifted[due])[:, None]
        output, residual = self._residuals(due, windows, known, shift)
        parts, values = self._members(due, relation[ran], residual, windows, known, baseline[ran])
        fused = self._fused(due, parts, values)
        statistic[ran], shares[ran], reason[ran] = fused.statistic, fused.shares, fused.reason
        self._by_gaussian(due, np.flatnonzero(ran), residual[:, -1], statistic, shares)
        expected[ran] = output * scale[ran] + center[ran] + (shift[:, 0] * scale[ran])
        away = np.where(known[:, -1], distance[ran], 0.0)
        return Scored(ran, statistic, shares, reason, expected, level, parts, values, residual[:, -1], away)

    def _residuals(
        self, due: np.ndarray, windows: np.ndarray, known: np.ndarray, shift: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """(n, channels) what the network made of last rows, and (n, window, channels) residuals in residual scales.

        The network is shown nothing beyond the range that it was fitted on: further out it
        guesses, about the other channels too. What lies there is left to the other members.
        A reading that is missing is not judged.
        """
        given = np.clip((windows - shift).astype(np.float32), self._fitted[due, :1], self._fitted[due, 1:])
        outputs = self._network.run(given)
        residual = np.where(known, given - outputs, 0.0) / self._residual_scale[due][:, None]
        return outputs[:, -1], residual

    def _members(
        self,
        due: np.ndarray,
        relation: np.ndarray,
        residual: np.ndarray,
        windows: np.ndarray,
        known: np.ndarray,
        baseline: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """(n, members, channels) parts and (n, members) values, in the order of `MEMBERS`."""
        cut = np.minimum(np.maximum(residual, -_CUT), _CUT)
        squares = cut * cut
        rows, n = self.shape.window, len(due)
        bias, energy = self.charts.update_errors(due, cut.sum(axis=1) / rows, squares.sum(axis=1) / rows)
        parts = np.empty((n, len(MEMBERS), self.shape.channels))
        values = np.full((n, len(MEMBERS)), np.nan)
        np.abs(self.charts.level[due], out=parts[:, LEVEL])
        parts[:, BIAS], parts[:, ENERGY], parts[:, RELATION] = bias, energy, relation
        np.divide(squares[:, -self._recent :].sum(axis=1), self._recent, out=parts[:, RECENT_ROWS])
        values[:, RELATION] = relation.sum(axis=1)
        values[:, RECENT_ROWS] = parts[:, RECENT_ROWS].sum(axis=1) / self.shape.channels
        values[:, MEMORY], parts[:, MEMORY] = self._distances(due, windows, known, baseline)
        return parts, values

    def _distances(
        self, due: np.ndarray, windows: np.ndarray, known: np.ndarray, baseline: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """(n,) distances to remembered windows and (n, channels) parts; NaN and 0 where nothing is remembered.

        Taken anew every few rows of a stream: windows that share nearly all of their rows differ little.
        """
        anew = (self.charts.age[due] - self.shape.window) % self._memory_stride < self.shape.stride
        if anew.any():
            for memory, at in self._by_memory(due, np.flatnonzero(anew)):
                away = np.where(known[at], windows[at] - baseline[at][:, None], 0.0).astype(np.float32)
                self._far[due[at]], self._from_nearest[due[at]] = memory.distances(away, known[at])
        return self._far[due], self._from_nearest[due]

    def _by_memory(self, due: np.ndarray, places: np.ndarray) -> list[tuple[Memory, np.ndarray]]:
        """Places in `due` of the streams that share a memory."""
        shared: dict[int, tuple[Memory, list[int]]] = {}
        for place in places.tolist():
            stream = due[place]
            memory = self._memory[stream]
            if memory is not None and self._limit[stream, MEMORY] < np.inf:
                shared.setdefault(id(memory), (memory, []))[1].append(place)
        return [(memory, np.array(of)) for memory, of in shared.values()]

    def _fused(self, due: np.ndarray, parts: np.ndarray, values: np.ndarray) -> Fused:
        sized, loudest = parts.copy(), values.copy()
        sized[:, :3] /= self._size[due]
        loudest[:, :3] = sized[:, :3].max(axis=2)
        sized[:, :2] *= sized[:, :2]  # energies are squares already
        fused = fuse(loudest, sized, self._usual[due], self._limit[due])
        blind = ~np.isfinite(self._limit[due]).any(axis=1)
        return fused if not blind.any() else Fused(
            np.where(blind, np.nan, fused.statistic), fused.shares, fused.reason
        )  # fmt: skip

    def _by_gaussian(
        self, due: np.ndarray, places: np.ndarray, last: np.ndarray, statistic: np.ndarray, shares: np.ndarray
    ) -> None:
        """Replace what was fused of streams whose threshold is a Gaussian's."""
        if not self._gaussians:
            return
        for n, (stream, place) in enumerate(zip(due.tolist(), places.tolist(), strict=True)):
            if (gaussian := self._gaussians.get(stream)) is not None:
                one, parts = gaussian.statistic(last[n : n + 1])
                statistic[place], shares[place] = one[0], parts[0]

    def _start_over(self, streams: np.ndarray, gap_rows: np.ndarray | None) -> None:
        if len(streams):
            self._rings.clear(streams)
            self._known.clear(streams)
            self._looks.clear(streams)
            self._residual[streams] = 0.0
            self._far[streams], self._from_nearest[streams] = np.nan, 0.0
            self.charts.clear(streams, np.full(len(streams), np.inf) if gap_rows is None else gap_rows)
            self._since_run[streams] = self.shape.stride
