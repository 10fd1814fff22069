"""The picture of a device made of its retained topics alone is its ledger, whatever has happened."""

import json
import tempfile
from contextlib import suppress
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from edge.delivery.outbox import Outbox
from edge.delivery.requests import RequestError
from edge.state.ledger import Ledger
from edge.wire.state import state_from_dict
from tests.helpers.plant import BEGIN, PLAN_AT, Plant

STREAMS = ("a", "b", "c")
_MEMORY = next((folder for folder in ("/dev/shm",) if Path(folder).is_dir()), None)
"""Where a commit costs no disk: there are some ten thousand."""
_STEPS = st.one_of(
    st.tuples(st.just("row"), st.sampled_from(STREAMS), st.sampled_from([0.3, 1.4, 3.0]), st.sampled_from([1.0, 9.0])),
    st.tuples(st.just("rows"), st.sampled_from(STREAMS), st.sampled_from([0.3, 1.4, 3.0]), st.integers(2, 70)),
    st.tuples(st.just("silent"), st.sampled_from(STREAMS), st.integers(1, 40)),
    st.tuples(st.sampled_from(["ack", "snooze", "unsnooze"]), st.integers(0, 5)),
    st.tuples(st.sampled_from(["restart", "crash", "reconnect", "tick", "plan", "hour"])),
    st.tuples(st.sampled_from(["remove", "add"]), st.sampled_from(STREAMS)),
)


def expected(folder: Path, streams) -> tuple[dict[str, object], dict]:
    """From the file alone: each stream's open episodes and snoozes, and the groups."""
    ledger, found = Ledger(Outbox(folder / "outbox.db")), {}
    for stream in streams:
        attention = ledger.attention(stream)
        episodes = set()
        for key, part in ledger.open_parts(stream).items():
            event, snooze = part["event"], attention.snoozed.get(key)
            if part.get("held") and not part.get("shelved"):
                continue
            episodes.add(
                (
                    *(event[name] for name in ("id", "kind", "severity", "start_time")),
                    event["id"] in attention.acknowledged,
                    None if snooze is None else snooze.until,
                    (part.get("group") or [None])[0],
                )
            )
        snoozed = {(one.event_id, one.until, one.flaps, one.by) for one in attention.snoozed.values()}
        found[stream] = (frozenset(episodes), frozenset(snoozed))
    body = ledger.groups.body()
    ledger.outbox.close()
    return found, body


def rebuilt(retained: dict[str, bytes]) -> dict[str, object]:
    found = {}
    for topic, payload in retained.items():
        if topic.endswith("/state"):
            state = state_from_dict(json.loads(payload))
            assert (state.anomaly == "ON") == bool(state.open)
            episodes = frozenset(
                (one.id, one.kind, one.severity, one.start_time, one.acknowledged, one.snoozed_until, one.group)
                for one in state.open
            )
            snoozed = frozenset((one.event_id, one.until, one.flaps, one.by or "") for one in state.snoozed)
            found[topic.split("/")[2]] = (episodes, snoozed)
    return found


def do(plant: Plant, step: tuple) -> None:
    command, *arguments = step
    if command in ("ack", "snooze", "unsnooze"):
        ask(plant, command, *arguments)
    elif arguments:
        with_stream(plant, command, *arguments)
    elif command in ("restart", "crash"):
        plant.outbox.close()
        plant.start(list(plant.machines))
    elif command == "reconnect":
        plant.deliver(acknowledged=False)
    elif command == "tick":
        plant.tick()
    else:
        plant.clock = max(plant.clock, BEGIN + PLAN_AT - 10) if command == "plan" else plant.clock + 3600.0


def with_stream(plant: Plant, command: str, stream: str, *arguments) -> None:
    if command == "add" and stream not in plant.machines:
        plant.outbox.close()
        plant.start([*plant.machines, stream])
    elif stream not in plant.machines:
        return
    elif command == "remove" and len(plant.machines) > 1:
        plant.remove(stream)
    elif command == "row":
        plant.row(stream, *arguments)
    elif command == "rows":
        for _ in range(arguments[1]):
            plant.row(stream, arguments[0], 1.0)
    elif command == "silent":
        for _ in range(arguments[0]):
            plant.row(stream, 0.0, 0.0, silent=True)


def ask(plant: Plant, command: str, number: int) -> None:
    served = list(plant.machines.values())
    ids = [part["event"]["id"] for one in served for part in plant.ledger.open_parts(one.id).values()]
    ids += [one.event_id for each in served for one in plant.ledger.attention(each.id).snoozed.values()]
    if not ids:
        return
    fields = {"event_id": ids[number % len(ids)], "by": "ann"}
    with suppress(RequestError):
        if command == "ack":
            plant.attending.acknowledge(fields, served)
        elif command == "snooze":
            plant.attending.snooze({**fields, "for_s": 600.0 * (number + 1)}, served)
        else:
            plant.attending.unsnooze(fields, served)


@settings(max_examples=1000, deadline=None)
@given(st.lists(_STEPS, max_size=30))
def test_the_retained_topics_are_the_ledger_after_any_history(steps):
    with tempfile.TemporaryDirectory(dir=_MEMORY) as folder:
        plant = Plant(Path(folder), STREAMS)
        for step in steps:
            do(plant, step)
        plant.tick()
        plant.deliver()
        for machine in plant.machines.values():
            machine.save()
        plant.outbox.close()

        found, groups = expected(Path(folder), plant.machines)
        assert rebuilt(plant.retained) == found
        told = json.loads(plant.retained["offbeat/gw-1/group"])
        assert {name: told[name] for name in ("id", "since", "members")} == {
            name: groups[name] for name in ("id", "since", "members")
        }


@settings(max_examples=300, deadline=None)
@given(st.lists(_STEPS, max_size=30))
def test_every_new_gets_its_end_and_nothing_ends_that_was_not_told(steps):
    with tempfile.TemporaryDirectory(dir=_MEMORY) as folder:
        plant = Plant(Path(folder), STREAMS)
        for step in steps:
            do(plant, step)
        for stream in list(plant.machines):
            if len(plant.machines) > 1:
                plant.remove(stream)
        plant.outbox.close()
        plant.start([])
        events = plant.told()
        plant.outbox.close()

    for id_ in {event.id for event in events}:
        types = [event.event_type for event in events if event.id == id_]
        assert (types[0], types[-1]) == ("new", "end")
        assert set(types[1:-1]) <= {"update"}
