"""The constants of the default detector: one set for every stream, counted in windows, not in seconds."""

from dataclasses import dataclass

from edge.detector.threshold import PEAKS, Threshold


@dataclass(frozen=True)
class Tuning:
    """How fast charts react, baselines follow and episodes open and close."""

    level_windows: float = 0.5
    """Span of the EWMA chart of readings, windows."""
    error_windows: float = 2.0
    """Span of the EWMA charts of residuals, windows."""
    baseline_windows: float = 20.0
    """Time constant with which the baseline follows a channel, windows."""
    slot_visits: float = 8.0
    """The same of a seasonal baseline, rows that fall into a slot."""
    freeze: float = 3.0
    """The baseline stands still while the level chart is beyond this many control limits."""
    step: float = 6.0
    """A single row moves the baseline as if it were at most this far away, z-units."""
    cut: float = 16.0
    """Residuals are cut off at this many residual scales: one wild reading must not fill a window, several may."""
    familiar: bool = True
    """The network sees readings beyond the range that it was fitted on as at its edge."""
    recent: float = 1 / 3
    """The last rows of a window that count as recent, as a part of it."""
    least_joint: float = 0.7
    """Errors and a level chart alarm together only where the quieter of the two reaches this part of its limit."""
    loud_level: float = 1.5
    """A level chart that is this many times over its limit alarms alone, without the network."""
    loud_bias: float = 1.1
    """The same of a channel's mean residual, where there are many calibration rows."""
    loud_energy: float = 1.3
    """The same of a channel's squared residual."""
    few_windows: float = 4.0
    """Limits of residuals are wider by this over the square root of the calibration's windows."""
    few_fitted: float = 25.0
    """And where the network was fitted on fewer windows than this, by the cube of the ratio: what it does not know
    of normal, every channel's residuals tell."""
    few_independent: float = 6.0
    """Those of slow channels by this over the square root of the windows that are worth an independent one."""
    fleet: float = 0.5
    """Weight of the fleet's range, against that of a device's own rows, in the limits of a device: 0 to 1."""
    outlook: float = 10.0
    """A member's limit is what it should reach on this many times the rows of the calibration."""
    margin: float = 1.0
    """Alarm level, in limits."""
    threshold: Threshold = PEAKS
    """How the level is taken from normal rows."""
    min_windows: int = 3
    """Scores above 1.0, one after another, that open an episode."""
    close: float = 0.7
    """Score under which an episode ends, once it has stayed there for a while."""
    close_windows: float = 1 / 6
    """That while, windows. Longer means fewer alerts for one fault that comes and goes, and later ends: at a
    third of a window the simulated pump's alerts fell by another tenth, and SKAB valve1 lost 0.01 of J."""
    quiet_windows: float = 2.0
    """An episode whose alarm comes back within this time goes on, windows; its `end` waits for it. One fault
    that comes and goes is one alert: a simulated sensor that dropped out in bursts made twelve."""
    quiet_part: float = 0.5
    """Or within this part of the time that it was on, where that is longer: what lasted an hour is not over
    after a minute, and the end of a fault is no second one."""
    most_quiet_windows: float = 10.0
    """Bound of that, windows."""
    relative_close: float = 0.5
    """It also ends after a window of scores under this part of its own level,"""
    relative_most: float = 2.0
    """and under this score: what is still twice over the alarm level is not over."""
    own_windows: float = 2.0
    """Time constant of an episode's own level after its first window, windows."""
    rearm: float = 1.5
    """Right after an episode the next one opens only above this many times the alarm level, or the score at
    which the last one closed, if that is more."""
    fade_windows: float = 4.0
    """Time constant with which that hurdle fades, windows."""


DEFAULT = Tuning()
