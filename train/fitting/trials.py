"""Tries model files in real runtimes, each in a process of its own, in this interpreter and in others."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import edge
from train.console.errors import FitError
from train.fitting.probe import BATCHES

CRASHES_ELSEWHERE = {("int8", "tflite-runtime")}
"""Never listed although it runs on x86-64: on arm64 and armhf the unrolled int8 graph ends the process in invoke()."""
_TIMEOUT_S = 300.0


@dataclass(frozen=True)
class Interpreter:
    """A Python with one runtime in it."""

    python: Path
    runtime: str


@dataclass(frozen=True)
class Trial:
    """One model file in one runtime."""

    variant: str
    runtime: str
    python: Path
    outputs: dict[int, np.ndarray]
    """Batch size to (n, window, channels); empty where it did not run."""
    us_per_window: dict[int, float]
    """Batch size to median microseconds a window, one thread."""
    problem: str | None
    """Why it did not run; None where it did."""


def find_interpreters(pythons: Sequence[str | Path]) -> list[Interpreter]:
    """The runtimes of this interpreter and of `pythons`.

    Raises:
        FitError: one of them cannot be started or has no runtime.
    """
    found: dict[tuple[str, str], Interpreter] = {}
    for name in (sys.executable, *pythons):
        # Not resolved: the link in a virtual environment is what makes it one.
        python = Path(name).absolute()
        with _import_path() as path:
            listed = _call(python, path, ["list"])
        if listed.returncode or not listed.stdout.split():
            reason = _last_line(listed.stderr) or "no ai-edge-litert and no tflite-runtime in it"
            raise FitError(f"{name}: cannot try models there: {reason}")
        for runtime in listed.stdout.split():
            found.setdefault((str(python), runtime), Interpreter(python, runtime))
    return list(found.values())


def try_variant(variant: str, model: bytes, interpreter: Interpreter, windows: np.ndarray) -> Trial:
    """Run one model file on windows (n, window, channels) in one runtime, at every batch size of a bundle."""

    def trial(
        problem: str | None, out: dict[int, np.ndarray] | None = None, us: dict[int, float] | None = None
    ) -> Trial:
        return Trial(variant, interpreter.runtime, interpreter.python, out or {}, us or {}, problem)

    with _import_path() as path:
        file, given, out = path / f"{variant}.tflite", path / "windows.npy", path / "out.npz"
        file.write_bytes(model)
        np.save(given, windows.astype(np.float32))
        arguments = ["run", str(file), interpreter.runtime, str(given), str(out)]
        try:
            done = _call(interpreter.python, path, arguments)
        except subprocess.TimeoutExpired:
            return trial(f"did not end within {_TIMEOUT_S:.0f} s")
        if done.returncode < 0:
            return trial(f"crashed ({signal.Signals(-done.returncode).name})")
        if done.returncode:
            return trial(_last_line(done.stderr).replace(str(path), "").lstrip("/") or f"exit {done.returncode}")
        with np.load(out) as saved:
            outputs = {batch: saved[f"outputs_{batch}"] for batch in BATCHES}
            return trial(None, outputs, {batch: float(saved[f"us_{batch}"]) for batch in BATCHES})


@contextmanager
def _import_path() -> Iterator[Path]:
    """A folder with only the code that a probe imports.

    Another interpreter must not see this one's site-packages: it would load a NumPy built for this one.
    """
    with tempfile.TemporaryDirectory(prefix="offbeat-probe-") as folder:
        path = Path(folder)
        shutil.copytree(Path(edge.__file__).parent, path / "edge", ignore=shutil.ignore_patterns("__pycache__"))
        room = path / "train" / "fitting"
        room.mkdir(parents=True)
        for package in (room.parent, room):
            (package / "__init__.py").touch()
        shutil.copy(Path(__file__).with_name("probe.py"), room / "probe.py")
        yield path


def _call(python: Path, path: Path, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(path), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [str(python), "-m", "train.fitting.probe", *arguments]
    try:
        # From its own folder: with -m the current one comes first, and may hold a train.py of the user's.
        return subprocess.run(
            command, cwd=path, env=environment, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except OSError as error:
        raise FitError(f"{python}: cannot be started ({error.strerror})") from error


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""
