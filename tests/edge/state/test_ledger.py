"""No episode without an end: what is open is known after a crash, or ended."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from edge.delivery.outbox import Outbox
from edge.detector.events.episode import Episode
from edge.state.ledger import Ledger
from edge.wire.events import Event
from tests.helpers.alerts import alert, rule_alert

BUNDLE, OTHER = "a" * 64, "b" * 64


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox.db"


def opened(*events: Event) -> dict[str, Any]:
    return {event.id: Episode(event, 60.0).to_dict() for event in events}


def said(path: Path) -> list[tuple[str, str]]:
    return [(event.event_type, event.id) for event in Outbox(path).events()]


def test_open_episodes_come_back_after_a_crash_for_the_same_bundle_only(path):
    Ledger(Outbox(path)).commit("pump1", BUNDLE, [alert(1)], opened(alert(1)))

    again = Ledger(Outbox(path))

    assert again.load("pump1", BUNDLE) == opened(alert(1))
    assert again.load("pump1", OTHER) == {}
    assert again.load("pump2", BUNDLE) is None


def test_an_episode_that_goes_on_is_left_alone_and_one_that_does_not_is_ended_as_it_was_said_last(path):
    Ledger(Outbox(path)).commit("pump1", BUNDLE, [alert(1), rule_alert(2)], opened(alert(1), rule_alert(2)))

    again = Ledger(Outbox(path))
    again.settle("pump1", BUNDLE, opened(rule_alert(2)))
    again.settle("pump1", BUNDLE, opened(rule_alert(2)))

    assert said(path) == [("new", "episode-1"), ("new", "rule-2"), ("end", "episode-1")]
    end = Outbox(path).events()[-1]
    assert (end.end_time, end.score, end.contributors) == (alert(1).time, alert(1).score, alert(1).contributors)
    assert again.cut_off == {"pump1": alert(1).time}
    assert Ledger(Outbox(path)).load("pump1", BUNDLE) == opened(rule_alert(2))


def test_an_episode_that_was_held_back_is_not_ended_as_nobody_heard_of_it(path):
    held = {"": {**opened(alert(1))["episode-1"], "held": True}}
    Ledger(Outbox(path)).commit("pump1", BUNDLE, [], held)

    Ledger(Outbox(path)).settle("pump1", OTHER, {})

    assert said(path) == []


@pytest.mark.parametrize("loss", ["no row", "garbage", "no episode", "null"])
def test_what_is_open_is_read_from_the_events_where_its_record_is_lost(path, loss, caplog):
    ledger = Ledger(Outbox(path))
    for number in (1, 2, 3):
        ledger.commit("pump1", BUNDLE, [alert(number)], opened(alert(number)))
    ledger.commit("pump1", BUNDLE, [alert(2, "end"), alert(3, "update")], opened(alert(1), alert(3)))
    lose(path, loss)

    again = Ledger(Outbox(path))
    assert again.load("pump1", BUNDLE) is None
    again.settle("pump1", BUNDLE, {})

    assert said(path)[-2:] == [("end", "episode-1"), ("end", "episode-3")]
    assert Ledger(Outbox(path)).load("pump1", BUNDLE) == {}
    assert ("unreadable" in caplog.text) == (loss != "no row")


def lose(path: Path, loss: str) -> None:
    with sqlite3.connect(path) as database:
        if loss == "no row":
            database.execute("DELETE FROM episodes")
        else:
            body = {"garbage": b"\xff{", "no episode": b'{"bundle":"x","open":{"":{"event":{}}}}', "null": b"null"}[
                loss
            ]
            database.execute("UPDATE episodes SET body = ?", (body,))
    database.close()


def test_episodes_of_streams_that_are_no_longer_served_are_ended(path):
    ledger = Ledger(Outbox(path))
    ledger.commit("pump1", BUNDLE, [alert(1)], opened(alert(1)))
    ledger.commit("pump2", BUNDLE, [alert(2, stream="pump2")], opened(alert(2, stream="pump2")))

    again = Ledger(Outbox(path))
    again.settle_others(["pump2"])

    assert said(path)[2:] == [("end", "episode-1")]
    assert list(again.cut_off) == ["pump1"]
    assert again.load("pump2", BUNDLE)


@pytest.mark.parametrize("told_meanwhile", [False, True])
def test_what_was_open_on_a_disk_that_could_not_be_read_at_the_start_is_ended_when_it_can(path, told_meanwhile):
    outbox = Outbox(path)
    Ledger(outbox).commit("pump1", BUNDLE, [alert(1)], opened(alert(1)))
    outbox.close()
    aside = path.rename(path.with_name("aside"))
    path.mkdir()

    ledger = Ledger(Outbox(path))
    assert ledger.load("pump1", BUNDLE) is None
    ledger.catch_up()
    if told_meanwhile:
        ledger.commit("pump1", BUNDLE, [alert(2)], opened(alert(2)))
    path.rmdir()
    aside.rename(path)
    ledger.catch_up()

    assert said(path) == [("new", "episode-1"), ("end", "episode-1")]
    assert Ledger(Outbox(path)).load("pump1", BUNDLE) == (opened(alert(2)) if told_meanwhile else {})


def test_keeping_what_has_not_changed_writes_nothing(path):
    outbox = Outbox(path)
    ledger = Ledger(outbox)
    ledger.keep("pump1", BUNDLE, {})
    ledger.commit("pump1", BUNDLE, [alert(1)], opened(alert(1)))
    commits = outbox.commit_s.count

    ledger.keep("pump1", BUNDLE, opened(alert(1)))
    assert outbox.commit_s.count == commits
    ledger.keep("pump1", BUNDLE, {**opened(alert(1)), "": {**opened(alert(1))["episode-1"], "calm": None}})

    assert outbox.commit_s.count == commits + 1
