"""The core loop: rows of many streams in, one fused statistic for each out."""

from dataclasses import replace

import numpy as np

from edge.detector.bundle.calibration import Calibration
from edge.detector.bundle.scaler import to_z
from edge.detector.members.member import Measured
from edge.detector.members.registry import BY_CHANNEL, MEMBERS
from edge.detector.members.tuning import Tuning
from edge.detector.score.calibrations import Calibrations, Shape
from edge.detector.score.chart import Charts
from edge.detector.score.fusion import Fused, fuse
from edge.detector.score.nearest import Nearest
from edge.detector.score.ring import RingBuffer
from edge.detector.score.runtime import Network
from edge.detector.score.scored import Scored, silent

_LEAST_DRIFT = 1e-9
"""Stands for a bound of zero, which no baseline can reach a part of; z-units."""
_BY_CHANNEL = len(BY_CHANNEL)
_NOT_SQUARED = [at for at, member in enumerate(MEMBERS) if not member.squared]
_CUT = 16.0
"""Residuals are cut off at this many residual scales: one wild reading must not fill a window, several may."""


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
        self._since_run: np.ndarray = np.zeros(streams, np.intp)
        self._learned = Calibrations(streams, shape)
        self._nearest = Nearest(streams, shape)

    def commission(self, stream: int, calibration: Calibration) -> None:
        """Give a stream its scaler and limits."""
        self._learned.take(stream, calibration)
        self._nearest.clear(stream)

    def bound_drift(self, stream: int, max_drift: float) -> None:
        """Let every baseline of a stream leave its commissioned value by `max_drift` z-units at most."""
        self._learned.wander.most[stream] = max_drift

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
        center, scale = self._learned.center[streams, slots], self._learned.scale[streams, slots]
        z = to_z(values, center, scale)
        known = ~np.isnan(z)
        holes = not known.all()
        self._rings.append(streams, self._filled(streams, slots, z, known) if holes else z)
        self._known.append(streams, known)
        baseline = self._chart(streams, slots, z, known)
        distance = z - baseline
        if holes:
            distance = np.where(known, distance, 0.0)
            self._fill(streams, distance, known)
        rest = np.einsum("nij,nj->ni", self._learned.projector[streams], distance) * known
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
        self._residual[streams[scored.ran]] = np.minimum(np.maximum(scored.last, -_CUT), _CUT)
        away = distance / self._learned.spread[streams]
        self._looks.append(streams, np.concatenate([self._residual[streams], away], axis=1))

    def _filled(self, streams: np.ndarray, slots: np.ndarray, z: np.ndarray, known: np.ndarray) -> np.ndarray:
        """(n, channels) rows as the network may see them: what is missing as it goes best with the rest."""
        baseline = self.charts.baseline[streams, slots]
        distance = np.where(known, z - baseline, 0.0)
        self._fill(streams, distance, known)
        return np.where(known, z, baseline + distance)

    def _fill(self, streams: np.ndarray, distance: np.ndarray, known: np.ndarray) -> None:
        """Give channels that are missing the distances that go best with the others: they are not to be blamed.

        Source: Arteaga and Ferrer 2002, missing data in PCA by regression on what is known.
        """
        for n in np.flatnonzero(~known.all(axis=1)).tolist():
            projector, there = self._learned.projector[streams[n]], known[n]
            if there.any():
                wanted = -projector[:, there] @ distance[n, there]
                distance[n, ~there] = np.linalg.lstsq(projector[:, ~there], wanted, rcond=None)[0]

    def reach(self, streams: np.ndarray) -> np.ndarray:
        """(n, channels): how much of its bound each baseline has used, 0 to 1; with a season, the median slot's."""
        return self._of_slots(np.abs(self.charts.baseline[streams])) / np.maximum(
            self._learned.wander.most[streams], _LEAST_DRIFT
        )

    def normal_now(self, stream: int) -> tuple[np.ndarray, np.ndarray]:
        """(channels,) each in the channels' units: where the baselines are, and where they were commissioned."""
        center, scale = self._learned.center[stream], self._learned.scale[stream]
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
        self._nearest.take_over(stream, other._nearest, theirs)

    def _chart(self, streams: np.ndarray, slots: np.ndarray, z: np.ndarray, known: np.ndarray) -> np.ndarray:
        """(n, channels): the baselines after these rows."""
        charts = self.charts
        charts.update_level(streams, z - charts.baseline[streams, slots])
        full = charts.age[streams] == self.shape.window
        if full.any():
            charts.place(streams[full], self._means(streams[full]), self._learned.wander_of(streams[full]))
        charts.go_home(streams, slots, self._learned.wander.control[streams])
        distance = np.where(known, z - charts.baseline[streams, slots], 0.0)
        return charts.follow(
            streams, slots, distance, self._learned.wander.control[streams], self._learned.wander.most[streams]
        )

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
        n, count = len(streams), int(ran.sum())
        level = center + baseline * scale
        if not count:
            return silent(ran, level)
        at: np.ndarray | slice = slice(None) if count == n else ran  # nothing is copied where all did
        due, base = streams[at], baseline[at]
        self._since_run[due] = 0
        windows, known = self._rings.windows(due), self._known.windows(due)
        shift = (base * self._learned.shifted[due])[:, None]
        output, residual = self._residuals(due, windows, known, shift)
        parts, values = self._members(due, relation[at], residual, windows, known, base)
        fused = self._fused(due, parts, values)
        last = residual[:, -1]
        if self._learned.gaussians:
            self._by_gaussian(due, last, fused.statistic, fused.shares)
        expected = (output + shift[:, 0]) * scale[at] + center[at]
        away = np.where(known[:, -1], distance[at], 0.0)
        if count == n:
            said = (fused.statistic, fused.shares, fused.reason, expected)
            return Scored(ran, *said, level, parts, values, last, away)
        scored = replace(silent(ran, level), parts=parts, values=values, last=last, away=away)
        scored.statistic[ran], scored.shares[ran], scored.reason[ran] = fused.statistic, fused.shares, fused.reason
        scored.expected[ran] = expected
        return scored

    def _residuals(
        self, due: np.ndarray, windows: np.ndarray, known: np.ndarray, shift: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """(n, channels) what the network made of last rows, and (n, window, channels) residuals in residual scales.

        The network is shown nothing beyond the range that it was fitted on: further out it
        guesses, about the other channels too. What lies there is left to the other members.
        A reading that is missing is not judged.
        """
        fitted = self._learned.fitted[due]
        given = np.minimum(np.maximum((windows - shift).astype(np.float32), fitted[:, :1]), fitted[:, 1:])
        outputs = self._network.run(given)
        residual = np.where(known, given - outputs, 0.0) / self._learned.residual_scale[due][:, None]
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
        rows = self.shape.window
        bias, energy = self.charts.update_errors(due, cut.sum(axis=1) / rows, squares.sum(axis=1) / rows)
        away, parts_away = self._nearest.measure(due, (windows, known, baseline), self.charts.age[due], self._learned)
        measured = Measured(self.charts.level[due], relation, bias, energy, squares, away, parts_away)
        parts = np.empty((len(due), len(MEMBERS), self.shape.channels))
        values = np.full((len(due), len(MEMBERS)), np.nan)
        for at, member in enumerate(MEMBERS):
            parts[:, at] = member.parts(measured)
            if member.value is not None:
                values[:, at] = member.value(measured, parts[:, at])
        return parts, values

    def _fused(self, due: np.ndarray, parts: np.ndarray, values: np.ndarray) -> Fused:
        sized, loudest = parts.copy(), values.copy()
        sized[:, :_BY_CHANNEL] /= self._learned.size[due]
        loudest[:, :_BY_CHANNEL] = sized[:, :_BY_CHANNEL].max(axis=2)
        for at in _NOT_SQUARED:
            sized[:, at] *= sized[:, at]
        fused = fuse(loudest, sized, self._learned.usual[due], self._learned.limit[due])
        blind = self._learned.blind[due]
        return fused if not blind.any() else Fused(
            np.where(blind, np.nan, fused.statistic), fused.shares, fused.reason
        )  # fmt: skip

    def _by_gaussian(self, due: np.ndarray, last: np.ndarray, statistic: np.ndarray, shares: np.ndarray) -> None:
        """Replace what was fused of streams whose threshold is a Gaussian's."""
        for n, stream in enumerate(due.tolist()):
            if (gaussian := self._learned.gaussians.get(stream)) is not None:
                one, parts = gaussian.statistic(last[n : n + 1])
                statistic[n], shares[n] = one[0], parts[0]

    def _start_over(self, streams: np.ndarray, gap_rows: np.ndarray | None) -> None:
        if len(streams):
            self._rings.clear(streams)
            self._known.clear(streams)
            self._looks.clear(streams)
            self._residual[streams] = 0.0
            self._nearest.clear(streams)
            self.charts.clear(streams, np.full(len(streams), np.inf) if gap_rows is None else gap_rows)
            self._since_run[streams] = self.shape.stride
