"""The agent under load: boards to a real Mosquitto to scores, at 1 to 2,000 streams.

The agent has one processor, broker and boards the other. A window is full before anything is counted.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from edge.detector.bundle.files import Bundle, write_bundle
from edge.detector.bundle.scaler import fit_scaler
from edge.detector.learn.calibrate import calibrate
from edge.detector.learn.prepare import NormalRows
from edge.detector.learn.runs import Run
from edge.detector.score.calibrations import Shape
from edge.detector.score.runtime import open_model
from tests.bench.sizes import Size
from tests.helpers.mosquitto import Broker, wait_for

STREAMS = (1, 10, 100, 1000, 2000, 5000)
_NETWORK = Size(30, 8, 16)
_COUNTED_S = 20


@dataclass(frozen=True)
class Load:
    """What the agent did in the seconds that were counted."""

    streams: int
    hz: float
    """Rows a second of each."""
    rows_per_s: float
    """Rows scored."""
    cpu_share: float
    """Of one processor."""
    us_per_row: float
    """Processor time of all threads."""
    lag_p50_s: float
    """From a board's sending to its row's score."""
    lag_p99_s: float
    resident_mb: float
    ready_s: float
    """From the start of the process."""
    variant: str


def bundle_of(folder: Path, files: Path, hz: float) -> Bundle:
    """A bundle of the random network, calibrated on noise such as the boards send."""
    channels, rows = _NETWORK.channels, 3000
    values = np.random.default_rng(1).normal(10, 1, (rows, channels))
    names = [f"c{number}" for number in range(channels)]
    scaler, drift = fit_scaler(values, "robust", names), np.full(channels, 3.0)
    none = np.zeros(rows, bool)
    run = Run(np.arange(float(rows)), values, none.astype(int), none)
    variants, contents = [], {}
    for name in ("float32", "dynamic", "int8"):
        path = files / f"{_NETWORK.name}_{name}.tflite"
        network = open_model(path, (1, 8, 32))
        made = calibrate(network, Shape(_NETWORK.window, channels), NormalRows([run], scaler, drift))
        body = {"name": name, "file": f"{name}.tflite", "batch": [1, 8, 32], "runtimes": [network.runtime]}
        variants.append({**body, "rmse_to_float32": 0.0, "score_agreement": 1.0, "calibration": made.to_dict()})
        contents[f"{name}.tflite"] = path.read_bytes()
    rest = {
        "period_s": 1 / hz,
        "timezone": "UTC",
        "season": None,
        "window": _NETWORK.window,
        "stride": 1,
        "training": {},
    }
    described = {"name": "load", "created": "", "channels": [{"name": name, "unit": ""} for name in names]}
    alarm = {"max_drift": [3.0] * channels}
    body = {**described, **rest, "scaler": scaler.to_dict(), "variants": variants, "alarm": alarm}
    return write_bundle(folder, body, contents)


def config_of(folder: Path, bundle: Bundle, port: int, streams: int, extra: str = "") -> Path:
    """An agent.toml with so many streams and `extra` lines; levels so high that noise opens no episode."""
    lines = ["[device]", 'id = "load"', f'state_dir = "{folder / "state"}"', 'log_level = "warning"']
    lines += ["[broker]", 'host = "127.0.0.1"', f"port = {port}", "[[source]]", 'name = "field"', 'type = "mqtt"']
    for number in range(streams):
        lines += ["[[stream]]", f'id = "b{number}"', f'bundle = "{bundle.folder}"', "[stream.alarm]", "level = 5.0"]
    path = folder / "agent.toml"
    path.write_text("\n".join(lines) + f"\n{extra}")
    return path


def load(files: Path, streams: int, hz: float = 1.0, profile: Path | None = None, extra: str = "") -> Load:
    """Run one load; with `profile`, py-spy samples the agent meanwhile; `extra` is TOML for its config."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        broker = Broker(folder, ("allow_anonymous true", "max_queued_messages 0"))
        os.sched_setaffinity(0, {1 % (os.cpu_count() or 1)})
        broker.start()
        try:
            bundle = bundle_of(folder / "bundle", files, hz)
            config = config_of(folder, bundle, broker.port, streams, extra)
            return _counted(folder, broker.port, config, streams, hz, profile)
        finally:
            broker.kill()
            os.sched_setaffinity(0, range(os.cpu_count() or 1))


def _counted(folder: Path, port: int, config: Path, streams: int, hz: float, profile: Path | None) -> Load:
    out = folder / "figures.json"
    probe = [sys.executable, "-m", "tests.bench.agent_probe", str(config), str(out), str(streams), str(hz)]
    environment = _as_installed(folder)
    agent = subprocess.Popen(probe, env=environment, preexec_fn=lambda: os.sched_setaffinity(0, {0}))
    wait_for(out.with_suffix(".ready").exists, "the agent to be ready", 120)
    time.sleep(1.0)  # its subscription
    arguments = [str(port), str(streams), str(_NETWORK.channels), str(_COUNTED_S + 4), str(hz)]
    boards = subprocess.Popen([sys.executable, "-m", "tests.bench.boards", *arguments], stdout=subprocess.PIPE)
    assert boards.stdout is not None
    boards.stdout.readline()
    time.sleep(4.0)  # what is left of the past, and the first second
    before = cpu_s(agent.pid)
    sampler = _sampler(agent.pid, profile)
    time.sleep(_COUNTED_S)
    worked_s = cpu_s(agent.pid) - before
    memory_mb = resident_mb(agent.pid)
    agent.send_signal(signal.SIGTERM)
    agent.wait(60)
    boards.wait(60)
    if sampler:
        sampler.wait(60)
    figures = json.loads(out.read_text())
    rows = int(streams * _COUNTED_S * hz)
    lags = np.array(figures["lags"][-rows:])
    return Load(
        streams=streams,
        hz=hz,
        rows_per_s=len(lags) / _COUNTED_S,
        cpu_share=worked_s / _COUNTED_S,
        us_per_row=worked_s / rows * 1e6,
        lag_p50_s=float(np.percentile(lags, 50)),
        lag_p99_s=float(np.percentile(lags, 99)),
        resident_mb=memory_mb,
        ready_s=figures["ready_s"],
        variant=figures["variant"],
    )


def _as_installed(folder: Path) -> dict[str, str]:
    """An environment in which modules are compiled already, as pip leaves them; compiling costs time and memory."""
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(folder / "compiled")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    modules = "edge.agent.assembly, edge.sources.mqtt, ai_edge_litert.interpreter, tests.bench.agent_probe"
    subprocess.run([sys.executable, "-c", f"import {modules}"], env=environment, check=True)
    return environment


def cpu_s(pid: int) -> float:
    """Of all its threads, to the nanosecond."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9


def resident_mb(pid: int) -> float:
    """Megabytes that a process has in memory, from the kernel."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 / 1e6


def _sampler(pid: int, profile: Path | None) -> subprocess.Popen[bytes] | None:
    if profile is None:
        return None
    options = [
        "--pid",
        str(pid),
        "--format",
        "raw",
        "--output",
        str(profile),
        "--rate",
        "200",
        "--full-filenames",
        "--gil",
    ]
    return subprocess.Popen(["py-spy", "record", *options, "--duration", str(_COUNTED_S - 2)])


def main() -> None:
    """`python -m tests.bench.agent_load FOLDER STREAMS HZ [PROFILE]`: one load, its figures as JSON."""
    profile = Path(sys.argv[4]) if len(sys.argv) > 4 else None
    print(json.dumps(asdict(load(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), profile))))


if __name__ == "__main__":
    main()
