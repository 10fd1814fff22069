"""The parts of `make bench`, each in processes of its own: what is measured, and the table that it makes."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.arm import counts, rig
from tests.bench.agent_load import STREAMS
from tests.bench.sizes import BATCHES, SIZES
from tests.bench.tables import print_table
from tests.helpers.mosquitto import executable as mosquitto

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


def agent(folder: Path) -> list[dict[str, Any]] | None:
    """3. The agent, from MQTT to score."""
    if mosquitto() is None:
        print("agent: not installed: apt-get install mosquitto\n")
        return None
    loads = [(streams, 1.0) for streams in STREAMS] + [(1, 10.0)]
    print("the agent on one processor, 8 channels, window 30, hidden 16, one JSON message a row")
    print("streams   Hz  rows/s  processor  us a row  lag p50 / p99 ms  resident MB  ready s  variant")
    found = []
    for streams, hz in loads:
        one = json.loads(_run(sys.executable, "tests.bench.agent_load", str(folder), str(streams), str(hz)))
        found.append(one)
        lags = f"{one['lag_p50_s'] * 1e3:.0f} / {one['lag_p99_s'] * 1e3:.0f}"
        print(
            f"{streams:7d} {hz:4.0f} {one['rows_per_s']:7.0f} {one['cpu_share']:9.1%} {one['us_per_row']:9.0f} "
            f"{lags:>17} {one['resident_mb']:12.0f} {one['ready_s']:8.2f}  {one['variant']}",
            flush=True,
        )
    print()
    return found


def instead(folder: Path) -> dict[str, float]:
    """4. What a user would write instead, on the same rows: microseconds a row."""
    found = {"keras-predict loop": float(_run(sys.executable, "tests.bench.instead", "keras", str(folder)))}
    if BENCH_PYTHON.exists():
        found["river half-space trees"] = float(_run(BENCH_PYTHON, "tests.bench.instead", "river", str(folder)))
    else:
        print(f"instead: {NO_BENCH_PYTHON}")
    for streams in (1, 32):
        name = f"edge.detector, {streams} stream{'s' * (streams > 1)}"
        found[name] = float(_run(sys.executable, "tests.bench.instead", "ours", str(folder), str(streams)))
    print("us a row, from values to a score, one thread")
    print("".join(f"{name:28} {us:10.0f}\n" for name, us in found.items()))
    return found


def training(folder: Path) -> dict[str, float]:
    """5. From a CSV of normal operation to a calibrated bundle, as `make model` does it."""
    csv = folder / "pump.csv"
    _run(sys.executable, "firmware_sim", "csv", "--out", str(csv), "--hours", "36", "--seed", "20260105")
    start = time.perf_counter()
    _run(sys.executable, "train", "fit", str(csv), "--out", str(folder / "pump"))
    took_s = time.perf_counter() - start
    print(f"training: {took_s:.0f} s from 36 hours of 7 channels to a calibrated bundle\n")
    return {"seconds": took_s}


def _run(python: str | Path, module: str, *arguments: str) -> str:
    """What a module prints; its errors go to the error stream.

    Raises:
        SystemExit: it failed.
    """
    done = subprocess.run([str(python), "-m", module, *arguments], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{module}: {done.stderr.strip()[-1000:]}")
    return done.stdout
