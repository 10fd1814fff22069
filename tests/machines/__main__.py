"""Writes recordings of simulated machines for `offbeat-train benchmark families`: `python -m tests.machines DIR`."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.machines.kinds import KINDS
from tests.machines.signals import Chance

ROWS = 4000
"""Of normal operation to fit on, and as many with faults."""
FAULTS = ("level", "noise", "stuck", "spike", "unrelated", "drift", "warp")
_FIRST, _LENGTH, _LENGTHS = 400, 100, {"spike": 3, "drift": 200}


def with_faults(
    chance: Chance, kind: Callable[[Chance, int], np.ndarray], sd: np.ndarray, warped: Chance
) -> tuple[np.ndarray, np.ndarray]:
    """(rows, channels) readings and (rows,) labels, 1 where a fault is: one of each, in chance order and channels."""
    values, other, labels = kind(chance, ROWS + 200)[200:], kind(chance, ROWS), np.zeros(ROWS, int)
    at = _FIRST
    for fault in chance.permutation(FAULTS):
        channel = int(chance.integers(values.shape[1]))
        length = _LENGTHS.get(fault, _LENGTH)
        rows, sign = slice(at, at + length), chance.choice([-1, 1])
        if fault == "level":
            values[rows, channel] += sign * 3 * sd[channel]
        elif fault == "noise":
            values[rows, channel] += 2 * sd[channel] * chance.normal(size=length)
        elif fault == "stuck":
            values[rows, channel] = values[at, channel]
        elif fault == "spike":
            values[rows, channel] += sign * 8 * sd[channel]
        elif fault == "unrelated":
            values[rows, channel] = other[rows, channel]
        elif fault == "drift":
            values[rows, channel] += sign * 4 * sd[channel] * np.linspace(0, 1, length)
        else:
            fast = np.clip((np.arange(length) * 1.8).astype(int) + 100, 0, 399)
            values[rows] = kind(warped, 400)[fast]
        labels[rows] = 1
        at += length + int(chance.integers(330, 420))
    return values, labels


def write(folder: Path, seed: int) -> None:
    """A family for each kind, of one machine."""
    for number, (name, kind) in enumerate(KINDS.items()):
        chance = np.random.default_rng([seed, number])
        normal = kind(chance, ROWS)
        values, labels = with_faults(chance, kind, normal.std(axis=0), np.random.default_rng([seed, number, 9]))
        case = folder / name / "m"
        case.mkdir(parents=True, exist_ok=True)
        _write_rows(case / "normal.csv", normal, None)
        _write_rows(case / "test.csv", values, labels)
        (case / "meta.json").write_text(json.dumps({"fit": [], "calibrate_rows": 0}), "utf-8")


def _write_rows(file: Path, values: np.ndarray, labels: np.ndarray | None) -> None:
    names = [f"v{channel}" for channel in range(values.shape[1])]
    lines = [",".join(["time", *names, *([] if labels is None else ["anomaly"])])]
    for row, readings in enumerate(values):
        label = [] if labels is None else [str(labels[row])]
        lines.append(",".join([f"{1.7e9 + row:.1f}", *(f"{value:.5g}" for value in readings), *label]))
    file.write_text("\n".join(lines) + "\n", "utf-8")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    write(options.folder, options.seed)


if __name__ == "__main__":
    main()
