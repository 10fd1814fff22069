"""The detector with one part taken away: what each is worth."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from edge.detector.tuning import DEFAULT, Tuning

_NEVER = 1e9

PARTS: Mapping[str, Mapping[str, Any]] = {
    "drift": {"baseline_windows": _NEVER, "slot_visits": _NEVER},
    "freezing": {"freeze": _NEVER},
    "both-see": {"least_joint": 1 / _NEVER},
    "level-alone": {"loud_level": _NEVER},
    "error-charts": {"loud_bias": _NEVER, "loud_energy": _NEVER},
    "recent-rows": {"recent": 1.0},
    "cut": {"cut": _NEVER},
    "fitted-range": {"familiar": False},
    "outlook": {"outlook": 1.0},
    "few-windows": {"few_windows": 0.0},
    "few-fitted": {"few_fitted": 0.0},
    "slow-channels": {"few_independent": 0.0},
    "fleet": {"fleet": 0.0},
    "min-windows": {"min_windows": 1},
    "hysteresis": {"close": 1.0, "close_windows": 0.0},
    "relative-close": {"relative_close": 0.0},
    "re-arming": {"rearm": 0.0},
    "waiting": {"quiet_windows": 0.0, "quiet_part": 0.0},
}
"""A part to the constants that take it away.

drift: baselines stand still. freezing: they follow in alarm too. both-see: errors however loud make up for a level
chart that sees nothing, and the other way round. level-alone: a chart of readings must be backed by the network's
errors. error-charts: no channel's errors alarm alone. recent-rows: the last rows of a window count like the others.
cut: one wild residual may fill a window. fitted-range: the network sees what lies far beyond all that it was fitted
on. outlook: limits are the highest value of the calibration; few-windows: and no wider where it is short; few-fitted:
nor where the network was fitted on little; slow-channels: nor of channels that hardly varied; fleet: nor where a
device saw little of what its fleet does. min-windows: one score opens an episode. hysteresis: the first score under
the level ends it. relative-close: it does not end above 0.7, however far under its own level. re-arming: the next one
may open at the alarm level at once. waiting: an episode is over as soon as its alarm goes off. Without the network:
that is `ewma` of the benchmarks.
"""


def without(part: str | None) -> Tuning:
    """The default detector without a part; None takes none away."""
    return DEFAULT if part is None else replace(DEFAULT, **PARTS[part])
