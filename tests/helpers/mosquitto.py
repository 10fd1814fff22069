"""A real Mosquitto on a free loopback port, for tests: start, stop, kill, start again on the same port."""

import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest

from edge.wire.broker import BrokerSettings, use_credentials

PERSISTENT = ("persistence true", "autosave_on_changes true", "autosave_interval 1")
"""What the README asks for: nothing acknowledged is lost when the broker is killed."""


def missing(part: str) -> None:
    """Skip for want of a part; on CI everything is there, so there it fails."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{part} is missing, and CI=true")
    pytest.skip(f"{part} is missing")


def executable() -> str | None:
    """Debian keeps mosquitto in /usr/sbin, which is not in every user's PATH."""
    return shutil.which("mosquitto", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"]))


def wait_for(condition: Callable[[], Any], what: str, timeout_s: float = 15.0) -> Any:
    """The condition's first true value. Where all is emulated, OFFBEAT_PATIENCE is how many times longer it may take.

    Raises:
        AssertionError: it stays false; names what was waited for.
    """
    timeout_s *= float(os.environ.get("OFFBEAT_PATIENCE", "1"))
    deadline = time.monotonic() + timeout_s
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout_s:g} s for {what}")
        time.sleep(0.01)
    return value


class Broker:
    """One mosquitto with its own folder; `config` are further lines of mosquitto.conf."""

    def __init__(self, folder: Path, config: Sequence[str] = ("allow_anonymous true",), **settings: Any) -> None:
        self.folder, self.port = folder, _free_port()
        self._config, self._process = tuple(config), None  # type: tuple[str, ...], subprocess.Popen[bytes] | None
        self.settings = BrokerSettings(host="127.0.0.1", port=self.port, **settings)

    def start(self) -> "Broker":
        """Start it, or start it again on the same port, and wait until it accepts."""
        binary = executable()
        assert binary is not None, "mosquitto is not installed"
        file = self.folder / "mosquitto.conf"
        # `user root` keeps it from giving up its rights to the folder; without effect for other users.
        lines = (f"listener {self.port} 127.0.0.1", f"persistence_location {self.folder}/", "user root", *self._config)
        file.write_text("\n".join(lines) + "\n")
        with (self.folder / "mosquitto.log").open("ab") as log:
            self._process = subprocess.Popen([binary, "-c", str(file), "-v"], stdout=log, stderr=subprocess.STDOUT)
        wait_for(self._accepts, f"mosquitto on port {self.port}; its log: {self.log()[-500:]}")
        return self

    def stop(self) -> None:
        """End it tidily; it says goodbye to its clients."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """kill -9: it writes nothing any more."""
        self._end(signal.SIGKILL)

    def reload(self) -> None:
        """Read the access list again; connections stay."""
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)

    def freeze(self) -> None:
        """It hangs: connections stay, nothing is answered."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on after `freeze`."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def log(self) -> str:
        """What it printed, all starts together."""
        return (self.folder / "mosquitto.log").read_text(errors="replace")

    def listen(self, *topics: str) -> "Listener":
        """A subscriber that is there when this returns; end it with `close`."""
        return Listener(self.settings, topics or ("#",))

    def _accepts(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"mosquitto ended: {self.log()[-1000:]}"
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.send_signal(signal.SIGCONT)
            self._process.wait(10)
            self._process = None


@dataclass(frozen=True)
class Heard:
    """One message as a subscriber got it."""

    topic: str
    payload: bytes
    retained: bool
    qos: int


class Listener:
    """Collects what comes on some topics, in order of arrival; a persistent session, so it survives the broker."""

    def __init__(self, settings: BrokerSettings, topics: Sequence[str]) -> None:
        self.heard: list[Heard] = []
        self.subscribed = 0
        """How often the broker confirmed the subscription: once for each connection."""
        self._topics, self._ready = topics, threading.Event()
        name = f"listener-{id(self)}"
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2, name, clean_session=False)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *_: client.subscribe([(topic, 1) for topic in self._topics])
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message
        use_credentials(self._client, settings)
        self._client.connect(settings.host, settings.port)
        self._client.loop_start()
        assert self._ready.wait(10), "the broker did not confirm the subscription"

    def on(self, topic: str) -> list[bytes]:
        """Payloads heard on one topic, or on those that a subscription such as `offbeat/+/+/event` matches."""
        return [heard.payload for heard in list(self.heard) if paho.topic_matches_sub(topic, heard.topic)]

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()

    def _on_subscribe(self, *_: Any) -> None:
        self.subscribed += 1
        self._ready.set()

    def _on_message(self, _client: Any, _userdata: Any, message: paho.MQTTMessage) -> None:
        self.heard.append(Heard(message.topic, bytes(message.payload), message.retain, message.qos))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
