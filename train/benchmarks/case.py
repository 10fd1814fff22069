"""A case of a benchmark: recordings that are tried with one model, and the normal rows that it is fitted on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from train.dataset import Run
from train.fit import FitSettings
from train.found import Anomaly
from train.tables import RawTable


@dataclass(frozen=True)
class Case:
    """Everything that all detectors of a benchmark are given alike."""

    name: str
    runs: Sequence[Run]
    """Normal rows to fit on; as in `fit`, the later ones calibrate."""
    model: FitSettings
    tables: Sequence[RawTable]
    calibrate_rows: int = 0
    """Each recording is commissioned on so many of its first rows; 0 takes the bundle's calibration."""
    first: int = 0
    """The first row that is evaluated, the first after `calibrate_rows` at least."""
    anomalies: Sequence[Anomaly] | None = None
    """Of each recording; None takes what its label column marks."""

    def seeded(self, seed: int) -> FitSettings:
        """The model's settings for one seed."""
        return replace(self.model, training=replace(self.model.training, seed=seed))
