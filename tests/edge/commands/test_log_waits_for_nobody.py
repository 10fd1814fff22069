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
