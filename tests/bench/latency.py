"""Microseconds a window on this machine, one thread: `python -m tests.bench.latency FOLDER OUT.json`.

Runs every file that is in FOLDER and that this Python has a runtime for, at each batch size, in turns: in every round
each file once, so that what slows the machine slows all. What a file gives is compared first.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np

from tests.bench import torch_network
from tests.bench.runners import Call, open_file
from tests.bench.sizes import BATCHES, SIZES, Size, arrays, error, within

_ROUNDS = 21
_ROUND_S = 0.01
"""How long a file is run in one round, seconds."""


def latencies(folder: Path, size: Size, batch: int) -> dict[str, float]:
    """File kind to the median over the rounds."""
    saved = arrays(folder, size)
    given, wanted = saved["windows"][:batch], saved["wanted"][:batch]
    calls: dict[str, Call] = {}
    for path in sorted(folder.glob(f"{size.name}_*.*")):
        kind = path.stem.split("_")[1]
        calls[kind] = open_file(path, given)
        if not (off := error(calls[kind](), wanted)) <= within(kind):
            raise SystemExit(f"{path.name} is off by {off:.2g} of the spread at batch {batch}: nothing is measured")
    if torch_network.installed():
        calls["pytorch"] = torch_network.pytorch(size, saved, given)
        if not error(calls["pytorch"](), wanted) <= within("float32"):
            raise SystemExit("PyTorch gives something else: nothing is measured")
    return {kind: taken / batch for kind, taken in in_turns(calls).items()}


def in_turns(calls: dict[str, Call], rounds: int = _ROUNDS, round_s: float = _ROUND_S) -> dict[str, float]:
    """Median microseconds of each call."""
    repeats = {kind: max(1, int(round_s / _once(call))) for kind, call in calls.items()}
    taken: dict[str, list[float]] = {kind: [] for kind in calls}
    for _ in range(rounds):
        for kind, call in calls.items():
            taken[kind].append(_once(call, repeats[kind]) * 1e6)
    return {kind: float(np.median(values)) for kind, values in taken.items()}


def _once(call: Call, repeats: int = 1) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - start) / repeats


def main() -> None:
    """Measure all sizes and batches; {size: {batch: {kind: us}}}."""
    folder, out = map(Path, sys.argv[1:3])
    found = {size.name: {str(batch): latencies(folder, size, batch) for batch in BATCHES} for size in SIZES}
    out.write_text(json.dumps(found))


if __name__ == "__main__":
    main()
