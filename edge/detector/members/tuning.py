"""The constants of the detector: one set for every stream, counted in windows and stretches, not in seconds."""

from dataclasses import dataclass

from edge.detector.members.threshold import PEAKS, Threshold


@dataclass(frozen=True)
class Tuning:
    """What was chosen by all families of recordings together; `NUMBERS` names the constants.

    `offbeat-train benchmark families DIR --leave-out` prints what half and twice of each does.
    """

    margin: float = 1.0
    """A member's limit lies so many standard errors of what n normal peaks tell, 1 / sqrt(n) of their height over the
    rows' middle, beyond the highest of them: few have not shown the highest yet."""
    outlook: float = 10.0
    """Of hundreds of peaks it is at least what an exponential tail reaches once in this many times the rows."""
    stretches: float = 16.0
    """Stretches of normal rows, each as long as what a member averages over and a window at the least, from which on
    it takes part."""
    surplus: float = 0.1
    """An alarm opens once its scores exceed 1.0 by this many windows' worth in sum: what is hardly over the level must
    last, what is far over it need not."""
    min_windows: int = 3
    """Scores above 1.0, one after another, that an alarm takes at the least."""
    close: float = 0.5
    """Score under which an alarm ends; 0 is usual, 1.0 the level."""
    close_windows: float = 1 / 6
    """Once it has stayed there for this long, windows."""
    echo: float = 1.5
    """After an alarm the level is higher by what that one exceeded it by, and by this at most. It fades as slowly as a
    baseline follows, or over as long as the alarm lasted: a machine takes its time to be as it was before."""
    level_windows: float = 0.5
    """Time constant of the chart of a channel's level, windows."""
    error_windows: float = 2.0
    """Time constant of the charts of a channel's residuals, windows; an alarm that comes back within this time is the
    same episode."""
    baseline_windows: float = 20.0
    """Time constant with which a baseline follows its channel, windows. In an alarm that has lasted ten times as long
    it follows again: a change for good is told once."""
    control: float = 1.2
    """It follows while its level chart is within this many times the highest of normal rows."""
    threshold: Threshold = PEAKS
    """How the alarm level is taken from normal rows."""
    without: frozenset[str] = frozenset()
    """Members that are left out, by name: for ablations."""


DEFAULT = Tuning()

NUMBERS = tuple(name for name, value in vars(DEFAULT).items() if isinstance(value, int | float))
"""Names of the constants."""
