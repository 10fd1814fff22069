"""What a user sets for one stream."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from edge.detector.bundle.rules import ChannelRules
from edge.detector.events.planned import PlannedException


@dataclass(frozen=True)
class StreamSettings:
    """What a user sets for one stream."""

    id: str
    level: float = 1.0
    """Multiplies the calibrated alarm level: 1.2 alarms less, 0.8 more."""
    min_windows: int | None = None
    """Scores above the level, one after another, that open an episode; None takes the default."""
    update_every_s: float = 3600.0
    """An open episode is told again this often at last, seconds, and not more often than every 5 s: the first time
    after a minute, then after twice as long each time."""
    rules: Mapping[str, ChannelRules] = field(default_factory=dict)
    """Channel to its rules."""
    calibrate_rows: int = 0
    """The stream's own first rows that commission it; 0 takes the bundle's calibration."""
    planned: tuple[PlannedException, ...] = ()
    """Spans in which nothing is said of the stream."""
    max_drift_sd: float | None = None
    """How far baselines may leave their commissioned values, standard deviations; None takes the bundle's bound."""
