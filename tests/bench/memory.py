"""Megabytes that a model adds to a process: `python -m tests.bench.memory FILE BATCH`.

Resident memory after the first calls, less that of a process that has loaded the runtime and another small model.
"""

import json
import sys
from pathlib import Path

import numpy as np

from edge.detector.score.runtime import open_model

_TINY = Path(__file__).resolve().parents[1] / "helpers/tiny.tflite"


def resident_mb() -> float:
    """Of this process, from the kernel."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def main() -> None:
    """Print the figure as JSON."""
    path, batch = Path(sys.argv[1]), int(sys.argv[2])
    tiny = open_model(_TINY)
    tiny.run(np.zeros((1, tiny.window, tiny.channels), np.float32))
    before = resident_mb()
    model = open_model(path, (batch,))
    for _ in range(3):
        model.run(np.zeros((batch, model.window, model.channels), np.float32))
    print(json.dumps(resident_mb() - before))


if __name__ == "__main__":
    main()
