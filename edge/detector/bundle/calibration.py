"""What a device knows of its own normal: scaler, limits of every statistic, alarm level and tail."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from edge.detector.bundle.gaussian import Gaussian, gaussian_from_dict
from edge.detector.bundle.memory import Memory, memory_from_dict
from edge.detector.bundle.scaler import Scaler, scaler_from_dict
from edge.detector.bundle.tail import Tail, tail_from_dict
from edge.detector.members.registry import BY_CHANNEL, MEMBERS, NAMES, Limits

_EVERYTHING = 10.0
"""Z-units that no network was fitted beyond, where a bundle does not say."""


class OlderCalibrationError(ValueError):
    """A calibration of a version that had other statistics: nothing can be scored by it."""


@dataclass(frozen=True)
class Calibration:
    """Limits learned on normal rows that the members have not seen; arrays are (channels,) float64."""

    scaler: Scaler
    residual_scale: np.ndarray
    """Normal size of each channel's residual, z-units."""
    projector: np.ndarray
    """(channels, channels): takes a row to its part outside the principal components."""
    sizes: np.ndarray
    """(3, channels): usual size of the members that are the loudest channel's, in their order."""
    limits: Limits
    """Of every member."""
    rows_behind: np.ndarray
    """(members,): normal rows behind each member's limit."""
    control_limit: np.ndarray
    """Level chart within which a baseline follows, z-units."""
    wander: np.ndarray
    """(2, channels): lowest and highest baseline of normal rows, z-units; within them one takes its place."""
    shifted: bool
    """Whether the network sees readings relative to the drifting baseline, or as the scaler leaves them."""
    max_drift: np.ndarray
    """How far the baseline may leave its commissioned value, z-units."""
    fitted_range: np.ndarray
    """(2, channels): lowest and highest reading that the network was fitted on, z-units."""
    spread: np.ndarray
    """(2, channels): how far normal rows stay from their baseline, and from what the network makes of them, z-units."""
    level: float
    """The fused statistic that counts as score 1.0."""
    tail: Tail | None
    """Of the fused statistic; None where there were too few rows to say."""
    rows: int
    """Rows that this rests on."""
    span_s: float
    """Their duration, seconds."""
    memory: Memory | None = None
    """Remembered windows; a device that commissions itself keeps none."""
    gaussian: Gaussian | None = None
    """What is scored in place of the fused statistic, where the threshold is that of a Gaussian."""

    @property
    def taking_part(self) -> tuple[str, ...]:
        """Names of the members that rest on enough rows."""
        return self.limits.taking_part

    @property
    def judges(self) -> bool:
        """Whether anything says what is unusual."""
        return bool(self.taking_part) or self.gaussian is not None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, as in the manifest and the state folder; without the memory, which variants share."""
        return {
            "scaler": self.scaler.to_dict(),
            **{name: getattr(self, name).tolist() for name in (*_POSITIVE, *_FINITE)},
            **{name: float(getattr(self, name)) for name in _NUMBERS},
            "members": _members_to_dict(self),
            "tail": None if self.tail is None else self.tail.to_dict(),
            "rows": self.rows,
            "shifted": self.shifted,
            **({} if self.gaussian is None else {"gaussian": self.gaussian.to_dict()}),
        }


_MOST = float(np.finfo(np.float32).max)
"""As a stream keeps it."""
_POSITIVE = ("residual_scale", "control_limit", "max_drift", "spread")
_FINITE = ("projector", "wander", "fitted_range")
_NUMBERS = ("level", "span_s")


def calibration_from_dict(
    body: Mapping[str, Any], channels: int, memory: Mapping[str, Any] | None = None
) -> Calibration:
    """The calibration that `to_dict` wrote for so many channels; `memory` as `Memory.to_dict` wrote it.

    Raises:
        KeyError, TypeError, ValueError: fields are missing, of another shape, or not positive.
    """
    try:
        return _calibration(body, channels, memory)
    except OverflowError as error:  # 1e999 reads as inf, and inf has no integer
        raise ValueError(f"calibration wants finite numbers: {error}") from error


def everything(channels: int) -> np.ndarray:
    """The `fitted_range` of a network that is believed wherever readings are.

    >>> everything(1).tolist()
    [[-10.0], [10.0]]
    """
    return np.tile([[-_EVERYTHING], [_EVERYTHING]], channels)


def range_from(body: Any, channels: int) -> np.ndarray:
    """(2, channels) of what JSON holds; `everything` where it holds nothing, as in bundles of before.

    Raises:
        TypeError, ValueError: other numbers, or lowest ones that are not the lower.
    """
    if body is None:
        return everything(channels)
    found = np.asarray(body, np.float64)
    if found.shape != (2, channels) or not (abs(found) <= _MOST).all() or (found[0] > found[1]).any():
        raise ValueError(f"fitted_range wants the lowest and the highest of {channels} channels, finite numbers")
    return found


def _members_to_dict(calibration: Calibration) -> dict[str, Any]:
    """By name, so that a member may come or go: what is usual, its limit (None: it does not take part), its rows."""
    limits = calibration.limits
    return {
        name: {
            "usual": float(limits.usual[at]),
            "limit": float(limits.limit[at]) if np.isfinite(limits.limit[at]) else None,
            "rows": int(calibration.rows_behind[at]),
            **({"size": calibration.sizes[BY_CHANNEL.index(name)].tolist()} if name in BY_CHANNEL else {}),
        }
        for at, name in enumerate(NAMES)
    }


def _members(body: Mapping[str, Any], channels: int) -> tuple[Limits, np.ndarray, np.ndarray]:
    """Limits, rows behind them and sizes; a member that is not named does not take part."""
    usual, limit = np.zeros(len(MEMBERS)), np.full(len(MEMBERS), np.inf)
    rows, sizes = np.zeros(len(MEMBERS), int), np.ones((len(BY_CHANNEL), channels))
    for at, name in enumerate(NAMES):
        if name not in body:
            continue
        usual[at], rows[at] = float(body[name]["usual"]), int(body[name]["rows"])
        if body[name]["limit"] is not None:
            limit[at] = float(body[name]["limit"])
        if not (np.isfinite(usual[at]) and usual[at] < limit[at] and not np.isnan(limit[at])):
            raise ValueError(f"member {name} wants a limit above what is usual")
        if name in BY_CHANNEL:
            sizes[BY_CHANNEL.index(name)] = _array(body[name], "size", (channels,), positive=True)
    return Limits(usual, limit), rows, sizes


def _array(body: Mapping[str, Any], name: str, shape: tuple[int, ...], positive: bool) -> np.ndarray:
    array = np.asarray(body[name], np.float64)
    if array.shape != shape or not np.isfinite(array).all() or (positive and not (array > 0).all()):
        raise ValueError(f"calibration wants {'positive' if positive else 'finite'} numbers of shape {shape} as {name}")
    return array


def _calibration(body: Mapping[str, Any], channels: int, memory: Mapping[str, Any] | None) -> Calibration:
    if "members" not in body:
        raise OlderCalibrationError("its calibration was made by an older version of offbeat, and has no members")
    numbers = {name: float(body[name]) for name in _NUMBERS}
    if not all(0 < value < np.inf for value in numbers.values()):
        raise ValueError(f"calibration wants positive, finite {', '.join(_NUMBERS)}")
    limits, rows_behind, sizes = _members(body["members"], channels)
    tail, gaussian = body["tail"], body.get("gaussian")
    each = (channels,)
    return Calibration(
        scaler=scaler_from_dict(body["scaler"]),
        residual_scale=_array(body, "residual_scale", each, positive=True),
        control_limit=_array(body, "control_limit", each, positive=True),
        max_drift=_array(body, "max_drift", each, positive=True),
        spread=_array(body, "spread", (2, channels), positive=True),
        projector=_array(body, "projector", (channels, channels), positive=False),
        wander=_array(body, "wander", (2, channels), positive=False),
        fitted_range=range_from(body.get("fitted_range"), channels),
        sizes=sizes,
        limits=limits,
        rows_behind=rows_behind,
        tail=None if tail is None else tail_from_dict(tail),
        rows=int(body["rows"]),
        shifted=bool(body["shifted"]),
        memory=None if memory is None else memory_from_dict(memory, channels),
        gaussian=None if gaussian is None else gaussian_from_dict(gaussian, channels),
        **numbers,
    )
