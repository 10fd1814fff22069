"""Single bits that flip in the outbox and in state files: nothing untrue is sent, and no agent ends of it."""

import json
import logging
import random
import shutil
import time
from contextlib import closing
from pathlib import Path

import numpy as np

from edge.delivery.outbox import Outbox
from edge.detector.rows.row import Row
from edge.state.collected_rows import CollectedRows
from edge.state.files import StateFiles
from edge.state.ledger import Ledger
from edge.wire.events import event_to_dict
from edge.wire.readings import encode_readings
from tests.helpers.agent import MQTT, PUMP, Agent, board, config, rows
from tests.helpers.alerts import alert
from tests.helpers.mosquitto import Broker, wait_for
from tests.helpers.tiny_bundle import write_tiny_bundle

IN_PROCESS, RESTARTS = 10_000, 200
_OPEN = "open"
_SHA = "0" * 64


def flipped(content: bytes, chance: random.Random) -> bytes:
    """The content with one bit the other way round."""
    changed = bytearray(content)
    changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


class Sound:
    """Files as they should be, and what is true of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        path = folder / "outbox.db"
        opened = alert(9, episode=_OPEN)
        self.open = {"": {"event": event_to_dict(opened), "held": False}}
        with closing(Outbox(path)) as outbox:
            entries = [outbox.put(alert(number)) for number in range(8)]
            outbox.acknowledge(entries[:4])
            Ledger(outbox).commit("pump1", _SHA, (opened,), self.open)
            self.events = {seq: event_to_dict(event) for seq, event in enumerate(outbox.events(), 1)}
        self.outbox = path.read_bytes()
        self.state = {"version": 2, "baseline": [1.25, 2.5], "text": "x" * 200}
        StateFiles(folder).save("pump1", _SHA, self.state)
        self.state_file = next(folder.glob("pump1-*.json"))
        self.state_bytes = self.state_file.read_bytes()
        self.rows = [Row(1000.0 + number, np.array([number / 7, 2.0])) for number in range(20)]
        self.rows_file = folder / "pump1.rows"
        CollectedRows(self.rows_file).save(self.rows)
        self.rows_bytes = self.rows_file.read_bytes()

    def untrue_of_outbox(self, content: bytes) -> str:
        """What a damaged outbox gives out that is not true; empty where nothing is."""
        for file in self.folder.glob("outbox.db*"):
            file.unlink()
        path = self.folder / "outbox.db"
        path.write_bytes(content)
        with closing(Outbox(path)) as outbox:
            ledger = Ledger(outbox)
            said = {entry.seq: event_to_dict(entry.event) for entry in outbox.pending(limit=100)}
            known = list(self.events.values())
            wrong = [seq for seq, event in said.items() if self.events.get(seq) != event]
            wrong += [-1 for event in outbox.events() if event_to_dict(event) not in known]
            open_ = ledger.load("pump1", _SHA)
            ledger.settle("pump1", _SHA, {})
            entry = outbox.put(alert(77))
            ends = [one.event for one in outbox.pending(limit=100) if one.seq not in said]
            wrong += [one.seq for one in outbox.pending(limit=100) if one.seq < 1]
            # What began and has no end by what is left may be ended.
            begun = {event["id"] for event in known} | {entry.event.id}
            strange = [event.id for event in ends if event.id not in begun]
        if wrong or strange:
            return f"events {wrong}, ends of {strange}"
        return "" if open_ in (None, {}, self.open) else f"open: {open_}"

    def untrue_of_state(self, content: bytes) -> str:
        """The same of a state file."""
        for file in self.folder.glob("pump1-*"):
            file.unlink()
        self.state_file.write_bytes(content)
        found = StateFiles(self.folder).load("pump1", _SHA)
        return "" if found in (None, self.state) else f"state {found}"

    def untrue_of_rows(self, content: bytes) -> str:
        """The same of collected rows."""
        self.rows_file.write_bytes(content)
        found = CollectedRows(self.rows_file).load(2)
        same = all(
            one.time == other.time and one.restart == other.restart and (one.values == other.values).all()
            for one, other in zip(found, self.rows, strict=False)
        )
        return "" if same and len(found) <= len(self.rows) else "rows"


def in_process(folder: Path, times: int) -> list[str]:
    """What was untrue after each of so many flips, half of them in the outbox."""
    sound, chance, untrue = Sound(folder), random.Random(1), []
    logging.disable()  # each is named, thousands of times
    kinds = (
        (sound.outbox, sound.untrue_of_outbox), (sound.state_bytes, sound.untrue_of_state),
        (sound.outbox, sound.untrue_of_outbox), (sound.rows_bytes, sound.untrue_of_rows),
    )  # fmt: skip
    for number in range(times):
        content, look = kinds[number % len(kinds)]
        if found := look(flipped(content, chance)):
            untrue.append(found)
    logging.disable(logging.NOTSET)
    return untrue


def with_restarts(folder: Path, times: int, seed: int = 2) -> tuple[int, list[str]]:
    """How many agents ended by themselves, and untrue events, over so many restarts on a state with one bit flipped."""
    (folder / "broker").mkdir(parents=True)
    write_tiny_bundle(folder / "tiny")
    broker = Broker(folder / "broker").start()
    chance, ended, untrue = random.Random(seed), 0, []
    try:
        truth = _pending_alerts(folder, broker)
        listener = broker.listen("offbeat/gw-1/+/event")
        shutil.copytree(folder / "state", folder / "whole")
        for _ in range(times):
            shutil.rmtree(folder / "state")
            shutil.copytree(folder / "whole", folder / "state")
            files = [path for path in (folder / "state").rglob("*") if path.is_file() and path.stat().st_size]
            path = chance.choice([folder / "state" / "outbox.db", chance.choice(files)])
            path.write_bytes(flipped(path.read_bytes(), chance))
            agent = Agent(folder, config(broker.port, MQTT, PUMP))
            try:
                wait_for(lambda: agent.process.poll() is not None or agent.said("connected to"), "the agent", 60.0)  # noqa: B023
                time.sleep(0.2)
                ended += agent.stop() != 0
            except AssertionError:
                ended += 1
            finally:
                agent.process.kill()
                agent.log.write_text("")
            untrue += _untrue(truth, [json.loads(payload) for payload in listener.on("#")])
            listener.heard.clear()
        listener.close()
    finally:
        broker.kill()
    return ended, untrue


def _pending_alerts(folder: Path, broker: Broker) -> dict[int, dict]:
    """Have an agent say something while the broker of its alerts is away; what, by number."""
    source = MQTT + f"[source.broker]\nport = {broker.port}\n"
    agent = Agent(folder, config(1, source, PUMP))
    try:
        wait_for(lambda: agent.said("source field: up"), "the subscription", 60.0)
        with board(broker) as publish:
            for row in rows(1000, 185, fault=range(1100, 1130)):
                publish("sensors/pump1/readings", encode_readings(row))
            for row in rows(1185, 15, fault=range(1185, 1200)):
                publish("sensors/pump1/readings", encode_readings(row))
        wait_for(lambda: agent.log.read_text().count(": new anomaly") >= 2, "two alerts", 60.0)
        assert agent.stop() == 0
    finally:
        agent.process.kill()
    with closing(Outbox(folder / "state" / "outbox.db")) as outbox:
        return {entry.seq: event_to_dict(entry.event) for entry in outbox.pending(limit=100)}


def _untrue(truth: dict[int, dict], heard: list[dict]) -> list[str]:
    """Events that nobody said: neither one of those, nor the end of an episode that one of them began."""
    ids = {event["id"] for event in truth.values()}
    found = []
    for event in heard:
        said = truth.get(event["seq"])
        same = said is not None and all(event[name] == value for name, value in said.items())
        if not same and not (event["event_type"] == "end" and event["id"] in ids):
            found.append(f"{event['event_type']} {event['id']} as {event['seq']}")
    return found


def run(folder: Path, rounds: float) -> tuple[bool, str]:
    """Whether nothing untrue was given out and no agent ended; the figures."""
    times, restarts = max(1, round(IN_PROCESS * rounds)), max(1, round(RESTARTS * rounds))
    untrue = in_process(folder / "files", times)
    ended, sent = with_restarts(folder / "agents", restarts)
    told = f"{times} flips in process, {len(untrue)} untrue {untrue[:3]}; {restarts} restarts, {ended} ended, "
    return not (untrue or sent or ended), f"{told}{len(sent)} untrue alerts sent {sent[:3]}"
