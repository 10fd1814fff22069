"""A case of a benchmark: recordings that are tried with one model, and the normal rows that it is fitted on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from train.evaluation.evaluation import truth
from train.evaluation.found import Anomaly
from train.evaluation.metrics import Judged
from train.fitting.fit import FitSettings
from train.read.dataset import Run
from train.read.tables import RawTable


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
    """The first row that is evaluated; with `calibrate_rows` the first after these."""
    anomalies: Sequence[Sequence[Anomaly]] | None = None
    """Those of each recording; None takes what its label column marks."""
    bundle: Path | None = None
    """A bundle that is tried as it is; None fits one."""
    may_fail: bool = False
    """Whether a detector that cannot be fitted on these rows is told of and says nothing, or ends the benchmark."""

    @property
    def first_evaluated(self) -> int:
        """The first row of each recording that counts."""
        return max(self.first, self.calibrate_rows)

    def seeded(self, seed: int) -> FitSettings:
        """The model's settings for one seed."""
        return replace(self.model, training=replace(self.model.training, seed=seed))

    def truths(self) -> list[Judged]:
        """The recordings beside their truth, of which nothing was said yet."""
        anomalies = [None] * len(self.tables) if self.anomalies is None else self.anomalies
        return [truth(table, own, self.first_evaluated) for table, own in zip(self.tables, anomalies, strict=True)]
