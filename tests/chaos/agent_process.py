"""The agent as a process of its own, to be killed and started again."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[2]
_RAISED = re.compile(r"stream (\S+): (new|end) \w+, episode (\S+)")


class AgentProcess:
    """`python -m edge run` with agent.toml in `folder`; all starts share one log. `environment` is added to ours."""

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        self._config, self._log = folder / "agent.toml", folder / "agent.log"
        self._environment = {**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self.kills = 0

    def start(self) -> IO[bytes]:
        """Start it; returns at once, with its standard input."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "edge", "run", "--config", str(self._config)],
                cwd=ROOT, env=self._environment, stdin=subprocess.PIPE, stdout=log, stderr=log,
            )  # fmt: skip
        assert self._process.stdin is not None
        return self._process.stdin

    def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        if self._process is not None:
            self.kills += 1
            self._process.kill()
            self.wait(10)

    def stop(self) -> None:
        """SIGTERM; it leaves with 0.

        Raises:
            AssertionError: it does not, or it ever printed a traceback.
        """
        assert self._process is not None
        self._process.terminate()
        status = self.wait(20)
        assert status == 0, f"the agent left with {status}: {self.log()[-2000:]}"
        assert "Traceback" not in self.log(), self.log()[self.log().index("Traceback") - 500 :][:3000]

    def wait(self, timeout_s: float) -> int:
        """Until it has ended; its exit status."""
        assert self._process is not None
        with suppress(BrokenPipeError), self._process as process:
            status = process.wait(timeout_s)
        self._process = None
        return status

    @property
    def pid(self) -> int:
        """Of the process that runs now."""
        assert self._process is not None
        return self._process.pid

    @property
    def ended(self) -> int | None:
        """Exit status of an agent that ended by itself, which it should not."""
        return self._process.poll() if self._process is not None else None

    def log(self) -> str:
        """What it said, all starts together."""
        return self._log.read_text("utf-8", "replace")

    def raised(self) -> set[tuple[str, str, str]]:
        """Stream, type and episode of each `new` and `end` that it says it raised."""
        return {match.groups() for match in _RAISED.finditer(self.log())}  # type: ignore[misc]
