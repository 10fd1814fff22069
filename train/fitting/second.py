"""A second network, where rows are few: it judges some that the first was fitted on, so that limits rest on more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.detector.members.registry import MEMBERS, wanted_rows
from edge.detector.members.tuning import DEFAULT, Tuning
from edge.detector.score.runtime import Network, open_model
from train.fitting.probe import BATCHES
from train.read.dataset import Run
from train.read.split import Split, split_again

_FILLING = 2
"""Windows at the beginning of a run whose rows are not judged, or not in full."""


@dataclass(frozen=True)
class Second:
    """A network that was fitted on later rows than it judges. It teaches limits and is not kept."""

    network: Network
    split: Split
    """Its own: the first rows are what it calibrates on."""


@dataclass(frozen=True)
class SecondModels:
    """The same as model files, one a variant."""

    models: Mapping[str, bytes]
    split: Split

    def opened(self, folder: Path) -> dict[str, Second]:
        """Variant to the network, ready to run; its file is written into `folder`."""
        opened = {}
        for name, model in self.models.items():
            file = folder / second_file(name)
            file.write_bytes(model)
            opened[name] = Second(open_model(file, BATCHES), self.split)
        return opened


def second_file(variant: str) -> str:
    """Name of the model file of a second network."""
    return f"second-{variant}.tflite"


def second_split(runs: Sequence[Run], split: Split, window: int, tuning: Tuning = DEFAULT) -> Split | None:
    """How the rows are split for a second network.

    It judges as many as members of the network still want to take part, half of all at the most.
    None where they have enough that the first was not fitted on, or would not have enough then either.
    """
    held_back = sum(run.rows for run in split.calibrate)
    most = sum(run.rows for run in runs) // 2
    missing = [rows - held_back for rows in _wanted(window, tuning)]
    within_reach = [rows + _FILLING * window * len(runs) for rows in missing if rows > 0]
    within_reach = [rows for rows in within_reach if rows <= most]
    return split_again(runs, split, max(within_reach), window) if within_reach else None


def _wanted(window: int, tuning: Tuning) -> list[int]:
    return [wanted_rows(member.name, window, tuning) for member in MEMBERS if member.network]
