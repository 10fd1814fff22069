"""The test stand: a broker, a proxy before it, an agent to be started, and who listens."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.agent_process import AgentProcess
from tests.chaos.subscriber import Subscriber
from tests.edge.delivery.mqtt_proxy import MqttProxy
from tests.helpers.mosquitto import PERSISTENT, Broker, Listener
from tests.helpers.tiny_bundle import write_tiny_bundle

DEVICE = "gw-1"
BROKER = ("allow_anonymous true", "max_queued_messages 0", *PERSISTENT)
"""What the README asks for; the queue of a subscriber that is away has no bound."""

FROM_STDIN = """
[device]
id = "{device}"
{of_device}
[broker]
host = "127.0.0.1"
port = {port}
[[source]]
name = "pump1"
type = "stdin"
[[stream]]
id = "pump1"
bundle = "tiny"
"""
"""agent.toml for one stream that the test itself feeds; {of_device} are more keys of the device."""


@dataclass(frozen=True)
class Stand:
    """All run but the agent, whose bundle `tiny` lies beside its config."""

    folder: Path
    broker: Broker
    proxy: MqttProxy
    subscriber: Subscriber
    health: Listener
    agent: AgentProcess

    def configure(self, config: str, **more: object) -> None:
        """Write agent.toml: `config` with {device}, {port} of the proxy, {broker_port} and what else it names."""
        told = {"device": DEVICE, "port": self.proxy.port, "broker_port": self.broker.port, **more}
        (self.folder / "agent.toml").write_text(config.format(**told))


@contextmanager
def stand(folder: Path, environment: Mapping[str, str] | None = None) -> Iterator[Stand]:
    """A stand in a folder that need not exist; in the end all its processes are gone. `environment` is the agent's."""
    (folder / "mosquitto").mkdir(parents=True)
    write_tiny_bundle(folder / "tiny")
    with ExitStack() as stack:
        broker = Broker(folder / "mosquitto", BROKER).start()
        stack.callback(broker.kill)
        proxy = MqttProxy(broker.port)
        stack.callback(proxy.close)
        subscriber = Subscriber(broker.settings, DEVICE)
        stack.callback(subscriber.close)
        subscriber.start()
        health = broker.listen(f"offbeat/{DEVICE}/health")
        stack.callback(health.close)
        agent = AgentProcess(folder, environment)
        stack.callback(agent.kill)
        yield Stand(folder, broker, proxy, subscriber, health, agent)
