"""Scores of a bundle for rows, wherever this runs: `guest_scores.py BUNDLE VARIANT ROWS.npy`.

Prints a SCORE line for each row on the error stream. NumPy, a runtime and the package beside this one are all it needs.
"""

import sys
from pathlib import Path

import numpy as np


def scores(bundle_folder: Path, name: str, rows: np.ndarray) -> np.ndarray:
    """(n,) scores of (n, channels) rows, a period apart; NaN while the window fills."""
    from edge.detector.bundle.files import load_bundle
    from edge.detector.group import StreamGroup, StreamSettings
    from edge.detector.rows.row import Row
    from edge.detector.score.runtime import load_model

    bundle = load_bundle(bundle_folder)
    variant, model = load_model(bundle, name)
    group = StreamGroup(bundle, variant, model, [StreamSettings(id="pump1")])
    given = (Row(1.7e9 + number * bundle.period_s, values) for number, values in enumerate(rows))
    return np.array([group.process([(0, row)])[0].score for row in given])


def main() -> None:
    """Score and print."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    for score in scores(Path(sys.argv[1]), sys.argv[2], np.load(sys.argv[3])):
        print(f"SCORE {score:.9g}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
