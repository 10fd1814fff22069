"""What a device knows of its own normal: scaler, limits of every statistic, alarm level and tail."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from edge.detector.gaussian import Gaussian, gaussian_from_dict
from edge.detector.scaler import CLIP, Scaler, scaler_from_dict
from edge.detector.tail import Tail, tail_from_dict


@dataclass(frozen=True)
class Calibration:
    """Limits learned on normal rows that the network was not fitted on; arrays are (channels,) float64."""

    scaler: Scaler
    residual_scale: np.ndarray
    """Normal size of each channel's residual, z-units."""
    channel_limits: np.ndarray
    """(3, channels): highest normal value of every channel's members, in the order of `CHANNEL_MEMBERS`."""
    whole_limits: np.ndarray
    """(2,): the same of the members of a window as a whole, in the order of `WHOLE_MEMBERS`."""
    control_limit: np.ndarray
    """(channels,): largest level chart over a baseline that stands still, z-units; it tells when baselines freeze."""
    shifted: bool
    """Whether the network sees readings relative to the drifting baseline, or as the scaler leaves them."""
    max_drift: np.ndarray
    """How far the baseline may leave its commissioned value, z-units."""
    fitted_range: np.ndarray
    """(2, channels): lowest and highest reading that the network was fitted on, z-units."""
    level: float
    """The fused statistic that counts as score 1.0."""
    tail: Tail | None
    """Of the fused statistic; None where there were too few rows to say."""
    rows: int
    """Rows that this rests on."""
    span_s: float
    """Their duration, seconds."""
    gaussian: Gaussian | None = None
    """What is scored in place of the fused statistic, where the threshold is that of a Gaussian."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, as in the manifest and the state folder."""
        return {
            "scaler": self.scaler.to_dict(),
            **{name: getattr(self, name).tolist() for name in _ARRAYS},
            **{name: float(getattr(self, name)) for name in _NUMBERS},
            "fitted_range": self.fitted_range.tolist(),
            "tail": None if self.tail is None else self.tail.to_dict(),
            "rows": self.rows,
            "shifted": self.shifted,
            **({} if self.gaussian is None else {"gaussian": self.gaussian.to_dict()}),
        }


_ARRAYS = ("residual_scale", "channel_limits", "whole_limits", "control_limit", "max_drift")
_NUMBERS = ("level", "span_s")


def calibration_from_dict(body: Mapping[str, Any], channels: int) -> Calibration:
    """The calibration that `to_dict` wrote for so many channels.

    Raises:
        KeyError, TypeError, ValueError: fields are missing, of another shape, or not positive.
    """
    try:
        return _calibration(body, channels)
    except OverflowError as error:  # 1e999 reads as inf, and inf has no integer
        raise ValueError(f"calibration wants finite numbers: {error}") from error


def everything(channels: int) -> np.ndarray:
    """The `fitted_range` of a network that is believed wherever readings are: all that a scaler gives.

    >>> everything(1).tolist()
    [[-10.0], [10.0]]
    """
    return np.tile([[-CLIP], [CLIP]], channels)


def range_from(body: Any, channels: int) -> np.ndarray:
    """(2, channels) of what JSON holds; `everything` where it holds nothing, as in bundles of before.

    Raises:
        TypeError, ValueError: other numbers, or lowest ones that are not the lower.
    """
    if body is None:
        return everything(channels)
    found = np.asarray(body, np.float64)
    if found.shape != (2, channels) or not np.isfinite(found).all() or not (found[0] <= found[1]).all():
        raise ValueError(f"fitted_range wants {channels} lowest and {channels} highest numbers")
    return found


def _calibration(body: Mapping[str, Any], channels: int) -> Calibration:
    shapes = {name: (channels,) for name in _ARRAYS} | {"channel_limits": (3, channels), "whole_limits": (2,)}
    arrays = {name: np.asarray(body[name], np.float64) for name in _ARRAYS}
    numbers = {name: float(body[name]) for name in _NUMBERS}
    for name, array in arrays.items():
        if array.shape != shapes[name] or not (array > 0).all():
            raise ValueError(f"calibration wants positive numbers of shape {shapes[name]} as {name}")
    if min(numbers.values()) <= 0:
        raise ValueError(f"calibration wants positive {', '.join(_NUMBERS)}")
    tail, gaussian = body["tail"], body.get("gaussian")
    fields: dict[str, Any] = {**arrays, **numbers}
    return Calibration(
        scaler=scaler_from_dict(body["scaler"]),
        tail=None if tail is None else tail_from_dict(tail),
        fitted_range=range_from(body.get("fitted_range"), channels),
        rows=int(body["rows"]),
        shifted=bool(body["shifted"]),
        gaussian=None if gaussian is None else gaussian_from_dict(gaussian, channels),
        **fields,
    )
