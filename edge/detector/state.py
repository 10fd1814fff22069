"""What of a stream survives a restart, as plain JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from edge.detector.bundle.calibration import Calibration, calibration_from_dict

STATE_VERSION = 1


@dataclass(frozen=True)
class StreamState:
    """A stream's snapshot, checked."""

    bundle: str
    """SHA-256 of the bundle that it belongs to."""
    calibration: Calibration | None
    """The stream's own; None where it takes the bundle's, or is commissioning."""
    baseline: np.ndarray
    """(slots, channels): offsets from the commissioned center, z-units."""
    learned: bool
    """Whether the baseline took its place among readings; else it is the commissioned center."""
    open_episodes: Mapping[str, Any]
    """As `StreamEvents.snapshot` gives them; not checked yet."""
    normal: Mapping[str, Any]
    """As `CalledNormal.snapshot` gives it; not checked yet, empty in states of before."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "version": STATE_VERSION,
            "bundle": self.bundle,
            "calibration": None if self.calibration is None else self.calibration.to_dict(),
            "baseline": np.round(self.baseline, 6).tolist(),
            "learned": self.learned,
            "open": dict(self.open_episodes),
            "normal": dict(self.normal),
        }


def state_from_dict(body: Mapping[str, Any], bundle: str, shape: tuple[int, ...]) -> StreamState:
    """The state that `to_dict` wrote for this bundle, with baselines of this shape (slots, channels).

    Raises:
        ValueError: it is of another version or bundle.
        KeyError, TypeError, AttributeError, OverflowError: it is malformed; also ValueError.
    """
    if body["version"] != STATE_VERSION or body["bundle"] != bundle:
        raise ValueError("it was written by another version or for another bundle")
    baseline = np.asarray(body["baseline"], np.float64)
    if baseline.shape != shape or not np.isfinite(baseline).all():
        raise ValueError(f"its baseline wants finite numbers of shape {shape}")
    own, open_episodes = body["calibration"], body["open"]
    if not isinstance(open_episodes, dict):
        raise ValueError("its open episodes are no object")
    normal = body.get("normal", {})
    if not isinstance(normal, dict):
        raise ValueError("what was called normal is no object")
    calibration = None if own is None else calibration_from_dict(own, shape[1])
    learned = bool(body.get("learned", baseline.any()))  # files of before do not say
    return StreamState(bundle, calibration, baseline, learned, open_episodes, normal)
