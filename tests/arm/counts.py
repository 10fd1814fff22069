"""Instructions a window on emulated ARM processors: `python -m tests.arm.counts FOLDER`.

FOLDER holds what `tests.bench.model_files` and, for the comparison, `tests.bench.onnx_files` wrote. Counts repeat to
0.02 %; what an emulator takes in time says nothing, and so says a count nothing of caches.
"""

import argparse
import re
from pathlib import Path

from tests.arm.rig import CPUS, ROOT, Rig, missing, prepare
from tests.bench.sizes import Size, sizes, within

Counts = dict[str, dict[str, dict[str, float]]]
"""Processor, size, file kind -> millions of instructions of one call: set, run and get at batch 1."""
_PINS = ("ai-edge-litert", "numpy", "onnxruntime")


def pins() -> list[str]:
    """The guest's packages, as pinned for the host."""
    lines = [
        line for name in ("constraints.txt", "constraints-bench.txt") for line in (ROOT / name).read_text().split()
    ]
    return list(dict.fromkeys(line for line in lines if line.split("==")[0] in _PINS and "==" in line))


def count(rig: Rig, folder: Path, cpu: str, chosen: tuple[Size, ...]) -> dict[str, dict[str, float]]:
    """One processor's counts.

    Raises:
        RuntimeError: a file does not run there, or gives something else than Keras.
    """
    names = sorted(path.name for size in chosen for path in folder.glob(f"{size.name}_*.*"))
    told = rig.run(cpu, Path(__file__).with_name("guest.py"), [str(folder), *names])
    counts: dict[str, dict[str, float]] = {size.name: {} for size in chosen}
    for before, after, name, error in re.findall(r"MARK 0 (\d+)\nMARK 1 (\d+)\nFILE (\S+) (\S+)", told):
        size, kind = Path(name).stem.split("_")
        if not float(error) <= within(kind):
            raise RuntimeError(f"{cpu}: {name} is off by {float(error):.2g} of the spread")
        counts[size][kind] = (int(after) - int(before)) / 1e6
    return counts


def measure(folder: Path, chosen: tuple[Size, ...], cpus: tuple[str, ...] = CPUS) -> Counts:
    """All counts."""
    rig = prepare(ROOT / "build/arm", pins())
    return {cpu: count(rig, folder, cpu, chosen) for cpu in cpus}


def main() -> None:
    """Print a table for each processor."""
    parser = argparse.ArgumentParser("python -m tests.arm.counts", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sizes", default="", help="such as 60x8x64,30x8x16 (all)")
    args = parser.parse_args()
    if why := missing():
        print(f"ARM: {why}")
        return
    for cpu, by_size in measure(args.folder, sizes(args.sizes)).items():
        for size, kinds in by_size.items():
            print(f"{cpu:11s} {size:9s}", "  ".join(f"{kind} {value:.3f}" for kind, value in kinds.items()))


if __name__ == "__main__":
    main()
