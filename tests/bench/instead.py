"""What a user would write instead, and ours, on the same rows: `python -m tests.bench.instead WHAT FOLDER [STREAMS]`.

Prints microseconds a row, the median over many rows, from values that are there to a score.
"""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from tests.bench.sizes import Size

_SIZE = Size(30, 8, 16)
_WARM_UP = 60


def rows(count: int) -> np.ndarray:
    """(count, channels) of noise around 10."""
    return np.random.default_rng(0).normal(10, 1, (count, _SIZE.channels))


def keras_steps() -> Iterator[Callable[[], object]]:
    """A loop of `predict`: scale, keep a window, mean squared error."""
    from collections import deque

    from tests.bench.model_files import network

    model, window = network(_SIZE), deque(maxlen=_SIZE.window)

    def step(row: np.ndarray) -> float | None:
        window.append(row - 10)
        if len(window) < _SIZE.window:
            return None
        given = np.array(window)[None]
        return float(np.square(given - model.predict(given, verbose=0)).mean())

    for row in rows(_WARM_UP + 100):
        yield lambda row=row: step(row)


def river_steps() -> Iterator[Callable[[], object]]:
    """Half-space trees with the defaults of their documentation, behind a scaler to 0..1, which they want."""
    from river import anomaly, compose, preprocessing

    model = compose.Pipeline(preprocessing.MinMaxScaler(), anomaly.HalfSpaceTrees(seed=0))

    def step(row: dict[str, float]) -> float:
        score = model.score_one(row)
        model.learn_one(row)
        return score

    for values in rows(_WARM_UP + 2000):
        row = {f"c{number}": value for number, value in enumerate(values)}
        yield lambda row=row: step(row)


def our_steps(folder: Path, streams: int) -> Iterator[Callable[[], object]]:
    """Aligned rows of so many streams through a group, with the fastest variant."""
    from edge.agent.fastest import load_fastest
    from edge.detector.group import StreamGroup, StreamSettings
    from edge.detector.rows.row import Row
    from tests.bench.agent_load import bundle_of

    bundle = bundle_of(folder / "instead", folder, 1.0)
    variant, model = load_fastest(bundle, None, streams)
    group = StreamGroup(bundle, variant, model, [StreamSettings(f"s{n}", level=5.0) for n in range(streams)])
    for number, values in enumerate(rows(_WARM_UP + 1000)):
        row = Row(float(number), values, restart=number == 0)
        yield lambda batch=[(stream, row) for stream in range(streams)]: group.process(batch)


def median_us(steps: Iterator[Callable[[], object]]) -> float:
    """Of a step, those that warm up left out."""
    taken = []
    for step in steps:
        start = time.perf_counter()
        step()
        taken.append(time.perf_counter() - start)
    return float(np.median(taken[_WARM_UP:])) * 1e6


def main() -> None:
    """Print the figure."""
    what, folder = sys.argv[1], Path(sys.argv[2])
    streams = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    steps = {"keras": keras_steps, "river": river_steps}.get(what, lambda: our_steps(folder, streams))
    print(median_us(steps()) / streams)


if __name__ == "__main__":
    main()
