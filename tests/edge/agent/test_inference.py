"""Isolation: what one stream or bundle does wrong costs the others nothing, and is tried again."""

import logging
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from edge.agent.inference import Inference
from edge.agent.loading import Loaded, load_streams
from edge.agent.troubles import RETRY_FIRST_S, Troubles
from edge.config.settings import StreamConfig
from edge.delivery.figures import Durations
from edge.delivery.outbox import Outbox
from edge.detector.bundle.files import Bundle, BundleError
from edge.detector.bundle.rules import ChannelRules
from edge.detector.group import Outcome
from edge.detector.rows.row import Row
from edge.sources.intake import Arrival
from edge.state.files import StateFiles
from edge.state.ledger import Ledger
from edge.state.snapshots import Snapshots
from edge.wire.readings import Readings
from tests.helpers.tiny_bundle import write_tiny_bundle

CONFIGS = [StreamConfig(id=name, source="rig", board=name, bundle=Path("tiny")) for name in ("a", "b", "c")]


class Group:
    """In place of a StreamGroup: raises for the streams in `broken`, and knows what it was given."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.broken: set[int] = set()
        self.seen: list[list[int]] = []
        self.now: dict[int, Any] = {}
        self.refuses: object = None

    def process(self, batch):
        numbers = [number for number, _ in batch]
        if self.broken.intersection(numbers):
            raise ZeroDivisionError("float division\nby zero")
        self.seen.append(numbers)
        return [Outcome(number, row.time, 0.5, False, "OFF", None, None, ()) for number, row in batch]

    def snapshot(self, stream: int) -> dict[str, Any]:
        return {"stream": stream, "batches": len(self.seen), "open": {}}

    def collected(self, stream: int) -> list[Row]:  # noqa: ARG002
        return []

    def collect(self, stream: int, rows: list[Row]) -> None:
        """Nothing is collected here."""

    def restore(self, stream: int, state: dict[str, Any]) -> None:
        if state == self.refuses:
            raise ValueError("it is malformed")
        self.now[stream] = state


def fresh(*streams: int) -> dict[int, Any]:
    return {stream: {"stream": stream, "batches": 0, "open": {}} for stream in streams}


class Bench:
    """An inference over three streams, a group that can be broken, and a clock that is set."""

    def __init__(self, folder: Path, bundle: Bundle) -> None:
        self.now, self.group, self.bundle = 1000.0, Group(bundle), bundle
        self.failure: BundleError | None = None
        self.files = StateFiles(folder / "streams")
        ledger = Ledger(Outbox(folder / "outbox.db"))
        ids, clock = [config.id for config in CONFIGS], lambda: self.now
        snapshots = Snapshots(self.files, ledger, ids, 600.0, clock)
        self.inference = Inference(CONFIGS, self.load, snapshots, Troubles(ids, clock), Durations())

    def load(self) -> Loaded:
        if self.failure is not None:
            raise self.failure
        loaded = load_streams([replace_bundle(config, self.bundle) for config in CONFIGS], "auto", live=())
        return replace(loaded, group=self.group)

    def feed(self, *times: float) -> list[Outcome]:
        """Readings for every stream at each time; the outcomes of the rows that they close."""
        for time in times:
            for number, config in enumerate(CONFIGS):
                readings = Readings({"flow": 1.0, "pressure": 1.0}, time)
                self.inference.take(number, Arrival("rig", config.id, readings, self.now, self.now))
        return list(self.inference.turn(self.now))


def replace_bundle(config: StreamConfig, bundle: Bundle) -> StreamConfig:
    return StreamConfig(id=config.id, source=config.source, board=config.board, bundle=bundle.folder)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Bundle:
    return write_tiny_bundle(tmp_path_factory.mktemp("bundles") / "tiny")


@pytest.fixture
def bench(tmp_path, bundle) -> Bench:
    return Bench(tmp_path, bundle)


def test_rows_of_all_streams_are_scored_together_at_most_one_a_stream(bench):
    bench.inference.open()

    outcomes = bench.feed(1.0, 2.0, 3.0)

    assert bench.group.seen == [[0, 1, 2]] * 3
    assert [outcome.time for outcome in outcomes if outcome.stream == 0] == [1.0, 2.0, 3.0]
    assert bench.inference.rows == [3, 3, 3]


def test_rows_that_wait_to_be_scored_are_no_silence(tmp_path, bundle):
    rules = {"flow": ChannelRules(silent_for_s=60.0)}
    config = StreamConfig(id="a", source="rig", board="a", bundle=bundle.folder, rules=rules)
    ledger = Ledger(Outbox(tmp_path / "outbox.db"))
    snapshots = Snapshots(StateFiles(tmp_path / "streams"), ledger, ["a"], 600.0, lambda: 0.0)
    load = partial(load_streams, [config], "auto", live={"rig"})
    inference = Inference([config], load, snapshots, Troubles(["a"], lambda: 0.0), Durations())
    inference.open()

    def hear(first: int, last: int) -> None:
        for time in range(first, last):
            readings = Readings({"flow": 1.0, "pressure": 1.0}, 1000.0 + time)
            inference.take(0, Arrival("rig", "a", readings, monotonic=50.0, wall=1000.0 + time))

    hear(0, 5)
    list(inference.turn(50.0))
    hear(5, 300)  # a backlog: read, but not scored

    assert inference.idle(0, 60.0) == ()
    list(inference.turn(60.0))
    assert inference.idle(0, 60.0) == ()
    assert [event.kind for event in inference.idle(0, 150.0)] == ["sensor"]


def test_a_stream_that_raises_is_left_out_and_the_others_lose_no_row(bench, caplog):
    bench.inference.open()
    bench.group.broken = {1}

    outcomes = bench.feed(1.0, 2.0, 3.0)

    assert [outcome.stream for outcome in outcomes] == [0, 2] * 3
    assert bench.inference.troubles.reason(1) == "ZeroDivisionError: float division by zero"
    assert bench.inference.troubles.reason(0) is None
    assert bench.inference.unscored[1] == 2
    assert caplog.text.count("stream b: out of order") == 1


def test_a_stream_whose_readings_cannot_be_aligned_is_left_out_and_tried_again(bench, monkeypatch):
    def broken(*_arguments: object) -> None:
        raise RecursionError("in the aligner")

    bench.inference.open()
    monkeypatch.setattr(bench.inference.stream(1).aligner, "add", broken)

    outcomes = bench.feed(1.0, 2.0)
    assert [outcome.stream for outcome in outcomes] == [0, 2] * 2
    assert bench.inference.troubles.reason(1) == "RecursionError: in the aligner"
    bench.now += RETRY_FIRST_S

    assert [outcome.stream for outcome in bench.feed(3.0)] == [0, 1, 2]


def test_a_stream_in_trouble_is_tried_again_from_its_state_and_with_growing_waits(bench):
    bench.inference.open()
    bench.feed(1.0)
    bench.inference.save(1)
    bench.group.broken = {1}
    bench.feed(2.0)

    bench.now += RETRY_FIRST_S - 0.1
    bench.feed(3.0)
    assert bench.inference.troubles.reason(1)
    bench.now += 0.2
    bench.feed(4.0)
    assert bench.inference.troubles.reason(1)
    bench.now += 1.5 * RETRY_FIRST_S
    bench.feed(5.0)
    assert bench.inference.troubles.reason(1)
    bench.now += RETRY_FIRST_S
    bench.group.broken = set()
    outcomes = bench.feed(6.0)

    assert bench.inference.troubles.reason(1) is None
    assert [outcome.stream for outcome in outcomes] == [0, 1, 2]
    assert bench.group.now == {1: {"stream": 1, "batches": 1, "open": {}}, **fresh(0, 2)}


def test_a_trouble_long_after_the_last_one_is_tried_again_as_soon_as_the_first(bench):
    bench.inference.open()
    for start in (0.0, 10.0, 20.0, 30.0):
        bench.group.broken = {1}
        bench.feed(start + 1.0, start + 2.0)
        assert bench.inference.troubles.reason(1)
        bench.group.broken = set()
        bench.now += RETRY_FIRST_S
        bench.feed(start + 3.0)

        assert bench.inference.troubles.reason(1) is None
        bench.now += 1000.0


def test_a_bundle_that_cannot_be_loaded_is_tried_again(bench, caplog):
    bench.failure = BundleError("models/pump: no such bundle")
    with pytest.raises(BundleError):
        bench.inference.open()
    assert bench.feed(1.0) == []
    assert [bench.inference.troubles.reason(number) for number in range(3)] == [
        "BundleError: models/pump: no such bundle"
    ] * 3

    bench.failure = None
    bench.now += RETRY_FIRST_S
    with caplog.at_level(logging.INFO):
        bench.feed(2.0)

    assert len(bench.feed(3.0)) == 3
    assert bench.inference.troubles.reason(0) is None
    assert "streams a, b, c: the bundle is loaded" in caplog.text


def test_state_is_restored_when_the_bundle_is_opened(tmp_path, bundle):
    first = Bench(tmp_path, bundle)
    first.inference.open()
    first.feed(1.0)
    first.inference.save(0)

    second = Bench(tmp_path, bundle)
    second.inference.open()

    assert second.group.now == {0: {"stream": 0, "batches": 1, "open": {}}, **fresh(1, 2)}


def test_state_that_the_detector_refuses_is_set_aside_and_the_stream_starts_afresh(tmp_path, bundle, caplog):
    first = Bench(tmp_path, bundle)
    first.inference.open()
    first.feed(1.0)
    first.inference.save(0)

    second = Bench(tmp_path, bundle)
    second.group.refuses = {"stream": 0, "batches": 1, "open": {}}
    second.inference.open()

    assert second.group.now == fresh(0, 1, 2)
    assert "stream a: state file is unusable (it is malformed)" in caplog.text
    assert second.inference.troubles.reason(0) is None


def test_state_is_saved_every_so_often_one_stream_at_a_time_and_only_of_those_with_rows(bench, tmp_path):
    bench.inference.open()
    bench.feed(1.0)
    bench.inference.rows[1] = 0
    bench.inference.save_due(bench.now + 599.0)
    assert not (tmp_path / "streams").exists()
    bench.now += 600.0

    saved = []
    for _ in range(3):
        bench.inference.save_due(bench.now)
        saved.append(sorted(file.name[0] for file in (tmp_path / "streams").iterdir()))

    assert saved == [["a"], ["a", "c"], ["a", "c"]]


def test_a_disk_that_refuses_is_reported_once_and_stops_nothing(bench, tmp_path, caplog):
    (tmp_path / "streams").write_text("a file where the folder should be")
    bench.inference.open()
    for time in (1.0, 2.0, 3.0):
        assert len(bench.feed(time)) == 3
        bench.inference.save(0)

    assert caplog.text.count("its state cannot be saved") == 1
