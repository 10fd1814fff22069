"""What changes while the agent is off: names, ids, roots, streams. Nothing that is no longer served goes on lying."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from tests.attack.registry import attack
from tests.attack.stand import ALLOW, Stand
from tests.helpers.agent import MQTT, PUMP
from tests.helpers.mosquitto import wait_for

SECOND = 'id = "pump2"\nbundle = "tiny"\nsource = "field"\n'
_RULE = "[stream.rules.flow]\nmax = 50.0\n"


def _retained(stand: Stand, *filters: str) -> dict[str, bytes]:
    """What somebody who comes now is given, by topic."""
    listener = stand.broker.listen(*filters, "marker")
    try:
        stand.send("marker", b"1")
        wait_for(lambda: listener.on("marker"), "the marker")
        return {one.topic: one.payload for one in list(listener.heard) if one.retained}
    finally:
        listener.close()


@contextmanager
def _open_episode(stand: Stand, *streams: str) -> Iterator[str]:
    """An agent that has ended with an episode of pump1 open; its id."""
    stand.start(stand.config(MQTT, *streams))
    stand.serves()
    stand.normal(25)
    stand._rows(12, 6.0)
    stand.wait_health(lambda _body: b'"anomaly":"ON"' in stand.listener.on("offbeat/gw-1/pump1/state")[-1], "an alarm")
    opened = json.loads(stand.listener.on("offbeat/gw-1/pump1/state")[-1])["event_id"]
    stand.end()
    yield opened
    stand.normal(40)  # what is still open ends
    stand.passed_at = None


def _ended(stand: Stand, opened: str) -> bool:
    return any(event["id"] == opened and event["event_type"] == "end" for event in stand.events())


def _no_lie(stand: Stand, *filters: str) -> None:
    """Nothing retained there says that something is judged, calm or in alarm."""

    def lies() -> dict[str, bytes]:
        kept = _retained(stand, *filters)
        return {topic: said for topic, said in kept.items() if said == b"online" or b'"anomaly":"O' in said}

    wait_for(lambda: not lies(), f"nothing that lies; it is {lies()}", 30.0)


@attack("a stream with an open episode is removed while the agent is off", quick=True)
def _removed(stand: Stand) -> None:
    with _open_episode(stand, PUMP, SECOND) as opened:
        stand.start(stand.config(MQTT, SECOND))
        wait_for(lambda: _ended(stand, opened), "the end of what nobody judges any more", 30.0)
        _no_lie(stand, "offbeat/gw-1/pump1/#")
        stand.end()
        stand.start(stand.config(MQTT, PUMP, SECOND))


@attack("a stream with an open episode is removed by SIGHUP while the broker is away, and the agent is killed")
def _removed_away(stand: Stand) -> None:
    with _open_episode(stand, PUMP, SECOND) as opened:
        agent = stand.start(stand.config(MQTT, PUMP, SECOND))
        stand.broker.kill()
        (stand.folder / "agent.toml").write_text(stand.config(MQTT, SECOND))
        agent.process.send_signal(1)
        stand.wait_said("reload: 1 streams")
        agent.process.kill()
        agent.process.wait()
        stand.broker.start()
        stand._listener.close()
        stand._listener = None
        stand.start(stand.config(MQTT, SECOND))
        wait_for(lambda: _ended(stand, opened), "the end of what nobody judges any more", 30.0)
        _no_lie(stand, "offbeat/gw-1/pump1/#")
        stand.end()
        stand.start(stand.config(MQTT, PUMP, SECOND))


def _moved(old: str, new: str, filters: str, stand: Stand) -> None:
    with _open_episode(stand, PUMP):
        text = stand.config()
        assert old in text
        stand.start(text.replace(old, new))
        _no_lie(stand, filters)
        stand.end()
        stand.start()


attack("the device gets another id while the agent is off")(
    partial(_moved, 'id = "gw-1"', 'id = "gw-2"', "offbeat/gw-1/#")
)
attack("the device gets another root while the agent is off")(
    partial(_moved, 'id = "gw-1"', 'id = "gw-1"\nroot = "plant"', "offbeat/gw-1/#")
)


@attack("a rule with an open episode is taken out of the config while the agent is off")
def _rule_gone(stand: Stand) -> None:
    stand.start(stand.config(MQTT, PUMP + _RULE))
    stand.normal(25)
    stand._rows(5, 60.0)
    wait_for(lambda: [one for one in stand.events() if one["kind"] == "rule"], "the rule's alert", 20.0)
    opened = next(one["id"] for one in stand.events() if one["kind"] == "rule")
    stand.end()
    stand.start(stand.config(MQTT, PUMP))
    stand.normal(60)
    wait_for(lambda: _ended(stand, opened), "the end of what nobody judges any more", 30.0)


@attack(
    "another bundle, without a channel that a rule is about, is there at the start: other streams serve", quick=True
)
def _no_channel(stand: Stand) -> None:
    shutil.copytree(stand.folder / "tiny", stand.folder / "other")
    stand.start(stand.config(MQTT, PUMP, SECOND.replace("tiny", "other") + "[stream.rules.speed]\nmax = 1.0\n"))
    stand.serves()
    stand.wait_health(lambda body: "no channel 'speed'" in str(body["streams"]["pump2"]["trouble"]), "the trouble")
    manifest = (stand.folder / "tiny" / "manifest.json").read_text()
    (stand.folder / "other" / "manifest.json").write_text(manifest.replace('"pressure"', '"speed"'))
    stand.wait_said("streams pump2: the bundle is loaded")
    stand.passed_at = None


@attack("Home Assistant's entities are switched off while the agent is off")
def _no_entities(stand: Stand) -> None:
    stand.start(stand.config(broker=ALLOW + "[homeassistant]\ndiscovery = true\n"))
    stand.serves()
    assert _retained(stand, "homeassistant/#")
    stand.end()
    stand.start()
    wait_for(lambda: not _retained(stand, "homeassistant/#"), "no entity that nobody serves", 30.0)
