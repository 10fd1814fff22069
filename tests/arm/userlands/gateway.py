"""An owner's way from a fresh system to the first event, by the how-to."""

import re
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.arm.userlands.documented import commands
from tests.arm.userlands.root import Root, UserlandError
from tests.helpers.mosquitto import Broker

_UNIT = "/lib/systemd/system/offbeat.service"
_READY_S, _EVENT_S, _END_S = 300.0, 420.0, 60.0
"""Emulated, beside whatever else the machine does."""


@dataclass
class Gateway:
    """A root that is being made into one, against a broker outside of it."""

    root: Root
    broker: Broker
    logs: Path
    typed: list[tuple[str, float]] = field(default_factory=list)
    """The commands so far, as the how-to has them, and the seconds each took."""
    _running: list[subprocess.Popen[bytes]] = field(default_factory=list)
    event_s: float = float("nan")
    """From the simulated board's start to the first event; its fault starts a minute after it."""

    def install(self, version: str) -> None:
        """All commands up to the one that starts the agent.

        Raises:
            UserlandError: one failed.
        """
        for command in self._commands(version):
            if _starts(command):
                return
            self._type(command)

    def first_event(self, version: str) -> None:
        """The others, until an event is heard outside; then all is ended again.

        Raises:
            UserlandError: none came, or the agent did not end as it should.
        """
        all_ = self._commands(version)
        first = next(number for number, command in enumerate(all_) if _starts(command))
        listener = self.broker.listen("offbeat/+/+/event")
        try:
            for command in all_[first:]:
                self._type(command)
            began = time.monotonic()
            self._wait(lambda: bool(listener.heard), _EVENT_S, "an event")
            self.event_s = time.monotonic() - began
            self.end()
        finally:
            listener.close()
            for process in self._running:
                process.kill()

    def end(self) -> None:
        """End agent and board tidily.

        Raises:
            UserlandError: one of them ended with an error.
        """
        for process in reversed(self._running):
            process.terminate()
        found = [process.wait(_END_S) for process in self._running]
        self._running.clear()
        if any(found):
            raise UserlandError(f"agent and board ended with {found}: {self._log('agent')[-1500:]}")

    def _commands(self, version: str) -> list[str]:
        found = commands(self.root.userland.way.heading, version)
        return [command.replace("_arm64.deb", f"_{self.root.userland.architecture}.deb") for command in found]

    def _type(self, command: str) -> None:
        began = time.monotonic()
        try:
            self._run(command)
        finally:
            self.typed.append((command, time.monotonic() - began))
            print(f"    {self.typed[-1][1]:6.1f} s  $ {command}", flush=True)

    def _run(self, command: str) -> None:
        if "nano " in command or "offbeat-edge watch" in command:
            return  # the config is edited below, and who listens is outside
        if "offbeat-edge" in command:
            self._point_at_broker()
        if "offbeat-sim" in command:
            self._running.append(self.root.start(f"{command} --port {self.broker.port}", self.logs / "board.log"))
        elif _starts(command):
            agent = self._service() if "systemctl" in command else command
            self._running.append(self.root.start(agent, self.logs / "agent.log"))
            self._wait(lambda: "connected to" in self._log("agent"), _READY_S, "the agent at the broker")
        else:
            self.root.run(command, self.logs / f"command-{len(self.typed)}.log")

    def _service(self) -> str:
        """What systemd would start, as the user that it would be: there is no systemd in a chroot."""
        unit = self.root.path(_UNIT).read_text("utf-8")
        (start,), (user,) = (re.findall(rf"^{key}=(.*)$", unit, re.MULTILINE) for key in ("ExecStart", "User"))
        self.root.run(f"install -d -m 700 -o {user} -g {user} /var/lib/offbeat", self.logs / "state.log")
        return f"setpriv --reuid {user} --regid {user} --init-groups -- {start}"

    def _point_at_broker(self) -> None:
        config = self.root.path(self.root.userland.way.config)
        config.write_text(config.read_text("utf-8").replace("\n# port = 1883 ", f"\nport = {self.broker.port} ", 1))

    def _log(self, name: str) -> str:
        file = self.logs / f"{name}.log"
        return file.read_text("utf-8", "replace") if file.exists() else ""

    def _wait(self, true: Callable[[], bool], at_most_s: float, what: str) -> None:
        until = time.monotonic() + at_most_s
        while not true():
            ended = [process.returncode for process in self._running if process.poll() is not None]
            if ended or time.monotonic() > until:
                said = f"{self._log('agent')[-1500:]}{self._log('board')[-500:]}"
                raise UserlandError(f"{what} did not come within {at_most_s:.0f} s (ended: {ended}): {said}")
            time.sleep(0.2)


def make_broker(folder: Path) -> Broker:
    """A running Mosquitto of this machine, that the userland reaches and does not hold."""
    folder.mkdir(parents=True, exist_ok=True)
    return Broker(folder, ("allow_anonymous true",)).start()


def _starts(command: str) -> bool:
    return "systemctl start" in command or "offbeat-edge run" in command
