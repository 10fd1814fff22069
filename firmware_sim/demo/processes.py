"""The programs that the demo starts: each in the open, each ended with the demo."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

STOP_S = 10.0
"""Time to end tidily before a program is killed, seconds."""


class DemoError(Exception):
    """The demo cannot go on; one line that says why and where to look."""


def module(name: str, *arguments: object) -> list[str]:
    """The command line of one of our own commands, in the Python that runs the demo."""
    return [sys.executable, "-m", name, *map(str, arguments)]


def run(command: Sequence[str], log: Path | None = None) -> None:
    """Run a program to its end; its output is the demo's, or goes to the file `log`.

    Raises:
        DemoError: it failed.
    """
    with ExitStack() as stack:
        output = None if log is None else stack.enter_context(log.open("w", encoding="utf-8"))
        status = subprocess.call(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    if status:
        where = "above" if log is None else f"in {log}"
        raise DemoError(f"`{' '.join(command[1:4])} ...` ended with status {status}; see its message {where}")


class Processes:
    """Programs in the background. Leaving the `with` block ends all that still run, the last one started first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started: list[tuple[str, subprocess.Popen[str]]] = []

    def __enter__(self) -> "Processes":
        return self

    def __exit__(self, *exception: object) -> None:
        for _name, process in reversed(self._started):
            end(process)

    def start(self, name: str, command: Sequence[str], stdout: int | None = None) -> subprocess.Popen[str]:
        """Start a program; what it writes goes to `<name>.log`, or its stdout to a pipe where `stdout` is PIPE."""
        environment: dict[str, Any] = {**os.environ, "PYTHONUNBUFFERED": "1", "TZ": "UTC"}
        with self.log(name).open("w", encoding="utf-8") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log if stdout is None else stdout,
                stderr=log,
                text=True,
                env=environment,
                start_new_session=True,  # Ctrl-C reaches the demo alone, which then ends them in order
            )
        self._started.append((name, process))
        return process

    def log(self, name: str) -> Path:
        """Where a program's messages go."""
        return self._folder / f"{name}.log"

    def check(self) -> None:
        """Raises DemoError if a program has ended with an error."""
        for name, process in self._started:
            if process.poll():
                lines = self.log(name).read_text("utf-8", "replace").strip().splitlines()
                last = lines[-1] if lines else "no message"
                raise DemoError(f"{name} ended with status {process.returncode}: {last} ({self.log(name)})")

    def wait_for(self, condition: Callable[[], bool], what: str, timeout_s: float) -> None:
        """Wait until `condition` holds.

        Raises:
            DemoError: a program ended with an error, or time is up.
        """
        deadline = time.monotonic() + timeout_s
        while not condition():
            self.check()
            if time.monotonic() > deadline:
                raise DemoError(f"waited {timeout_s:g} s for {what}; see the logs in {self._folder}")
            time.sleep(0.05)


def end(process: subprocess.Popen[str]) -> None:
    """Ask a program to end, and kill it if it does not."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdout:
        process.stdout.close()
