"""The numbers of the detector, each of which can be tried at half and at twice its value."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from edge.detector.members.tuning import DEFAULT, Tuning
from edge.detector.members.tuning import NUMBERS as CONSTANTS

__all__ = ["CONSTANTS", "FACTORS", "tuned", "value_at"]

FACTORS: Mapping[str, float] = {"half": 0.5, "once": 1.0, "twice": 2.0}


def value_at(name: str, factor: float, tuning: Tuning = DEFAULT) -> float:
    """A constant at so many times its value; whole ones stay whole, and at least 1."""
    value = getattr(tuning, name)
    return max(1, round(factor * value)) if isinstance(value, int) else factor * value


def tuned(factors: Mapping[str, float], tuning: Tuning = DEFAULT) -> Tuning:
    """The detector with each of these constants at so many times its value."""
    values: dict[str, Any] = {name: value_at(name, factor, tuning) for name, factor in factors.items()}
    return replace(tuning, **values)
