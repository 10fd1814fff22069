"""Which channels an event names, each with what it reads and what was expected of it."""

from collections.abc import Sequence

import numpy as np

from edge.wire.events import Contributor, Direction, Reason


def contributors_of(
    channels: Sequence[tuple[str, str]],
    shares: np.ndarray,
    values: np.ndarray,
    expected: np.ndarray,
    most: int = 3,
    tolerance: np.ndarray | None = None,
    reasons: Sequence[Reason | None] | None = None,
) -> tuple[Contributor, ...]:
    """The `most` largest shares; all arrays (channels,) in the channels' units, NaN where not known.

    `channels` are names and units, `tolerance` how far from `expected` normal rows stay.
    """

    def part(i: int) -> Contributor:
        name, unit = channels[i]
        value, usual = _number(values[i]), _number(expected[i])
        reach = None if tolerance is None else _number(tolerance[i])
        reason = None if reasons is None else reasons[i]
        side = _direction(value, usual, reach, reason)
        return Contributor(name, round(float(shares[i]), 4), value, usual, unit, reach, side, reason)

    order = np.argsort(-shares, kind="stable")[:most].tolist()
    return tuple(part(i) for i in order if shares[i] > 0)


def _direction(
    value: float | None, expected: float | None, tolerance: float | None, reason: Reason | None
) -> Direction | None:
    """On which side the value is; None where that says nothing: noise and patterns are as often on the other one."""
    if value is None or expected is None or value == expected:
        return None
    if reason in ("noise", "pattern") and tolerance is not None and abs(value - expected) <= tolerance:
        return None
    return "above" if value > expected else "below"


def _number(value: float) -> float | None:
    return float(f"{value:.6g}") if np.isfinite(value) else None
