"""`offbeat-edge password`, and that every command can be called at all."""

import inspect
import os
import pty
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from edge.commands.options import COMMANDS
from edge.web.password import matches

ROOT = Path(__file__).resolve().parents[3]
LINE = [sys.executable, "-m", "edge", "password"]


def test_prints_a_hash_that_the_page_takes() -> None:
    done = subprocess.run(LINE, cwd=ROOT, input="correct horse\n", capture_output=True, text=True, check=True)

    assert matches("correct horse", done.stdout.strip())
    assert not matches("wrong horse", done.stdout.strip())


def test_one_that_is_too_short_is_refused_in_one_line() -> None:
    done = subprocess.run(LINE, cwd=ROOT, input="horse\n", capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)


@pytest.mark.parametrize(("second", "status"), [("correct horse", 0), ("another horse", 1)])
def test_at_a_terminal_it_is_asked_for_twice_and_never_shown(second, status) -> None:
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(ROOT)
        os.execv(sys.executable, LINE)
    shown = b""
    try:
        for question, typed in ((b"Password: ", "correct horse"), (b"Once more: ", second)):
            while question not in shown:
                shown += os.read(terminal, 1000)
            os.write(terminal, f"{typed}\n".encode())
        while part := os.read(terminal, 1000):
            shown += part
    except OSError:  # the terminal is hung up when the command ends
        pass
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == status
    assert b"horse" not in shown


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_there_and_takes_its_options(name) -> None:
    module, function = COMMANDS[name].where.split(":")

    inspect.signature(getattr(import_module(f"edge.commands.{module}"), function)).bind("options")
