"""The requests `install-bundle` and `rollback`: a process of its own does the work, the agent looks for its end."""

import json
import logging
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from edge.delivery.allowance import Allowance
from edge.delivery.requests import RequestError

log = logging.getLogger(__name__)

_WORKER = "edge.commands.remote.worker"
_TRIAL_S = 60.0
"""Beyond a download's time, for trying the bundle and putting it in place."""
_TAKEN_UP_S = 20.0
"""How long the answer waits for the agent to run what is in place."""
_A_SECOND, _AT_ONCE = 0.1, 6.0
"""Jobs, on average and in one go: each costs a process and perhaps a download."""
_LONGEST = 2000
_FIELDS = {"install-bundle": {"url", "sha256", "stream", "by"}, "rollback": {"stream", "by"}}


@dataclass
class _Job:
    """One that is under way; asked by the network's thread now and then."""

    process: "subprocess.Popen[bytes]"
    output: IO[bytes]
    until: float
    running: Callable[[], Mapping[str, str | None]]
    done: dict[str, Any] | None = None

    def result(self) -> dict[str, Any] | None:
        """What came of it; None while it is worked on.

        Raises:
            RequestError: the old bundle stays.
        """
        if self.done is None:
            if self.process.poll() is None and time.monotonic() < self.until:
                return None
            self.end()
            self.done, self.until = self._said(), time.monotonic() + _TAKEN_UP_S
        runs = self.running()
        taken_up = all(runs.get(stream) == self.done["sha256"] for stream in self.done["streams"])
        if not taken_up and time.monotonic() < self.until:
            return None
        self.until = 0.0
        return {**self.done, "running": taken_up}

    @property
    def over(self) -> bool:
        """Whether another may begin."""
        return self.until == 0.0

    def end(self) -> None:
        """Make sure that it works no more, nor what it has started."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def _said(self) -> dict[str, Any]:
        late = time.monotonic() >= self.until
        self.until = 0.0
        try:
            with self.output as output:
                output.seek(0)
                body = json.loads(output.read(65_536))
        except ValueError:
            why = "it took too long" if late else f"its process ended with status {self.process.returncode}"
            raise RequestError(f"{why}; the bundle in place is the old or the new one, ask status") from None
        if "error" in body:
            raise RequestError(str(body["error"]))
        return dict(body["ok"])


@dataclass
class BundleRequests:
    """One job at a time."""

    config: Path
    """agent.toml, which the worker reads."""
    max_s: float
    """Of a download, seconds."""
    running: Callable[[], Mapping[str, str | None]]
    """By stream, the hash of the bundle that runs; from any thread."""
    _job: _Job | None = None
    _allowance: Allowance = field(default_factory=lambda: Allowance(_A_SECOND, _AT_ONCE))

    def ask(self, command: str, fields: Mapping[str, Any]) -> _Job:
        """Begin; in the network's thread.

        Raises:
            RequestError: the fields are no good, or there is too much to do.
        """
        job = {"command": command, **_checked(command, fields)}
        if self._job is not None and not self._job.over:
            raise RequestError("another bundle is being put in place; ask again when that is answered")
        if not self._allowance.take(time.monotonic()):
            raise RequestError(f"too many; {_A_SECOND * 60:g} a minute are carried out: ask again later")
        self._job = self._begun(job)
        return self._job

    def start(self) -> None:
        """Nothing is done before it is asked for."""

    def stop(self) -> None:
        """The agent leaves; what is under way ends, with the old or the new bundle in place."""
        if self._job is not None and not self._job.over:
            self._job.end()

    def _begun(self, job: dict[str, Any]) -> _Job:
        root = str(Path(__file__).resolve().parents[3])
        path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))
        environment = {name: value for name, value in os.environ.items() if name != "NOTIFY_SOCKET"}
        line = [sys.executable, "-m", _WORKER, str(self.config.absolute())]
        output = tempfile.TemporaryFile()  # noqa: SIM115
        try:
            process = subprocess.Popen(
                line, env={**environment, "PYTHONPATH": path}, stdin=subprocess.PIPE, stdout=output,
                start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            output.close()
            raise RequestError(f"no process can be started: {error.strerror}") from error
        assert process.stdin is not None
        with suppress(BrokenPipeError), process.stdin as stdin:
            stdin.write(json.dumps(job).encode())
        return _Job(process, output, time.monotonic() + self.max_s + _TRIAL_S, self.running)


def _checked(command: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    known = _FIELDS[command]
    if unknown := sorted(fields.keys() - known):
        raise RequestError(f"{command} takes {', '.join(sorted(known))}, not {unknown[0][:100]!r}")
    if not all(isinstance(value, str) and len(value) <= _LONGEST for value in fields.values()):
        raise RequestError(f"{command} wants texts of at most {_LONGEST} characters")
    if command == "install-bundle" and not re.fullmatch(r"[0-9a-f]{64}", fields.get("sha256", "")):
        raise RequestError('install-bundle wants "sha256", of the archive: 64 digits, in small letters')
    if command == "install-bundle" and not fields.get("url", "").startswith("https://"):
        raise RequestError('install-bundle wants "url", an address that begins with https://')
    return {name: value for name, value in fields.items() if name != "by"}
