"""The detector's arithmetic for a whole recording at once, in plain NumPy: the oracle for the streaming code.

Written from the description of the members, not from the engine: baselines channel by channel, then every
member over all windows. Which rows are in alarm follows from the scores, and the baselines from that: both
are worked out again until nothing changes.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from edge.detector.bundle.calibration import Calibration
from edge.detector.members.tuning import Tuning
from edge.detector.score.runtime import Network


@dataclass(frozen=True)
class Recording:
    """(n, channels) readings without a season, at (n,) times in periods; a window begins at each of `starts`."""

    values: np.ndarray
    times: np.ndarray
    starts: tuple[int, ...]


@dataclass(frozen=True)
class Offline:
    """What a recording gives: (n,) scores, NaN on rows where the network does not run, and (n, channels) shares."""

    scores: np.ndarray
    shares: np.ndarray
    alarm: np.ndarray


def offline(
    recording: Recording, calibration: Calibration, network: Network, window: int, tuning: Tuning, stride: int = 1
) -> Offline:
    """Scores, shares and alarms of a recording."""
    alarm = np.zeros(len(recording.values), bool)
    for _ in range(len(alarm)):
        scores, shares = _scored(recording, alarm, calibration, network, window, tuning, stride)
        found = _alarms(scores, max(1, window // stride), tuning)
        if (found == alarm).all():
            return Offline(scores, shares, alarm)
        alarm = found
    raise AssertionError("alarms do not settle, though each depends on earlier rows alone")


def _alarms(scores: np.ndarray, window: int, tuning: Tuning) -> np.ndarray:
    """(n,) whether each row is in alarm, once it was scored."""
    alarm, above, low, on = np.zeros(len(scores), bool), [], 0, False
    during, quiet = [], 0  # scores of the last alarm, number of those since
    for row, score in enumerate(scores):
        if not np.isnan(score) and not on:
            fade = max(len(during) - 1, tuning.baseline_windows * window, 1)
            level = 1 + min(tuning.echo, max(max(during, default=0) - 1, 0)) * (1 - 1 / fade) ** quiet
            above, quiet = [*above, score - level] if score > level else [], quiet + 1
            if len(above) >= tuning.min_windows and sum(above) >= tuning.surplus * window - 1e-9:
                on, above, low, during, quiet = True, [], 0, [score], 0
        elif not np.isnan(score):
            during.append(score)
            low = low + 1 if score < tuning.close else 0
            on = low < max(1, round(tuning.close_windows * window))
        alarm[row] = on
    return alarm


def _scored(
    recording: Recording,
    alarm: np.ndarray,
    calibration: Calibration,
    network: Network,
    window: int,
    tuning: Tuning,
    stride: int,
) -> tuple[np.ndarray, np.ndarray]:
    center, scale = calibration.scaler.center[0], calibration.scaler.scale[0]
    z = np.clip((recording.values - center) / scale, -30, 30)
    before = np.concatenate([[False], alarm[:-1]])  # of the rows so far
    paths = [_baseline(channel, recording, before, calibration, at, window, tuning) for at, channel in enumerate(z.T)]
    level, baseline = (np.stack(part, axis=1) for part in zip(*paths, strict=True))
    over = np.concatenate([[False], before[:-1] & ~before[1:]])  # the first row after an alarm
    scores, shares = np.full(len(z), np.nan), np.zeros(z.shape)
    for first, stop in pairwise([*recording.starts, len(z)]):
        ends = np.arange(first + window - 1, stop, stride)
        if len(ends):
            values, parts = _members(
                z, level, baseline, over, first, ends, calibration, network, window, tuning, stride
            )
            scores[ends], shares[ends] = _fused(values, parts, calibration)
    scores[np.isnan(z).all(axis=1)] = np.nan  # a row without any value is not scored
    return scores / calibration.level, shares


def _baseline(
    z: np.ndarray,
    recording: Recording,
    alarm: np.ndarray,
    calibration: Calibration,
    channel: int,
    window: int,
    tuning: Tuning,
) -> tuple[np.ndarray, np.ndarray]:
    """(n,) level chart and (n,) baseline of one channel after each row."""
    low, high = calibration.wander[:, channel]
    control, most = calibration.control_limit[channel], calibration.max_drift[channel]
    weight, slow = 1 / max(1, tuning.level_windows * window), max(1, tuning.baseline_windows * window)
    level = baseline = home = 0.0
    silence, age, calm, worn, learned, fresh = np.inf, 0, np.inf, 0, False, True
    levels, baselines = np.zeros(len(z)), np.zeros(len(z))
    for row, now in enumerate(z):
        if row in recording.starts:
            gap = recording.times[row] - recording.times[row - 1] if row else np.inf
            silence, level, age = gap + (silence if age < window else 0), 0.0, 0
        if alarm[row] and calm > slow:
            home = baseline
        age, calm, worn = age + 1, 0 if alarm[row] else calm + 1, worn + 1 if alarm[row] else 0
        if now == now:
            level = (1 - weight) * level + weight * (now - baseline)
        if age == window:
            # The first window may show a fault: home is what was learned before.
            home, calm, learned, fresh = (
                home if worn else baseline,
                0 if learned else calm,
                True,
                not learned and not worn,
            )
        if age == window and not np.isnan(z[row + 1 - window : row + 1]).all():
            mean = np.nanmean(z[row + 1 - window : row + 1])
            place = min(max(mean, min(low, baseline)), max(high, baseline))
            shift = (1 - np.exp(-silence / slow)) * (place - baseline)
            baseline += shift
            level -= shift * (1 - (1 - weight) ** window)
            home = baseline if fresh else home
        if calm <= slow and abs(level + baseline - home) <= control < abs(level):
            level, baseline = level + baseline - home, home
        within = control / 2 if worn else control  # in an alarm what is only just in control may be the fault
        if now == now and age > window and (abs(level) <= within or worn > 10 * slow):
            baseline += np.clip(now - baseline, -6, 6) / slow
        baseline = np.clip(baseline, -most, most)
        levels[row], baselines[row] = level, baseline
    return levels, baselines


def _members(
    z: np.ndarray,
    level: np.ndarray,
    baseline: np.ndarray,
    over: np.ndarray,
    first: int,
    ends: np.ndarray,
    calibration: Calibration,
    network: Network,
    window: int,
    tuning: Tuning,
    stride: int,
) -> tuple[np.ndarray, np.ndarray]:
    """(members, n) values and (members, n, channels) parts of the windows that end at `ends`, of one stretch."""
    rows = ends[:, None] + np.arange(1 - window, 1)
    # What is missing is shown as it goes best with the rest of its row, from where the baseline was then.
    was = np.concatenate([np.zeros((1, z.shape[1])), baseline[:-1]])
    whole = np.where(np.isnan(z), was + [_best_fit(row, calibration.projector) for row in z - was], z)
    known, windows = ~np.isnan(z[rows]), whole[rows].astype(np.float32)
    own = baseline[ends][:, None]
    shown = np.clip(
        (windows - own * calibration.shifted).astype(np.float32), *calibration.fitted_range.astype(np.float32)
    )
    residual = np.clip(known * (shown - network.run(shown)) / calibration.residual_scale, -16, 16)
    mean, square = residual.mean(axis=1), (residual**2).mean(axis=1)
    weight = 1 / max(1, tuning.error_windows * window / stride)
    # A chart counts as far as its window still shows what it remembers.
    anew = np.array([over[begin:end].any() for begin, end in pairwise([first, *(ends + 1)])])
    bias = np.minimum(np.abs(_ewma(mean, weight, anew)), np.abs(mean)) / calibration.sizes[1]
    energy = np.minimum(_ewma(square, weight, anew), square) / calibration.sizes[2]
    left = np.array([_left_over(row, calibration.projector) for row in (z - baseline)[first:]])
    relation = _ewma(left**2, 1 / 3)[ends - first]
    recent = (residual[:, window - max(1, round(window / 3)) :] ** 2).mean(axis=1)
    near, far = _remembered((known * (windows - own)).astype(np.float32), known, calibration)
    every, taken = max(stride, round(window / 10)), 0
    for at, age in enumerate(ends - first + 1):
        taken = at if (age - window) % every < stride else taken
        near[at], far[at] = near[taken], far[taken]
    of_level = np.abs(level[ends]) / calibration.sizes[0]
    loudest = [of_level.max(axis=1), bias.max(axis=1), energy.max(axis=1)]
    values = np.stack([*loudest, relation.sum(axis=1), recent.mean(axis=1), near])
    return values, np.stack([of_level**2, bias**2, energy, relation, recent, far])


def _left_over(distance: np.ndarray, projector: np.ndarray) -> np.ndarray:
    """(channels,) part of a row outside the principal components; of what is missing none."""
    known = ~np.isnan(distance)
    return known * (projector @ np.where(known, distance, _best_fit(distance, projector)))


def _best_fit(distance: np.ndarray, projector: np.ndarray) -> np.ndarray:
    """(channels,) what is missing as it leaves the least outside the principal components; 0 of what is known."""
    known = ~np.isnan(distance)
    told, free = projector[:, known] @ distance[known], projector[:, ~known]
    fitted = np.zeros(len(known))
    if known.any():
        fitted[~known] = -np.linalg.pinv(free, rcond=1e-9) @ told
    return fitted


def _remembered(windows: np.ndarray, known: np.ndarray, calibration: Calibration) -> tuple[np.ndarray, np.ndarray]:
    """(n,) mean distance to the three nearest remembered windows, (n, channels) squares of that to the nearest.

    What is missing is at no distance, and the others stand for it.
    """
    if calibration.memory is None:
        return np.full(len(windows), np.nan), np.zeros((len(windows), windows.shape[2]))
    kept = calibration.memory.windows.reshape(-1, *windows.shape[1:]).astype(float)
    off = (windows[:, None].astype(float) - kept) * known[:, None]
    part = known.mean(axis=(1, 2))[:, None]
    distances = np.sqrt((off**2).sum(axis=(2, 3)) / np.where(part, part, 1))
    nearest = off[np.arange(len(windows)), distances.argmin(axis=1)]
    return np.sort(distances, axis=1)[:, :3].mean(axis=1), (nearest**2).sum(axis=1)


def _fused(values: np.ndarray, parts: np.ndarray, calibration: Calibration) -> tuple[np.ndarray, np.ndarray]:
    """(n,) statistic of the loudest member and (n, channels) shares, each member's by the square of what it says."""
    usual, limit = calibration.limits.usual[:, None], calibration.limits.limit[:, None]
    said = np.maximum(np.nan_to_num((values - usual) / (limit - usual)), 0)
    split = parts / np.maximum(parts.sum(axis=2, keepdims=True), 1e-12)
    shares = (said[:, :, None] ** 2 * split).sum(axis=0)
    return said.max(axis=0), shares / np.maximum(shares.sum(axis=1, keepdims=True), 1e-12)


def _ewma(series: np.ndarray, weight: float, anew: np.ndarray | None = None) -> np.ndarray:
    """(n, channels) smoothed from 0 on, and from 0 again on rows that begin `anew`."""
    smoothed, state = [], np.zeros(series.shape[1])
    for at, row in enumerate(series):
        state = (1 - weight) * (state if anew is None or not anew[at] else 0.0) + weight * row
        smoothed.append(state)
    return np.array(smoothed)
