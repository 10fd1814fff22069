"""Recordings of the simulated pump, made by its own command: what it is and does is its own business."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import edge
from train.console.errors import DatasetError
from train.evaluation.found import Anomaly
from train.read.tables import RawTable, ReadOptions, read_table


@dataclass(frozen=True)
class SimulatedFault:
    """One fault of a run, as its truth file has it."""

    kind: str
    start: float
    end: float
    """Unix seconds; the first sound row."""
    channels: tuple[str, ...]
    """Channels that it moves, most affected first."""

    @property
    def anomaly(self) -> Anomaly:
        """It as an anomaly to be found."""
        return Anomaly(self.start, self.end)


@dataclass(frozen=True)
class Simulated:
    """A run and what was wrong in it."""

    table: RawTable
    faults: tuple[SimulatedFault, ...]


def simulate(folder: Path, name: str, options: Sequence[str]) -> Simulated:
    """A run of `offbeat-sim csv` with these options.

    Raises:
        DatasetError: the simulator refuses; its own message.
    """
    file, truth = folder / f"{name}.csv", folder / f"{name}.json"
    command = ["csv", "--out", str(file), "--truth", str(truth), "--time", "unix", "--quiet", *options]
    # The simulator is no part of train, and may not be installed where this is tried from a source tree.
    path = os.pathsep.join([str(Path(edge.__file__).resolve().parents[1]), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-m", "firmware_sim", *command],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise DatasetError(f"offbeat-sim {' '.join(command)}: {done.stderr.strip()}")
    faults = json.loads(truth.read_text("utf-8"))["faults"]
    return Simulated(
        read_table(file, ReadOptions()),
        tuple(SimulatedFault(one["kind"], one["start"], one["end"], tuple(one["channels"])) for one in faults),
    )
