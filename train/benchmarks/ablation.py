"""The detector with one part taken away: what each is worth."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from edge.detector.members.registry import MEMBERS, NAMES
from edge.detector.members.tuning import DEFAULT, Tuning

_NEVER = 1e9

PARTS: Mapping[str, Mapping[str, Any]] = {
    **{name: {"without": frozenset({name})} for name in NAMES},
    "network": {"without": frozenset(member.name for member in MEMBERS if member.network)},
    "baseline": {"baseline_windows": _NEVER},
    "margin": {"margin": 0.0},
    "stretches": {"stretches": 0.0},
    "surplus": {"surplus": 0.0},
    "min-windows": {"min_windows": 1},
    "hysteresis": {"close": 1.0, "close_windows": 0.0},
    "echo": {"echo": 0.0},
    "outlook": {"outlook": 0.0},
}
"""A part to the constants that take it away.

First the members, each by its name, and those of the network together. baseline: it
stands where it was placed, and an echo does not fade. margin: limits are what normal
rows reached, however few; outlook: also where a tail of many reaches further.
stretches: members take part however few rows they saw. surplus: an alarm opens with the
scores that `min_windows` asks for, however little they exceed the level; min-windows:
with one that does by enough. hysteresis: the first score under the level ends it. echo:
the next one may open at the level at once.
"""


def without(part: str | None) -> Tuning:
    """The default detector without a part; None takes none away."""
    return DEFAULT if part is None else replace(DEFAULT, **PARTS[part])
