"""What one row costs in edge.detector without the interpreter: `python -m tests.bench.row_cost`.

The way of a reading on the device, from the aligner to the episode, with a network that gives its window back: what
is left is Python and NumPy. Streams side by side share most of it. Beside it the way without the aligner, which is
what a replay of aligned rows costs.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from edge.detector.bundle.files import Bundle, write_bundle
from edge.detector.bundle.scaler import fit_scaler
from edge.detector.group import StreamGroup, StreamSettings
from edge.detector.learn.calibrate import calibrate
from edge.detector.learn.prepare import NormalRows
from edge.detector.learn.runs import Run
from edge.detector.rows.aligner import Aligner, AlignerSettings
from edge.detector.rows.row import Row
from edge.detector.score.calibrations import Shape
from tests.helpers.tiny_bundle import plain_manifest

WINDOW, NORMAL_ROWS = 30, 1200


class NoInterpreter:
    """Windows as they are."""

    def run(self, windows: np.ndarray) -> np.ndarray:
        return windows


def readings(rows: int, channels: int) -> np.ndarray:
    """(rows, channels) of noise around a level."""
    return np.random.default_rng(0).normal(10.0, 1.0, (rows, channels))


def bundle_of(folder: Path, channels: int) -> Bundle:
    """A bundle whose model file is never opened."""
    values = readings(NORMAL_ROWS, channels)
    names = [f"c{number}" for number in range(channels)]
    scaler = fit_scaler(values, "robust", names)
    none = np.zeros(NORMAL_ROWS, bool)
    run = Run(np.arange(float(NORMAL_ROWS)), values, none.astype(int), none)
    calibration = calibrate(NoInterpreter(), Shape(WINDOW, channels), NormalRows([run], scaler, np.full(channels, 3.0)))
    variant = {"name": "float32", "file": "none.tflite", "batch": [1], "runtimes": ["none"]}
    rest = {"rmse_to_float32": 0.0, "score_agreement": 1.0, "calibration": calibration.to_dict()}
    body = plain_manifest("cost", names, WINDOW, scaler, {**variant, **rest})
    return write_bundle(folder, body, {"none.tflite": b""})


def group_of(bundle: Bundle, streams: int) -> StreamGroup:
    """Streams that share the bundle."""
    return StreamGroup(bundle, bundle.variants[0], NoInterpreter(), [StreamSettings(f"s{n}") for n in range(streams)])


def steps_of_rows(bundle: Bundle, streams: int, rows: int) -> Iterator[Callable[[], object]]:
    """One step a row: aligned rows of all streams go in."""
    group = group_of(bundle, streams)
    for number, values in enumerate(readings(rows, len(bundle.channels))):
        row = Row(float(number), values, restart=number == 0)
        yield lambda batch=[(stream, row) for stream in range(streams)]: group.process(batch)


def steps_of_readings(bundle: Bundle, rows: int) -> Iterator[Callable[[], object]]:
    """One step a reading of all channels of one stream: align it, score the row that it closes."""
    group, aligner = group_of(bundle, 1), Aligner(bundle.channel_names, AlignerSettings(1.0))
    for number, values in enumerate(readings(rows, len(bundle.channels)).tolist()):
        reading = dict(zip(bundle.channel_names, values, strict=True))
        yield lambda at=float(number), reading=reading: [group.process([(0, row)]) for row in aligner.add(at, reading)]


def taken_us(steps: Iterator[Callable[[], object]], warm_up: int = 2 * WINDOW) -> np.ndarray:
    """(2,): median and lower quartile of the microseconds a step, those that fill the window left out."""
    taken = []
    for step in steps:
        start = time.perf_counter_ns()
        step()
        taken.append(time.perf_counter_ns() - start)
    return np.quantile(taken[warm_up:], [0.5, 0.25]) / 1000


def main() -> None:
    """Measure and print."""
    import tempfile

    parser = argparse.ArgumentParser("python -m tests.bench.row_cost", description=__doc__)
    parser.add_argument("--channels", type=int, default=8)
    parser.add_argument("--rows", type=int, default=5000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bundle = bundle_of(Path(folder), args.channels)
    print(f"microseconds a row, {args.channels} channels, window {WINDOW}, no interpreter: median (lower quartile,")
    print("which other work on the machine changes less)")
    print(f"1 stream, aligner to episode: {_told(taken_us(steps_of_readings(bundle, args.rows)))}")
    print(f"1 stream, aligned rows:       {_told(taken_us(steps_of_rows(bundle, 1, args.rows)))}")
    for streams in (8, 32):
        each = taken_us(steps_of_rows(bundle, streams, args.rows // 4)) / streams
        print(f"{streams} streams, each row:" + " " * (11 - len(str(streams))) + _told(each))


def _told(taken: np.ndarray) -> str:
    return f"{taken[0]:.0f} ({taken[1]:.0f})"


if __name__ == "__main__":
    main()
