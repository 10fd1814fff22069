"""The command: stdout, pace, signals, errors."""

import io
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from edge.sources.lines import read_lines
from edge.wire.readings import decode_readings
from firmware_sim.__main__ import main
from firmware_sim.board.live import Pace

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-m", "firmware_sim")


Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts `offbeat-sim` with the given options; it ends with the test at the latest."""
    with ExitStack() as stack:

        def run(*options: str) -> "subprocess.Popen[bytes]":
            pipe = subprocess.PIPE
            process = stack.enter_context(subprocess.Popen([*COMMAND, *options], stdout=pipe, stderr=pipe, cwd=ROOT))
            stack.callback(process.kill)
            return process

        yield run


class Clock:
    """A clock that goes on only when something waits."""

    def __init__(self) -> None:
        self.time_s = 100.0

    def now(self) -> float:
        return self.time_s


class StopByClock(threading.Event):
    """An event whose waiting moves the clock."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock

    def wait(self, timeout: float | None = None) -> bool:
        self.clock.time_s += timeout or 0.0
        return self.is_set()


def test_at_speed_60_a_simulated_minute_takes_a_second():
    clock = Clock()
    pace = Pace(60.0, StopByClock(clock), clock.now)

    assert pace.wait_for(60.0)
    assert clock.time_s == pytest.approx(101.0)


def test_what_is_late_already_does_not_wait():
    clock = Clock()
    pace = Pace(1.0, StopByClock(clock), clock.now)
    clock.time_s += 50.0

    assert pace.wait_for(10.0)
    assert clock.time_s == 150.0


@pytest.mark.parametrize("speed", [None, 1.0])
def test_a_stop_ends_the_wait(speed: float | None):
    stop = threading.Event()
    stop.set()

    assert not Pace(speed, stop).wait_for(3600.0)


def test_stdout_carries_one_json_object_a_line(capsys):
    assert main(["stdout", "--duration", "30", "--speed", "max", "--quiet"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert [decode_readings(line).seq for line in lines] == list(range(30))
    assert "board" not in json.loads(lines[0])


def test_with_several_boards_the_agents_stdin_source_tells_them_apart(capsys):
    main(["stdout", "--duration", "2", "--boards", "2", "--speed", "max", "--quiet"])

    lines = list(read_lines(io.StringIO(capsys.readouterr().out)))
    assert [board for board, _ in lines] == ["pump1", "pump2", "pump1", "pump2"]


def test_the_simulated_clock_starts_now_by_default(capsys):
    before = time.time()

    main(["stdout", "--duration", "1", "--speed", "max", "--quiet"])

    assert abs(json.loads(capsys.readouterr().out)["time"] - before) < 10.0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_live_run_politely_and_the_truth_ends_there(start: Start, tmp_path, number):
    truth_file = tmp_path / "truth.json"
    faults = ("--fault", "leak@0+1h", "--fault", "noise@10h+1h", "--truth", str(truth_file))
    process = start("stdout", "--speed", "100", *faults)
    assert process.stdout is not None
    first = json.loads(process.stdout.readline())
    assert len(json.loads(truth_file.read_text())["faults"]) == 2

    process.send_signal(number)
    _, errors = process.communicate(timeout=15)

    assert process.returncode == 0
    assert b"Traceback" not in errors
    assert b"simulated" in errors
    content = json.loads(truth_file.read_text())
    assert first["time"] - 1.0 <= content["end"] < first["time"] + 1000.0
    assert [(fault["kind"], fault["end"]) for fault in content["faults"]] == [("leak", content["end"])]


def test_a_reader_that_leaves_ends_the_run_in_silence(start: Start):
    process = start("csv", "--hours", "200")
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()

    assert process.wait(20) == 0
    assert process.stderr is not None
    assert process.stderr.read() == b""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["csv", "--fault", "rust@1h+1m"], "no fault is called 'rust'"),
        (["csv", "--fault", "pump9:leak@1h+1m"], "no board 'pump9'"),
        (["csv", "--schedule", "nowhere.json"], "nowhere.json: No such file"),
        (["csv", "--random-faults", "30"], "30 random faults"),
        (["csv", "--random-faults", "1", "--hours", "9", "--kinds", "leak,rust"], "'rust'"),
        (["csv", "--boards", "2"], "{board}"),
        (["csv", "--out", "nowhere/x.csv"], "nowhere/x.csv: No such file"),
        (["csv", "--truth", "nowhere/t.json"], "--truth nowhere/t.json: No such file"),
        (["csv", "--name", "my pump"], "cannot be part of a topic"),
        (["mqtt", "--password-file", "nowhere.txt"], "nowhere.txt: No such file"),
        (["mqtt", "--key", "k.pem"], "cert and key belong together"),
    ],
)
def test_what_cannot_be_is_one_line_and_exit_code_2(options, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert main(options) == 2

    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["tcp"],
        ["csv", "--hours", "-1"],
        ["csv", "--duration", "soon"],
        ["csv", "--period", "0"],
        ["csv", "--seed", "x"],
        ["csv", "--boards", "0"],
        ["csv", "--missing", "1"],
        ["csv", "--jitter-ms", "nan"],
        ["csv", "--speed", "5"],
        ["mqtt", "--speed", "0"],
        ["mqtt", "--speed", "fast"],
        ["mqtt", "--port", "70000"],
        ["csv", "--start", "yesterday"],
    ],
)
def test_an_option_that_cannot_be_read_is_exit_code_2_with_a_reason(options, capsys):
    with pytest.raises(SystemExit) as caught:
        main(options)

    assert caught.value.code == 2
    assert "offbeat-sim" in capsys.readouterr().err.splitlines()[-1]


def test_help_shows_the_links_and_examples(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--help"])

    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert all(word in text for word in ("csv", "mqtt", "serial", "stdout", "examples:", "--random-faults"))
