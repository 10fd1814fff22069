"""What is attacked: a real agent on a real Mosquitto, and whether it serves."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import paho.mqtt.client as paho

from edge.detector.events.recurring import REMEMBERED_S
from edge.wire.broker import use_credentials
from tests.helpers.agent import MQTT, PUMP, ROOT, Agent, config, events, rows
from tests.helpers.mosquitto import Broker, Listener, wait_for
from tests.helpers.tiny_bundle import write_tiny_bundle

SERVED = 30.0
"""From any passing fault to serving again, seconds."""
_AFTER_S = int(REMEMBERED_S) + 100
"""Stream time between two faults of a stand, seconds: what comes back sooner, the fourth time, is told in `state`."""
ALLOW = '[requests]\nallow = ["replay", "normal"]\n'
_CALM, _WRONG = 25, 30


class _Heard:
    """What a listener heard, chosen."""

    def __init__(self, payloads: list[bytes]) -> None:
        self._payloads = payloads

    def on(self, _topic: str) -> list[bytes]:
        """All of it."""
        return self._payloads


class Stand:
    """A folder with a bundle `tiny`; broker and agent once they are started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        write_tiny_bundle(folder / "tiny")
        self.broker_: Broker | None = None
        self.agent: Agent | None = None
        self.clock = 1000
        """Time of the next row."""
        self.passed_at: float | None = None
        """When the fault was over, monotonic; None: as soon as the attack returns."""
        self.served_s: float | None = None
        """Set by an attack that looks itself whether the agent serves."""
        self.to_serve = True
        self._listener: Listener | None = None

    @property
    def broker(self) -> Broker:
        """Running; open to all unless `made_broker` made another."""
        return self.broker_ or self.made_broker("allow_anonymous true")

    def made_broker(self, *lines: str, started: bool = True, **settings: object) -> Broker:
        """A broker with these lines in its config."""
        folder = self.folder / f"broker-{len(list(self.folder.iterdir()))}"
        folder.mkdir()
        self.broker_ = Broker(folder, lines, **settings)
        return self.broker_.start() if started else self.broker_

    @property
    def listener(self) -> Listener:
        """Hears everything from when it was asked for first."""
        if self._listener is None:
            self._listener = self.broker.listen("#")
        return self._listener

    def config(self, sources: str = MQTT, *streams: str, broker: str = ALLOW) -> str:
        """A config of one stream, pump1, unless other streams are given."""
        return config(self.broker.port, sources, *(streams or (PUMP,)), broker=broker)

    def start(self, text: str | None = None, up: bool = True, **environment: str) -> Agent:
        """An agent, once it reads its source."""
        assert self.listener
        up_before = self.log().count("source field: up")  # of agents before; they share a log
        self.agent = Agent(self.folder, self.config() if text is None else text, **environment)
        if up:
            wait_for(
                lambda: self.said("") and self.log().count("source field: up") > up_before,
                f"the source; the log ends {self.log()[-600:]}",
                SERVED,
            )
        return self.agent

    def said(self, text: str) -> bool:
        """Whether the log has it; AssertionError where the agent has ended."""
        assert self.agent is not None
        return self.agent.said(text)

    def wait_said(self, text: str, timeout_s: float = SERVED) -> None:
        """Until the log has it."""
        wait_for(lambda: self.said(text), f"{text!r} in the log; it ends: {self.log()[-600:]}", timeout_s)

    def log(self) -> str:
        """What the agent printed."""
        return self.agent.log.read_text(errors="replace") if self.agent and self.agent.log.exists() else ""

    def health(self) -> dict:
        """The newest, not older than this call."""
        heard = len(self._healths())
        wait_for(lambda: len(self._healths()) > heard, "health", SERVED)
        return json.loads(self._healths()[-1])

    def _healths(self) -> list[bytes]:
        return [payload for payload in self.listener.on("offbeat/gw-1/health") if b'"streams":' in payload]

    def wait_health(self, condition: Callable[[dict], object], what: str, timeout_s: float = SERVED) -> None:
        """Until a health message meets the condition."""
        wait_for(lambda: condition(self.health()), f"{what} in health; it is {self.health()}", timeout_s)

    def trouble(self) -> str:
        """Why pump1 is not judged, as health has it."""
        return self.health()["streams"]["pump1"]["trouble"] or ""

    def send(self, topic: str, *payloads: bytes) -> None:
        """Publish, each acknowledged."""
        client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        use_credentials(client, self.broker.settings)
        client.connect("127.0.0.1", self.broker.port)
        client.loop_start()
        try:
            for payload in payloads:
                client.publish(topic, payload, qos=1).wait_for_publish(10)
        finally:
            client.disconnect()
            client.loop_stop()

    def normal(self, count: int) -> None:
        """So many normal rows to pump1."""
        self._rows(count, 0.0)

    def over(self) -> None:
        """The fault has passed now."""
        self.passed_at = time.monotonic()

    def serves(self, timeout_s: float = SERVED) -> float:
        """Send normal rows and wrong ones until a new alert comes; seconds since the fault had passed.

        Raises:
            AssertionError: none comes, or the agent has ended.
        """
        since = time.monotonic() if self.passed_at is None else self.passed_at
        before = self._alerts()
        self.clock += _AFTER_S
        while self._alerts() <= before:
            assert self.said("")
            assert time.monotonic() - since < timeout_s, (
                f"no alert {timeout_s:g} s after the fault had passed; trouble: {self.trouble()!r}; {self.log()[-600:]}"
            )
            self._rows(_CALM, 0.0)
            self._rows(_WRONG, 6.0)
            self._wait_a_moment(lambda: self._alerts() > before)
        served_s = time.monotonic() - since
        self._rows(_CALM, 0.0)
        return served_s

    def command(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`offbeat-edge NAME --config agent.toml`."""
        line = [sys.executable, "-m", "edge", name, "--config", str(self.folder / "agent.toml"), *arguments]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.run(line, capture_output=True, text=True, env=environment, timeout=60, check=False)

    def end(self) -> None:
        """The agent ends as it should."""
        if self.agent is not None and self.agent.process.poll() is None:
            assert self.agent.stop() == 0, self.log()[-600:]

    def close(self) -> None:
        """End whatever runs."""
        if self.agent is not None and self.agent.process.poll() is None:
            self.agent.process.kill()
            self.agent.process.wait()
        if self._listener is not None:
            self._listener.close()
        if self.broker_ is not None:
            self.broker_.kill()

    def _alerts(self) -> int:
        """Episodes that were told of. Not by their numbers: a state folder that was put back gives them out again."""
        told = (json.loads(payload) for payload in self._ours())
        return len({event["id"] for event in told if event["event_type"] == "new"})

    def events(self) -> list[dict]:
        """Those of pump1 that are ours, each once; somebody else may have written on the topic."""
        return events(_Heard(self._ours()))

    def _ours(self) -> list[bytes]:
        kept = [one for one in list(self.listener.heard) if one.topic.endswith("/event") and not one.retained]
        return [one.payload for one in kept if b'"log":' in one.payload]

    def _rows(self, count: int, more: float) -> None:
        sent = rows(self.clock, count)
        self.clock += count
        payloads = [{"time": row.time, "values": {**row.values, "flow": row.values["flow"] + more}} for row in sent]
        self.send("sensors/pump1/readings", *(json.dumps(payload).encode() for payload in payloads))

    @staticmethod
    def _wait_a_moment(condition: Callable[[], object], longest_s: float = 1.0) -> None:
        until = time.monotonic() + longest_s
        while not condition() and time.monotonic() < until:
            time.sleep(0.01)
