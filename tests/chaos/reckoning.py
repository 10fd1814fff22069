"""From what a trial saw to its line of the table."""

from dataclasses import dataclass

from tests.chaos import figures
from tests.chaos.agent_process import AgentProcess
from tests.chaos.commit_log import CommitLog
from tests.chaos.subscriber import Subscriber
from tests.edge.delivery.mqtt_proxy import MqttProxy


@dataclass(frozen=True)
class Witnesses:
    """Who can tell what was committed, sent and received."""

    agent: AgentProcess
    commit_log: CommitLog
    proxy: MqttProxy
    subscriber: Subscriber


def reckon(
    fault: str, times: int, broker_kills: int, recovery_s: tuple[float, ...], witnesses: Witnesses
) -> figures.Figures:
    """A line of the table; orphans are named on standard output."""
    messages = [each.message for each in witnesses.subscriber.received]
    committed, came = witnesses.commit_log.events, witnesses.subscriber.numbers
    lost = {(event.stream, event.event_type, event.episode) for key, event in committed.items() if key not in came}
    told = {(message.event.stream, message.event.event_type, message.event.id) for message in messages}
    first, unmarked = figures.copies(figures.sent(witnesses.proxy.published))
    going_on = witnesses.commit_log.open_episodes()
    partial = [orphan for orphan in figures.orphans(messages) if orphan[1] not in going_on]
    for stream, episode, types in partial:
        print(f"{fault}: of episode {episode} of {stream} came only {', '.join(types)}", flush=True)
    return figures.Figures(
        fault=fault,
        times=times,
        agent_kills=witnesses.agent.kills,
        broker_kills=broker_kills,
        committed=len(committed),
        received=len(committed.keys() & came),
        not_durable=sum(not message.durable for message in messages),
        lost=len(committed.keys() - came) + len(witnesses.agent.raised() - told - lost),
        disorder=figures.backward((message.log, message.seq) for message in messages),
        orphans=len(partial),
        seq_back=figures.backward(first),
        unmarked=unmarked,
        recovery_s=recovery_s,
    )
