"""The files that a run of the demo leaves behind, beside those that its programs write themselves."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from firmware_sim.machine.channels import NAMES


def write_alerts(path: Path, payloads: Sequence[bytes]) -> None:
    """Every event message as it came over MQTT, one a line."""
    path.write_bytes(b"".join(payload + b"\n" for payload in payloads))


def write_readings(path: Path, times: np.ndarray, values: np.ndarray) -> None:
    """The readings as they came over MQTT, as CSV; times in Unix seconds, a missing value is an empty cell."""
    with path.open("w", encoding="utf-8") as out:
        out.write(",".join(["time", *NAMES]) + "\n")
        for time, row in zip(times.tolist(), values.tolist(), strict=True):
            out.write(",".join([f"{time:.3f}", *map(_cell, row)]) + "\n")


def _cell(value: float) -> str:
    return "" if value != value else f"{value:g}"  # NaN: the one number unequal to itself
