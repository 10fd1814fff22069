"""What the demo does, in numbers."""

from dataclasses import dataclass
from pathlib import Path

BOARD = "pump1"
DEVICE = "demo"
TRAINING_SEED = 20260105
"""Of the normal run, far from any SEED: noise that was trained on must not come again live."""


@dataclass(frozen=True)
class Plan:
    """One run of the demo."""

    seed: int
    """Decides the faults and the noise of the live run."""
    folder: Path
    """Where everything that the run leaves behind goes."""
    normal_hours: float = 36.0
    """Normal operation to learn from, simulated hours: three quarters are fitted on, and every ambient temperature of a
    whole day must be among them."""
    normal_start: str = "2026-01-05T00:00:00Z"
    live_start: str = "2026-01-07T00:00:00Z"
    """The midnight after, so that a time of day is also the time since the start."""
    faults: int = 10
    live_hours: float = 6.5
    """Of the live run, simulated: ten faults of up to 25 minutes fit in with at least ten normal minutes between."""
    speed: float = 300.0
    """Simulated seconds a second in the live run."""
    again: bool = False
    """Use the model that an earlier demo trained in the folder: with another seed only the live run differs."""
    use_amqtt: bool = False
    """Use the broker in Python even where Mosquitto is installed."""

    @property
    def live_s(self) -> float:
        """Length of the live run, simulated seconds."""
        return 3600.0 * self.live_hours

    @property
    def normal_csv(self) -> Path:
        """The normal readings that the model learns from."""
        return self.folder / "normal.csv"

    @property
    def readings_csv(self) -> Path:
        """The readings of the live run, as they came over MQTT."""
        return self.folder / "readings.csv"

    @property
    def labels(self) -> Path:
        """From when to when each fault was there, for `evaluate`."""
        return self.folder / "labels.json"

    @property
    def figures(self) -> Path:
        """What `evaluate` measured."""
        return self.folder / "figures.json"

    @property
    def report(self) -> Path:
        """The page about the live run."""
        return self.folder / "report.html"

    @property
    def bundle(self) -> Path:
        """The trained bundle."""
        return self.folder / "bundle"

    @property
    def agent_toml(self) -> Path:
        """The agent's configuration."""
        return self.folder / "agent.toml"

    @property
    def truth(self) -> Path:
        """The simulator's truth about the live run."""
        return self.folder / "truth.json"
