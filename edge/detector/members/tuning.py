"""The constants of the detector: one set for every stream, counted in windows and stretches, not in seconds."""

from dataclasses import dataclass

from edge.detector.members.threshold import PEAKS, Threshold


@dataclass(frozen=True)
class Tuning:
    """What was chosen by all families of recordings together; `NUMBERS` names the constants.

    `offbeat-train benchmark families DIR --leave-out` prints what half and twice of each does.
    """

    margin: float = 1.2
    """A member's limit is this many times as far from the rows' middle as the highest of normal peaks,"""
    few: float = 2.0
    """and of n peaks by this many n-ths further: few have not shown the highest yet."""
    outlook: float = 10.0
    """Of hundreds of peaks it is at least what an exponential tail reaches once in this many times the rows."""
    stretches: float = 16.0
    """Stretches of normal rows, each as long as what a member averages over, from which on it takes part."""
    surplus: float = 0.1
    """An alarm opens once its scores exceed 1.0 by this many windows' worth in sum: what is hardly over the level must
    last, what is far over it need not."""
    min_windows: int = 3
    """Scores above 1.0, one after another, that an alarm takes at the least."""
    close: float = 0.5
    """Score under which an alarm ends; 0 is usual, 1.0 the level."""
    close_windows: float = 1 / 6
    """Once it has stayed there for this long, windows."""
    echo: float = 0.1
    """After an alarm the next one opens only above the level and this part of the last one's highest score, which
    fades over as long as it lasted: a machine takes its time to be as it was before."""
    level_windows: float = 0.5
    """Time constant of the chart of a channel's level, windows."""
    error_windows: float = 2.0
    """Time constant of the charts of a channel's residuals, windows; an alarm that comes back within this time is the
    same episode."""
    baseline_windows: float = 20.0
    """Time constant with which a baseline follows its channel, windows. It follows while its level chart is within
    `margin` times the highest of normal rows, and again in an alarm that has lasted ten times as long: a change for
    good is told once."""
    threshold: Threshold = PEAKS
    """How the alarm level is taken from normal rows."""
    without: frozenset[str] = frozenset()
    """Members that are left out, by name: for ablations."""


DEFAULT = Tuning()

NUMBERS = tuple(name for name, value in vars(DEFAULT).items() if isinstance(value, int | float))
"""Names of the constants."""
