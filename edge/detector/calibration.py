"""What a device knows of its own normal: scaler, limits of every statistic, alarm level and tail."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from edge.detector.scaler import Scaler, scaler_from_dict
from edge.detector.tail import Tail, tail_from_dict


@dataclass(frozen=True)
class Calibration:
    """Limits learned on normal rows that the network was not fitted on; arrays are (channels,) float64."""

    scaler: Scaler
    chart_limit: np.ndarray
    """Largest |EWMA| of each channel, z-units."""
    residual_scale: np.ndarray
    """Root mean square residual of each channel, z-units."""
    bias_limit: np.ndarray
    """Largest |mean residual over a window| of each channel, in residual scales."""
    window_limit: float
    """Largest mean squared residual of a whole window, in squared residual scales."""
    recent_limit: float
    """The same of a window's last rows."""
    max_drift: np.ndarray
    """How far the baseline may leave its commissioned value, z-units."""
    level: float
    """The fused statistic that counts as score 1.0."""
    tail: Tail | None
    """Of the fused statistic; None where there were too few rows to say."""
    rows: int
    """Rows that this rests on."""
    span_s: float
    """Their duration, seconds."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, as in the manifest and the state folder."""
        return {
            "scaler": self.scaler.to_dict(),
            **{name: getattr(self, name).tolist() for name in _ARRAYS},
            **{name: float(getattr(self, name)) for name in _NUMBERS},
            "tail": None if self.tail is None else self.tail.to_dict(),
            "rows": self.rows,
        }


_ARRAYS = ("chart_limit", "residual_scale", "bias_limit", "max_drift")
_NUMBERS = ("window_limit", "recent_limit", "level", "span_s")


def calibration_from_dict(body: Mapping[str, Any], channels: int) -> Calibration:
    """The calibration that `to_dict` wrote for so many channels.

    Raises:
        KeyError, TypeError, ValueError: fields are missing, of another shape, or not positive.
    """
    arrays = {name: np.asarray(body[name], np.float64) for name in _ARRAYS}
    numbers = {name: float(body[name]) for name in _NUMBERS}
    for name, array in arrays.items():
        if array.shape != (channels,) or not (array > 0).all():
            raise ValueError(f"calibration wants {channels} positive numbers as {name}")
    if min(numbers.values()) <= 0:
        raise ValueError(f"calibration wants positive {', '.join(_NUMBERS)}")
    tail = body["tail"]
    fields: dict[str, Any] = {**arrays, **numbers}
    return Calibration(
        scaler=scaler_from_dict(body["scaler"]),
        tail=None if tail is None else tail_from_dict(tail),
        rows=int(body["rows"]),
        **fields,
    )
