"""What is kept to look back at: the latest rows, and those around each episode, bounded and through restarts."""

import json
import math
import os
import stat
from pathlib import Path

import numpy as np
import pytest
from attrs import evolve

from edge.delivery.requests import RequestError
from edge.detector.outcome import Outcome
from edge.detector.rows.row import Row
from edge.history.keeper import History, Rows
from edge.history.request import answer
from edge.history.settings import HistorySettings
from edge.wire.events import Event

CHANNELS = (("flow", "l/min"), ("pressure", "bar"))
START = 1_767_225_600.0
SETTINGS = HistorySettings(recent_rows=200, before_rows=30, episode_rows=100)


def event(kind: str, start: float, time: float, event_id: str = "e1") -> Event:
    end = time if kind == "end" else None
    times = (START + start, end and START + end, START + time)
    return Event(kind, event_id, "pump1", "anomaly", *times, 1.5, 1.5, "warning", None)  # type: ignore[arg-type]


class Machine:
    """A stream that gives a row a second to a history."""

    def __init__(self, folder: Path, settings: HistorySettings = SETTINGS, stream: str = "pump1") -> None:
        self.now = 0.0
        self.history, self.stream = History(folder, settings, monotonic=lambda: self.now), stream

    def give(self, since: int, until: int, scores=lambda _second: 0.5, event_id: str | None = None) -> None:
        for second in range(since, until):
            self.now = float(second)
            row = Row(START + second, np.array([float(second), math.nan]))
            outcome = Outcome(0, row.time, scores(second), False, "ON" if event_id else "OFF", event_id, None, ())
            self.history.row(self.stream, CHANNELS, row, outcome)

    def say(self, kind: str, start: float, time: float, event_id: str = "e1") -> None:
        self.history.events(self.stream, [event(kind, start, time, event_id)])

    def episode(self, length: int, scores=lambda _second: 1.5, event_id: str = "e1", since: int = 50) -> None:
        self.give(since - 50, since)
        self.say("new", since - 3, since - 1, event_id)
        self.give(since, since + length, scores, event_id)
        self.say("end", since - 3, since + length - 1, event_id)


@pytest.fixture
def machine(tmp_path) -> Machine:
    return Machine(tmp_path)


def seconds(stretch) -> list[int]:
    return [round(time - START) for time in stretch.times.tolist()]


def test_the_rows_from_before_an_episode_to_its_end_are_kept(machine, tmp_path):
    machine.episode(40)

    kept = Rows(tmp_path).around("e1")

    assert kept is not None
    assert seconds(kept) == list(range(47 - 30, 90))
    assert (kept.stream, kept.kind, kept.channels) == ("pump1", "anomaly", CHANNELS)
    assert (kept.start_time, kept.end_time) == (START + 47, START + 89)
    assert kept.values[:, 0].tolist() == list(range(17, 90))
    assert np.isnan(kept.values[:, 1]).all()
    assert kept.scores[-1] == 1.5


def test_a_long_episode_keeps_all_near_start_peak_and_end_and_the_loudest_between(machine):
    machine.episode(20_000, scores=lambda second: 9.0 if second == 7_777 else 1.0 + (second % 100 == 50))

    kept = machine.history.around("e1")

    within = [second for second in seconds(kept) if second >= 47]
    assert len(within) <= SETTINGS.episode_rows
    assert seconds(kept)[:30] == list(range(17, 47))
    assert set(range(47, 52)) | set(range(7_773, 7_782)) | set(range(20_045, 20_050)) <= set(within)
    assert kept.scores.max() == 9.0
    gaps = np.diff(within)
    assert gaps.max() < 20_000 / 10
    middle = [second for second in within if 200 < second < 7_000 and second % 100 == 50]
    assert len(middle) > 3


def test_an_episode_goes_on_after_a_restart_and_a_power_cut_costs_some_seconds(machine, tmp_path):
    machine.give(0, 50)
    machine.say("new", 47, 49)
    machine.give(50, 75, event_id="e1")
    (file,) = (tmp_path / "history/pump1").iterdir()
    content = file.read_bytes()
    file.write_bytes(content[:-20])  # in the middle of a line

    again = Machine(tmp_path)
    again.give(100, 120, event_id="e1")
    again.say("end", 47, 119)
    kept = again.history.around("e1")

    assert seconds(kept)[-20:] == list(range(100, 120))
    before = [second for second in seconds(kept) if second < 100]
    assert before == list(range(17, before[-1] + 1))
    assert before[-1] >= 75 - 10 - 2
    assert kept.end_time == START + 119


def test_an_end_after_a_restart_is_kept_without_a_row_between(machine, tmp_path):
    machine.give(0, 50)
    machine.say("new", 47, 49)

    again = Machine(tmp_path)
    again.say("end", 47, 60)

    assert again.history.around("e1").end_time == START + 60
    assert again.history._open == {}


def test_what_a_restart_does_not_go_on_with_does_not_take_rows(machine, tmp_path):
    machine.give(0, 50)
    machine.say("new", 47, 49)

    again = Machine(tmp_path)
    again.give(100, 120)
    again.history.close()

    assert seconds(again.history.around("e1"))[-1] == 49


def test_the_oldest_episodes_go_first_and_open_ones_stay(tmp_path):
    machine = Machine(tmp_path, evolve(SETTINGS, episodes=3))
    machine.give(0, 50)
    machine.say("new", 47, 49, "open")
    for number in range(5):
        machine.episode(5, event_id=f"e{number}", since=1000 * (number + 1))
        os.utime(tmp_path / f"history/pump1/e{number}.rows", (number + 1, number + 1))
    os.utime(tmp_path / "history/pump1/open.rows", (0, 0))
    machine.episode(5, event_id="last", since=9000)

    assert set(machine.history.episodes()["pump1"]) == {"open", "e4", "last"}


def test_the_files_never_take_more_bytes_than_allowed_also_while_episodes_are_open(tmp_path, caplog):
    machine = Machine(tmp_path, evolve(SETTINGS, max_bytes=20_000, episodes=1000))
    for number in range(60):
        machine.give(100 * number, 100 * number + 50)
        machine.say("new", 100 * number + 45, 100 * number + 49, f"e{number}")
    size = sum(file.stat().st_size for file in (tmp_path / "history").rglob("*.rows"))

    largest = max(file.stat().st_size for file in (tmp_path / "history").rglob("*.rows"))
    assert size <= 20_000 + largest
    assert "max_bytes of [history]" in caplog.text


def test_files_are_the_owners_alone(machine, tmp_path):
    machine.episode(40)
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "history").rglob("*")}

    assert {mode for path, mode in modes.items() if path.is_file()} == {0o600}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}


def test_a_renamed_folder_is_a_renamed_stream(machine, tmp_path):
    machine.episode(40)
    (tmp_path / "history/pump1").rename(tmp_path / "history/pump9")

    kept = Rows(tmp_path).around("e1")

    assert kept is not None
    assert kept.stream == "pump9"


def test_the_latest_rows_are_at_hand_by_time(machine):
    machine.give(0, 500)

    assert seconds(machine.history.recent("pump1")) == list(range(300, 500))
    assert seconds(machine.history.recent("pump1", START + 480, START + 490.5)) == list(range(480, 491))
    assert machine.history.recent("pump2") is None


def test_a_clock_that_is_set_back_begins_the_latest_rows_anew(machine):
    machine.give(100, 200)
    machine.give(50, 60)

    assert seconds(machine.history.recent("pump1")) == list(range(50, 60))


def test_a_disk_that_refuses_is_said_once_and_rows_go_on(tmp_path, caplog):
    (tmp_path / "history").write_text("in the way")
    machine = Machine(tmp_path)
    machine.episode(5)
    machine.episode(5, event_id="e2", since=200)

    assert len(machine.history.recent("pump1")) > 0
    assert caplog.text.count("cannot be written") == 1


def test_a_request_is_answered_within_bounds(tmp_path):
    wide = tuple((f"channel{n}", "mm/s") for n in range(60))
    history = History(tmp_path, evolve(SETTINGS, recent_rows=5000))
    for second in range(5000):
        row = Row(START + second, np.full(60, 1234.56789))
        history.row("pump1", wide, row, Outcome(0, row.time, 2.0 * (second == 777), False, "OFF", None, None, ()))

    found = answer(history, {"stream": "pump1"})

    assert len(json.dumps(found)) < 200_000
    assert found["of"] == 5000
    assert START + 777 in found["times"]
    assert len(found["values"]["channel59"]) == found["rows"] == len(found["times"])


def test_requests_for_an_episode_a_span_and_a_list_are_answered(machine):
    machine.episode(40)

    by_id = answer(machine.history, {"event_id": "e1"})
    span = answer(machine.history, {"stream": "pump1", "since": START + 80, "until": START + 82})

    assert (by_id["rows"], by_id["end_time"]) == (73, START + 89)
    assert span["values"] == {"flow": [80.0, 81.0, 82.0], "pressure": [None, None, None]}
    assert answer(machine.history, {"list": True}) == {"episodes": {"pump1": ["e1"]}, "streams": ["pump1"]}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "rows wants"),
        ({"event_id": "../../outbox"}, "no rows are kept"),
        ({"event_id": 7}, "rows wants"),
        ({"event_id": "e1", "stream": "pump1"}, "rows wants"),
        ({"stream": "pump7"}, "no rows of a stream pump7; there are of: pump1"),
        ({"stream": "../x"}, "of a stream of that name"),
        ({"stream": "pump1", "since": "yesterday"}, "rows wants"),
        ({"stream": "pump1", "since": True}, "rows wants"),
        ({"stream": "pump1", "sicne": 1}, "rows wants"),
    ],
)
def test_requests_that_cannot_be_met_say_what_is_wanted(machine, fields, said):
    machine.episode(40)

    with pytest.raises(RequestError, match=said):
        answer(machine.history, fields)


@pytest.mark.parametrize("content", [b"", b"{", b"[]\n", b'{"channels": 3}\n', b"\xff\xfe\n"])
def test_a_file_that_is_none_counts_as_none(machine, tmp_path, content):
    machine.episode(40)
    (tmp_path / "history/pump1/e1.rows").write_bytes(content)

    assert machine.history.around("e1") is None
