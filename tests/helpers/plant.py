"""A device without a network: streams whose scores and rules a test makes up, with the real ledger and reporter."""

import datetime
from collections.abc import Sequence
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from edge.agent.asked.attending import Attending
from edge.agent.left_behind import KeptTopics
from edge.agent.reporter import Reporter
from edge.delivery.figures import Durations
from edge.delivery.outbox import Outbox
from edge.delivery.publisher import Publisher
from edge.detector.bundle.rules import ChannelRules
from edge.detector.events.episode import Look
from edge.detector.events.planned import PlannedException
from edge.detector.events.settings import StreamSettings
from edge.detector.events.stream import StreamEvents
from edge.detector.outcome import Outcome
from edge.detector.rows.row import Row
from edge.state.ledger import Ledger
from edge.wire.broker import BrokerSettings
from edge.wire.events import Contributor, Event, ModelRef
from edge.wire.topics import DeviceTopics

BEGIN = 1_767_225_600.0
SHA = "0" * 64
LONGEST_S = 86_400.0
PLAN_AT, PLAN_S = 300, 100
"""Seconds after `BEGIN` at which something is planned, and for how long."""


class Machine:
    """One stream: its events are the detector's, its scores are given."""

    def __init__(self, id_: str, ledger: Ledger, new_id: Any) -> None:
        self.id, self._ledger, self.now = id_, ledger, BEGIN
        start, end = (datetime.datetime.fromtimestamp(BEGIN + at, datetime.UTC) for at in (PLAN_AT, PLAN_AT + PLAN_S))
        rules = {"flow": ChannelRules(max=5.0, silent_for_s=30.0)}
        settings = StreamSettings(id_, rules=rules, planned=(PlannedException("works", start, end),))
        model = ModelRef("tiny", SHA)
        self.events = StreamEvents(settings, [("flow", "l/min"), ("pressure", "bar")], 4, model, new_id, quiet_s=8.0)
        self.on = False
        if open_ := ledger.load(id_, SHA):
            self.events.restore(open_)
            self.on = self.events.in_alarm
        ledger.settle(id_, SHA, self.events.snapshot())

    def save(self) -> None:
        self._ledger.keep(self.id, SHA, self.events.snapshot())

    def time(self, _monotonic: float) -> float:
        return self.now

    def row(self, time: float, score: float, flow: float, silent: bool = False) -> tuple[Outcome, list[Event]]:
        """The next second; the alarm is on at a score above 1."""
        self.now = time
        if silent:
            events = self.events.idle(time)
        else:
            events = self.events.row(Row(time, np.array([flow, 1.0])))
            look = Look(time, score, 60.0 if score < 2 else None, (Contributor("flow", 1.0, flow, 1.0),))
            if score > 1 and not self.on:
                events += self.events.open_anomaly(look, time)
            elif self.on:
                events += self.events.follow_anomaly(look, closed=score <= 1)
            self.on = score > 1
        if events:
            self._ledger.commit(self.id, SHA, events, self.events.snapshot())
        outcome = Outcome(0, time, score, self.on, "OFF", None, None, tuple(events), self.events.planned)
        return outcome, events


class Plant:
    """Streams, ledger and reporter, and a broker that keeps what is retained."""

    def __init__(self, folder: Path, streams: Sequence[str]) -> None:
        self._folder, self.clock = folder, BEGIN
        self._ids = count(1)
        self.retained: dict[str, bytes] = {}
        self.start(streams)

    def start(self, streams: Sequence[str]) -> None:
        """The agent's process begins, perhaps after one that was killed."""
        self.outbox = Outbox(self._folder / "outbox.db")
        self.ledger = Ledger(self.outbox)
        self.ledger.groups.sources = dict.fromkeys(streams, "field")
        new_id = partial(lambda ids, _time: f"e{self.clock:.0f}-{next(ids)}", self._ids)
        self.machines = {id_: Machine(id_, self.ledger, new_id) for id_ in streams}
        self.ledger.settle_others(streams)
        self.attending = Attending(self.ledger, LONGEST_S, now=lambda: self.clock)
        self.publisher = Publisher(BrokerSettings(), DeviceTopics("gw-1"), self.outbox)
        self.reporter = Reporter(self.outbox, self.publisher, self.ledger, {}, Durations())
        clock = partial(next, count(0, 60))  # what is to be cleared is so with the next look
        self.reporter.kept = self.kept = KeptTopics(self._folder / "served.json", self.publisher.topics, clock)
        self.reporter.serve(streams)
        self.kept.now(streams)
        self.tick()

    def remove(self, stream: str) -> None:
        """The config is read again, and the stream is not in it any more."""
        machine = self.machines.pop(stream)
        self.ledger.commit(stream, SHA, machine.events.end_all(machine.now), machine.events.snapshot())
        self.reporter.over(stream, machine.now)
        self.ledger.settle_others(self.machines)
        self.reporter.serve(self.machines)
        self.kept.now(list(self.machines))

    def row(self, stream: str, score: float, flow: float, silent: bool = False) -> None:
        """One second more, in which a stream gives a row."""
        self.clock += 1
        machine = self.machines[stream]
        outcome, _ = machine.row(self.clock, score, flow, silent)
        if not silent:
            self.reporter.state(stream, outcome, True, machine.events.open_now)

    def tick(self) -> None:
        """What the agent does a few times a second."""
        self.attending.tick(list(self.machines.values()), 0.0)
        self.reporter.tick()

    def deliver(self, acknowledged: bool = True) -> None:
        """The broker gets what is due; where the connection ends before it has `acknowledged` that, it forgets."""
        latest = self.publisher._latest
        latest.hurry()
        while due := latest.due(self.clock, 1000):
            if not acknowledged:
                latest.reconnected()
                self.retained.clear()
                acknowledged = True
                continue
            for topic, payload in due:
                self.retained.pop(topic, None)
                if payload:
                    self.retained[topic] = payload
            latest.acknowledged(topic for topic, _ in due)

    def told(self) -> list[Event]:
        """The events of the log."""
        return self.outbox.events()
