"""Runs a model file in one runtime and saves what came out; a process of its own, since a runtime may crash.

`python -m train.fitting.probe list` prints the runtimes of this interpreter, one a line.
`python -m train.fitting.probe run MODEL RUNTIME WINDOWS.npy OUT.npz` saves `outputs_<batch>` and `us_<batch>`,
microseconds a window, for each batch size. NumPy and a runtime are all that it needs.
"""

import sys
import time
from pathlib import Path

import numpy as np

from edge.detector.bundle.files import BundleError
from edge.detector.score.runtime import Model, available_runtimes, open_model

BATCHES = (1, 8, 32)
_TIMED_CALLS = 30


def run(model: Path, runtime: str, windows: np.ndarray, out: Path) -> None:
    """Run all windows (n, window, channels) at each batch size, then time full batches."""
    results: dict[str, np.ndarray] = {}
    for batch in BATCHES:
        loaded = open_model(model, (batch,), runtime)
        results[f"outputs_{batch}"] = loaded.run(windows)
        results[f"us_{batch}"] = np.array(_us_per_window(loaded, np.resize(windows, (batch, *windows.shape[1:]))))
    np.savez(out, **results)  # type: ignore[arg-type]


def _us_per_window(model: Model, windows: np.ndarray) -> float:
    taken = []
    for _ in range(_TIMED_CALLS):
        start = time.perf_counter()
        model.run(windows)
        taken.append(time.perf_counter() - start)
    return float(np.median(taken)) / len(windows) * 1e6


def main(arguments: list[str]) -> int:
    """Exit status 1 and one line where the runtime refuses the file."""
    if arguments == ["list"]:
        print("\n".join(available_runtimes()))
        return 0
    _, model, runtime, windows, out = arguments
    try:
        run(Path(model), runtime, np.load(windows), Path(out))
    except (BundleError, ValueError, RuntimeError) as error:
        print(str(error).splitlines()[0], file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
