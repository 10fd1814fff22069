"""Alarm levels by name: peaks over threshold, mean + k sd, a percentile, or a Gaussian's log-density."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

THRESHOLDS = ("pot", "mean-sd", "percentile", "gaussian")
_AT = {"mean-sd": 3.0, "percentile": 99.9}
"""k, and per cent, where none is given."""


@dataclass(frozen=True)
class Threshold:
    """How the level is taken from the scores of normal rows.

    `pot`: each member's limit lies beyond the peaks of the rows seen, the level is one
    such limit. `mean-sd`: mean + `at` sd of the fused statistic. `percentile`:
    the `at`-th of it. `gaussian`: residuals of last rows are scored in place of the
    fused statistic; see `edge.detector.bundle.gaussian`.
    """

    name: str = "pot"
    at: float | None = None
    """k of mean + k sd, or the percentile; None for the others."""
    signed: bool = False
    """Whether a Gaussian also has limits for each channel's error upwards and downwards, as a forecaster's has."""

    @property
    def told(self) -> str:
        """As on the command line.

        >>> Threshold("mean-sd", 3.0).told
        'mean-sd:3'
        """
        return self.name if self.at is None else f"{self.name}:{self.at:g}"

    def level(self, statistic: np.ndarray) -> float:
        """The level from (n,) statistics of normal rows; 1.0 for those that hold their limits already."""
        if self.name == "mean-sd":
            return max(float(statistic.mean() + (self.at or 0.0) * statistic.std()), _LEAST)
        if self.name == "percentile":
            return max(float(np.percentile(statistic, self.at or 0.0)), _LEAST)
        return 1.0

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, as in the manifest, which says beside it whether residuals are signed."""
        return {"name": self.name, "at": self.at}


_LEAST = 1e-6
PEAKS = Threshold()
"""Peaks over threshold, the default."""


def named(name: str, at: float | None = None, signed: bool = False) -> Threshold:
    """The threshold of that name.

    Raises:
        ValueError: there is none, or `at` is out of range for it.
    """
    if name not in THRESHOLDS:
        raise ValueError(f"threshold {name!r} is none of {', '.join(THRESHOLDS)}")
    if name not in _AT and at is not None:
        raise ValueError(f"threshold {name} takes no number, found {at:g}")
    chosen = _AT.get(name) if at is None else float(at)
    if chosen is not None and not 0 < chosen < (100.0 if name == "percentile" else 1e3):
        raise ValueError(f"threshold {name} of {chosen:g} is out of range; {_AT[name]:g} is usual")
    return Threshold(name, chosen, signed)


def threshold_from_dict(body: Mapping[str, Any] | None, signed: bool = False) -> Threshold:
    """The threshold that `to_dict` wrote; the default for None.

    Raises:
        KeyError, TypeError, ValueError: no such threshold.
    """
    if body is None:
        return Threshold(signed=signed)
    at = body.get("at")
    return named(str(body["name"]), None if at is None else float(at), signed)
