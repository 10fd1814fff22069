"""The constants of the default detector: one set for every stream, counted in windows, not in seconds."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Tuning:
    """How fast charts react, baselines follow and episodes open and close.

    Found on SKAB valve1 (J between 0.63 and 0.71 over chart spans of 10 to 30 rows,
    baselines of 150 to 300 rows and freezing at 3 to 4 limits): the middle of the plateau.
    """

    chart_windows: float = 0.5
    """Span of the EWMA chart, windows."""
    baseline_windows: float = 10.0
    """Time constant with which the baseline follows a channel, windows."""
    freeze: float = 3.0
    """The baseline stands still while the chart is beyond this many limits."""
    step: float = 6.0
    """A single row moves the baseline as if it were at most this far away, z-units."""
    recent: float = 1 / 3
    """The last rows of a window that count as recent, as a part of it."""
    loud: float = 2.5
    """A member that is this many times over its limit alarms alone, however quiet the others are."""
    margin: float = 1.4
    """Alarm level over the largest normal value, where the rows do not support a return period."""
    min_windows: int = 3
    """Scores above 1.0, one after another, that open an episode."""
    close: float = 0.7
    """Score under which an episode ends."""
    relative_close: float = 0.5
    """It also ends after a window of scores under this part of its own level."""
    level_windows: float = 2.0
    """Time constant of an episode's own level after its first window, windows."""
    rearm: float = 1.3
    """The next episode opens only above this many times the score at which the last one closed."""
    fade_windows: float = 0.67
    """Time constant with which that hurdle fades, windows."""


DEFAULT = Tuning()
