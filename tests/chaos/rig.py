"""Everything that a trial needs: broker, proxy, agent, boards, subscriber and commit log, wired together."""

import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.agent_process import AgentProcess
from tests.chaos.boards import Boards
from tests.chaos.commit_log import CommitLog
from tests.chaos.reckoning import Witnesses
from tests.chaos.stand import Stand, stand
from tests.chaos.subscriber import Subscriber
from tests.edge.delivery.mqtt_proxy import MqttProxy
from tests.helpers.mosquitto import Broker, wait_for

WIRELESS, WIRED = ("radio1", "radio2"), ("wire1", "wire2")
RATE = 50.0
"""Rows a second of each board: an episode of each about every second."""
_READ_EVERY_S = 0.3

_CONFIG = """
[device]
id = "{device}"
state_dir = "{state}"
health_every_s = 0.5
[broker]
host = "127.0.0.1"
port = {port}
[requests]
allow = ["replay"]
[[source]]
name = "radio"
type = "mqtt"
[[source]]
name = "wire"
type = "serial"
port = "{serial}"
[[stream]]
id = "radio1"
source = "radio"
bundle = "tiny"
[[stream]]
id = "wire1"
source = "wire"
bundle = "tiny"
[[stream]]
id = "radio2"
source = "radio"
bundle = "quick"
time_from = "arrival"
alarm.level = 5
max_hold_s = 1
max_gap_s = 1
[[stream]]
id = "wire2"
source = "wire"
bundle = "quick"
time_from = "arrival"
alarm.level = 5
max_hold_s = 1
max_gap_s = 1
"""


@dataclass
class Rig:
    """One trial's machinery. The agent reaches the broker through the proxy; boards and subscriber do not."""

    stand: Stand
    boards: Boards
    commit_log: CommitLog
    state: Path
    """The agent's state folder."""
    broker_kills: int = 0

    @property
    def broker(self) -> Broker:
        """Mosquitto."""
        return self.stand.broker

    @property
    def proxy(self) -> MqttProxy:
        """Between agent and broker."""
        return self.stand.proxy

    @property
    def agent(self) -> AgentProcess:
        """The agent."""
        return self.stand.agent

    @property
    def subscriber(self) -> Subscriber:
        """Who reads the alerts."""
        return self.stand.subscriber

    @property
    def clock(self) -> Path:
        """The offset file of a faked clock, where one is used."""
        return self.stand.folder / "clock"

    @property
    def witnesses(self) -> Witnesses:
        """Whom the reckoning asks."""
        return Witnesses(self.agent, self.commit_log, self.proxy, self.subscriber)

    def acknowledged(self) -> int:
        """Events that the broker took and the agent was told of."""
        return sum(topic.endswith("/event") for topic, _ in list(self.proxy.acknowledged))

    def wait_for(self, condition: Callable[[], object], what: str, timeout_s: float = 60.0) -> None:
        """Wait for a condition, with an agent that must not end by itself meanwhile."""

        def met() -> object:
            assert self.agent.ended is None, f"the agent ended with {self.agent.ended}: {self.agent.log()[-2000:]}"
            return condition()

        wait_for(met, what, timeout_s)

    def recovered_s(self, since: float) -> float:
        """Seconds from `since`, monotonic, until the next event is acknowledged: all of the way works again."""
        before = sum(topic.endswith("/event") for topic, at in list(self.proxy.acknowledged) if at <= since)
        self.wait_for(lambda: self.acknowledged() > before, "an event to be delivered after the fault")
        return next(at for topic, at in self.proxy.acknowledged[:] if topic.endswith("/event") and at > since) - since


@contextmanager
def rig(
    folder: Path, seed: int, state: Path | None = None, environment: Mapping[str, str] | None = None
) -> Iterator[Rig]:
    """A rig that runs: the agent serves and its first event was delivered."""
    state = state or folder / "state"
    with ExitStack() as stack:
        base = stack.enter_context(stand(folder, environment))
        _add_quick_bundle(folder)
        boards = Boards(base.broker.settings, WIRELESS, WIRED, seed, RATE)
        stack.callback(boards.close)
        base.configure(_CONFIG, serial=boards.line.port, state=state)
        commit_log = CommitLog(state / "outbox.db")
        stack.callback(_reading(commit_log))
        boards.start()
        base.agent.start()
        made = Rig(base, boards, commit_log, state)
        made.recovered_s(time.monotonic())
        yield made


def _add_quick_bundle(folder: Path) -> None:
    """`tiny` suits boards that date their readings a second apart, `quick` what is dated as it arrives.

    Where the processor is busy, rows that are dated as they arrive come too irregularly for the wave that they show:
    scores of 1 to 3. Faults score 100 and more; a level of 5 tells them apart.
    """
    shutil.copytree(folder / "tiny", folder / "quick")
    manifest = json.loads((folder / "quick/manifest.json").read_text())
    (folder / "quick/manifest.json").write_text(json.dumps({**manifest, "name": "quick", "period_s": 1 / RATE}))


def _reading(commit_log: CommitLog) -> Callable[[], None]:
    """Read the commit log all the time; call the result to stop."""
    stop = threading.Event()

    def run() -> None:
        while not stop.wait(_READ_EVERY_S):
            commit_log.read()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def end() -> None:
        stop.set()
        thread.join(10)

    return end
