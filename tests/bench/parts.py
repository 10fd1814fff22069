"""The parts of `make bench`, each in processes of its own: what is measured, and the table that it makes."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.arm import counts, rig
from tests.bench.sizes import BATCHES, SIZES
from tests.bench.tables import print_table

ROOT = Path(__file__).resolve().parents[2]
BENCH_PYTHON = ROOT / ".venv-bench/bin/python"
"""Has ONNX Runtime and ai-edge-litert."""
NO_BENCH_PYTHON = ".venv-bench is not there, so nothing to compare with; `make bench` makes it"


def prepared(folder: Path) -> Path:
    """The model files of all sizes, ours and ONNX's."""
    folder.mkdir(parents=True, exist_ok=True)
    _run(sys.executable, "tests.bench.model_files", str(folder))
    if BENCH_PYTHON.exists():
        _run(BENCH_PYTHON, "tests.bench.onnx_files", str(folder))
    return folder


def windows(folder: Path) -> dict[str, Any]:
    """1. A window's latency on this machine."""
    out = folder / "latency.json"
    if not BENCH_PYTHON.exists():
        print(f"windows: {NO_BENCH_PYTHON}")
    _run(BENCH_PYTHON if BENCH_PYTHON.exists() else sys.executable, "tests.bench.latency", str(folder), str(out))
    found = json.loads(out.read_text())
    _run(sys.executable, "tests.bench.keras_latency", str(folder), str(out))
    keras = json.loads(out.read_text())
    for batch in map(str, BATCHES):
        print_table(f"us a window, batch {batch}", {size.name: found[size.name][batch] for size in SIZES}, 1)
    for batch in map(str, BATCHES):
        print_table(f"us a window in Keras, batch {batch}", {size.name: keras[size.name][batch] for size in SIZES}, 0)
    return {size.name: {n: found[size.name][n] | keras[size.name][n] for n in found[size.name]} for size in SIZES}


def memory(folder: Path) -> dict[str, float]:
    """What a model adds to the process, batch 1."""
    found = {}
    for path in sorted(folder.glob("*.tflite")):
        found[path.stem] = json.loads(_run(sys.executable, "tests.bench.memory", str(path), "1"))
    print("MB that a model adds to the process, batch 1")
    for size in SIZES:
        of_size = {name: mb for name, mb in found.items() if name.startswith(size.name + "_")}
        print(f"{size.name:14}" + "  ".join(f"{name.split('_')[1]} {mb:.1f}" for name, mb in of_size.items()))
    print()
    return found


def arm(folder: Path) -> counts.Counts | None:
    """2. Instructions on ARM."""
    if why := rig.missing():
        print(f"ARM: {why}\n")
        return None
    found = counts.measure(folder, SIZES)
    for cpu, rows in found.items():
        print_table(f"million instructions a window, {cpu}, batch 1", rows, 3)
    return found


def _run(python: str | Path, module: str, *arguments: str) -> str:
    """What a module prints; its errors go to the error stream.

    Raises:
        SystemExit: it failed.
    """
    done = subprocess.run([str(python), "-m", module, *arguments], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{module}: {done.stderr.strip()[-1000:]}")
    return done.stdout
