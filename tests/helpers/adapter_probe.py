"""Runs in the other runtime's own interpreter: a model file over windows, through the adapter.

Arguments: the repository, a .tflite file or a bundle's folder, a .npy file with windows, a .npy file to write,
batch sizes. Prints one JSON object; a BundleError is an answer, not a failure.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, sys.argv[1])

import numpy as np

from edge.detector.bundle.files import BundleError, load_bundle
from edge.detector.score.runtime import available_runtimes, load_model, open_model


def main(model: Path, windows: Path, output: Path, batch: list[int]) -> dict[str, object]:
    try:
        if model.is_dir():
            variant, opened = load_model(load_bundle(model))
            name = variant.name
        else:
            name, opened = model.stem, open_model(model, batch)
    except BundleError as error:
        return {"error": str(error)}
    np.save(output, opened.run(np.load(windows)))
    return {"runtime": opened.runtime, "variant": name, "runtimes": available_runtimes(), "numpy": np.__version__}


if __name__ == "__main__":
    print(json.dumps(main(*(Path(name) for name in sys.argv[2:5]), [int(size) for size in sys.argv[5:]])))
