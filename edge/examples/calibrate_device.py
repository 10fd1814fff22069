"""Calibrates a bundle on a machine's own normal readings, and keeps what was learned beside it.

    python -m edge.examples.calibrate_device models/pump normal.csv pump-7.json

The next program goes on with it: `detector.restore(json.loads(Path("pump-7.json").read_text()))`.
The file with the readings is one that `score_readings` reads.
"""

import json
import sys
from pathlib import Path

from edge import Detector
from edge.examples.score_readings import readings


def main(folder: str, path: str, state: str) -> None:
    """Calibrate, and write the detector's state."""
    detector = Detector.load(folder)
    detector.calibrate(readings(path, detector.channels))
    Path(state).write_text(json.dumps(detector.snapshot()), "utf-8")
    print(f"{detector.bundle.name} is calibrated on {path}; its state is in {state}")


if __name__ == "__main__":
    main(*sys.argv[1:])
