"""Whoever reads the log, or does not, holds up nothing."""

import logging
import os
import select
import subprocess
import sys
from pathlib import Path

import pytest

from edge.commands.log_lines import Unhurried

ROOT = Path(__file__).resolve().parents[3]


def test_a_reader_that_hangs_holds_nobody_up_and_what_it_missed_is_counted() -> None:
    end, other = os.pipe()
    os.set_blocking(end, False)
    with os.fdopen(other, "w") as stream:
        handler = Unhurried(stream)
        for number in range(3000):  # a pipe holds 64 KB
            handler.emit(logging.LogRecord("x", logging.INFO, "", 0, f"line {number} " + "-" * 80, (), None))
        heard = os.read(end, 1_000_000)
        while select.select([end], [], [], 0)[0]:
            heard += os.read(end, 1_000_000)
        handler.emit(logging.LogRecord("x", logging.INFO, "", 0, "after", (), None))
        last = os.read(end, 1_000_000).decode().splitlines()
    os.close(end)

    taken = len(heard.decode().splitlines())
    assert heard.startswith(b"line 0 ")
    assert last == [f"WARNING {3000 - taken} lines of this log were left out: nobody took them", "after"]


def test_a_full_disk_behind_the_log_raises_nothing() -> None:
    with open("/dev/full", "w") as full:
        handler = Unhurried(full)
        handler.emit(logging.LogRecord("x", logging.INFO, "", 0, "line", (), None))


def test_a_file_that_is_opened_never_takes_a_closed_stream_s_number() -> None:
    program = "import os, edge.__main__ as m\ntry: m.main(['--version'])\nexcept SystemExit: pass\n"
    program += "handle = os.open('/dev/null', os.O_RDONLY); os._exit(handle)"
    line = ["sh", "-c", 'exec 0<&- 1>&- 2>&-; exec "$0" -c "$1"', sys.executable, program]
    done = subprocess.run(line, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False)

    assert done.returncode > 2


@pytest.mark.parametrize("command", [["schema", "event"], ["doctor", "--config", "no.toml"]])
def test_a_full_disk_behind_what_is_printed_is_told_in_one_line(command) -> None:
    with open("/dev/full", "w") as full:
        line = [sys.executable, "-m", "edge", *command]
        done = subprocess.run(line, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False)

    assert (done.returncode, done.stderr) == (1, "offbeat-edge: No space left on device\n")


@pytest.mark.parametrize(
    ("package", "arguments", "status"),
    [
        ("edge", ["--help"], 1),
        ("edge", ["run", "--help"], 1),
        ("edge", ["--version"], 1),
        ("train", ["--help"], 2),
        ("train", ["fit", "--help"], 2),
        ("firmware_sim", ["--help"], 2),
        ("firmware_sim", ["csv", "--duration", "5"], 2),
    ],
)
def test_so_is_one_behind_help_and_behind_every_front_door(package, arguments, status) -> None:
    as_a_shell_has_it = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with open("/dev/full", "w") as full:
        line = [sys.executable, "-m", package, *arguments]
        done = subprocess.run(
            line, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False, env=as_a_shell_has_it
        )

    told = done.stderr.splitlines()
    assert (done.returncode, len(told)) == (status, 1)
    assert told[0].endswith("output: No space left on device")
