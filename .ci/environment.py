"""Makes .venv in the repository root, as the Makefile's targets need it; does nothing where it is up to date.

Runs on any Python 3, so that it can say what is missing; standard library only.
"""

import argparse
import hashlib
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VERSIONS = ("3.11", "3.12", "3.13")
PINS, RUNTIME_PINS, BENCH_PINS = "constraints.txt", "constraints-tflite-runtime.txt", "constraints-bench.txt"
HOME_PINS = "constraints-homeassistant.txt"
NODE = ("node-red@4.1.15", "playwright-core@1.60.0", "axe-core@4.14.1")
RUNTIME_VERSION = "3.11"
"""The last Python that tflite-runtime has wheels for."""


class SetupError(Exception):
    """The environment cannot be made; one line that names the remedy."""


def version_of(python: object) -> str:
    """`3.11` for an interpreter that runs, else an empty text (a pyenv shim may stand for no interpreter)."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run([str(python), "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.decode().strip()


def interpreter(asked: str) -> tuple:
    """(command, version) of a Python that will do: the one asked for, else any that is installed."""
    found = version_of(asked)
    if found in VERSIONS:
        return asked, found
    for version in reversed(VERSIONS):
        if version_of("python" + version) == version:
            print(f"{asked} is {found or 'missing'}; taking python{version}", flush=True)
            return "python" + version, version
    raise SetupError(
        f"{asked} is {'Python ' + found if found else 'missing'}; wanted Python {VERSIONS[0]} to {VERSIONS[-1]}: "
        "install one, or name it: make ... PYTHON=/path/to/python3"
    )


def run(command: list, what: str) -> None:
    """Run a step in the open, and say how long it took."""
    print(f"--- {what}", flush=True)
    started = time.time()
    if subprocess.call(command, cwd=str(ROOT), stdin=subprocess.DEVNULL):
        raise SetupError(f"{what}: this failed: {' '.join(command)}")
    print(f"--- {what}: {time.time() - started:.0f} s", flush=True)


def fingerprint(version: str, names: tuple) -> str:
    """Changes when the environment has to be made again."""
    content = b"".join((ROOT / name).read_bytes() for name in names)
    return hashlib.sha256(f"{version} {ROOT}".encode() + content).hexdigest()


def make(folder: str, python: str, version: str, arguments: list, names: tuple, part: str = "") -> None:
    """The environment `folder` with what pip's `arguments` name, unless it is there already.

    With `part` they are a part of what it may hold: the whole will do, and stays.
    """
    inside, stamp = ROOT / folder / "bin" / "python", ROOT / folder / "made-of"
    whole, there = fingerprint(version, names), version_of(inside) == version
    wanted = part + whole
    if there and stamp.exists() and stamp.read_text() in (whole, wanted):
        return
    if not there:
        shutil.rmtree(ROOT / folder, ignore_errors=True)
        create(folder, python, version)
    run(
        # Compiling all of TensorFlow's Python takes longer than installing it; what is imported compiles itself.
        [str(inside), "-m", "pip", "install", "--no-compile", "--disable-pip-version-check", "--no-input", *arguments],
        f"installing {' '.join(arguments)} into {folder}",
    )
    stamp.write_text(wanted)


def create(folder: str, python: str, version: str) -> None:
    """An empty virtual environment."""
    try:
        run([python, "-m", "venv", folder], f"creating {folder} with Python {version}")
    except SetupError:
        shutil.rmtree(ROOT / folder, ignore_errors=True)  # half of one would pass for whole next time
        raise SetupError(
            "Python's venv module is missing or incomplete. "
            f"Debian, Ubuntu, Raspberry Pi OS: sudo apt-get install python{version}-venv (or python3-venv)."
        ) from None


def make_runtime(python: str, version: str) -> None:
    """`.venv-tflite`, where the second TFLite runtime is tested; only a Python 3.11 can have it."""
    if version != RUNTIME_VERSION:
        python = "python" + RUNTIME_VERSION
        if version_of(python) != RUNTIME_VERSION:
            print(f"No Python {RUNTIME_VERSION} here: the tests with tflite-runtime are left out.", flush=True)
            return
    make(".venv-tflite", python, RUNTIME_VERSION, ["-r", RUNTIME_PINS], (RUNTIME_PINS,))


def make_homeassistant(python: str) -> None:
    """`.venv-homeassistant`, which wants a Python 3.13 and 600 MB."""
    if version_of(python) != "3.13":
        raise SetupError(f"Home Assistant wants Python 3.13, and {python} is none; name one: make ... PYTHON313=PATH")
    make(".venv-homeassistant", python, "3.13", ["--prefer-binary", "-r", HOME_PINS], (HOME_PINS,))


def make_node(folder: str = "build/node") -> None:
    """Node-RED and what drives a browser, where npm is; without it their tests skip, or fail in CI."""
    if shutil.which("npm") is None:
        print("No npm here: Node-RED and the browser are left out.", flush=True)
        return
    stamp = ROOT / folder / "made-of"
    if stamp.exists() and stamp.read_text() == " ".join(NODE):
        return
    stamp.parent.mkdir(parents=True, exist_ok=True)
    command = ["npm", "install", "--fetch-retries", "5", "--no-audit", "--no-fund", "--prefix", folder, *NODE]
    run(command, f"installing {' '.join(NODE)} into {folder}")
    stamp.write_text(" ".join(NODE))


def make_bench(python: str, version: str) -> None:
    """`.venv-bench`, with what `make bench` compares with; without it the benchmark runs and says so."""
    try:
        arguments = ["-c", PINS, "-r", BENCH_PINS, "ai-edge-litert", "numpy"]
        make(".venv-bench", python, version, arguments, (PINS, BENCH_PINS))
    except SetupError as error:
        print(f"{error}; going on without", flush=True)


def main() -> int:
    """Exit status 0, or 1 with one line on stderr."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", default="python3", help="interpreter to make it with (default: python3)")
    parser.add_argument("--demo", action="store_true", help="only what the demo runs with, in less time")
    parser.add_argument("--tflite-runtime", action="store_true", help="make .venv-tflite too, for the tests")
    parser.add_argument("--node", action="store_true", help="install Node-RED and a browser's driver, for their tests")
    parser.add_argument("--homeassistant", metavar="PYTHON", help="make .venv-homeassistant too, with this Python 3.13")
    parser.add_argument("--bench", action="store_true", help="make .venv-bench too, for the benchmarks")
    options = parser.parse_args()
    try:
        python, version = interpreter(options.python)
        # Editable: the commands run what stands in the working tree.
        extras, part = (".[train,demo]", "demo ") if options.demo else (".[train,dev]", "")
        make(".venv", python, version, ["-c", PINS, "-e", extras], ("pyproject.toml", PINS), part)
        if options.tflite_runtime:
            make_runtime(python, version)
        if options.homeassistant:
            make_homeassistant(options.homeassistant)
        if options.node:
            make_node()
        if options.bench:
            make_bench(python, version)
    except SetupError as error:
        print(f"set-up: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
