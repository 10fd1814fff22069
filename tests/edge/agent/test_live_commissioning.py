"""A stream that commissions itself on the device: nobody waits for it, and a restart does not set it back."""

from pathlib import Path

import pytest

from edge.agent.inference import Inference
from edge.agent.loading import load_streams
from edge.agent.troubles import Troubles
from edge.config.settings import StreamConfig
from edge.delivery.figures import Durations
from edge.delivery.outbox import Outbox
from edge.detector.bundle.files import Bundle
from edge.detector.group import Outcome
from edge.sources.intake import Arrival
from edge.state.files import StateFiles
from edge.state.ledger import Ledger
from edge.state.snapshots import Snapshots
from edge.wire.readings import Readings
from tests.helpers.tiny_bundle import normal, write_tiny_bundle

OWN, OTHER = 0, 1
ROWS = 160


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Bundle:
    return write_tiny_bundle(tmp_path_factory.mktemp("bundles") / "tiny")


def inference(folder: Path, bundle: Bundle) -> Inference:
    """Two streams; the first commissions itself on `ROWS` rows."""
    plain = StreamConfig(id="other", source="rig", board="other", bundle=bundle.folder)
    configs = [StreamConfig(id="own", source="rig", board="own", bundle=bundle.folder, calibrate_rows=ROWS), plain]
    ids, ledger = [config.id for config in configs], Ledger(Outbox(folder / "outbox.db"))
    snapshots = Snapshots(StateFiles(folder / "streams"), ledger, ids, 600.0, lambda: 0.0)
    made = Inference(
        configs, lambda: load_streams(configs, "auto", live=()), snapshots, Troubles(ids, lambda: 0.0), Durations()
    )
    made.open()
    return made


def feed(one: Inference, start: int, count: int) -> list[Outcome]:
    """Normal readings for both streams, each second's scored before the next."""
    outcomes = []
    for time in range(start, start + count):
        for number in (OWN, OTHER):
            one.take(number, Arrival("rig", one.configs[number].id, Readings(normal(time), float(time)), 0.0, 0.0))
        for outcome in one.turn(0.0):
            one.follow(outcome)
            outcomes.append(outcome)
    return outcomes


def of(stream: int, outcomes: list[Outcome]) -> list[tuple[float, str]]:
    return [(outcome.time, outcome.anomaly) for outcome in outcomes if outcome.stream == stream]


def test_other_streams_go_on_while_one_commissions_itself_and_it_loses_no_row(tmp_path, bundle):
    one = inference(tmp_path, bundle)
    before = feed(one, 0, ROWS)
    assert one.under_way(OWN)

    meanwhile = feed(one, ROWS, 10)
    assert one.work(0.0), "there is more to do"
    while one.work(0.001):
        pass
    after = feed(one, ROWS + 10, 1)

    assert of(OWN, before) == [(float(time), "commissioning") for time in range(ROWS)]
    assert of(OTHER, meanwhile) == [(float(time), "OFF") for time in range(ROWS, ROWS + 10)]
    assert of(OWN, meanwhile) == []
    assert of(OWN, after) == [(float(time), "OFF") for time in range(ROWS, ROWS + 11)]
    assert not any(outcome.score != outcome.score for outcome in after if outcome.stream == OWN)


def test_commissioning_goes_on_after_a_restart_with_the_rows_that_were_saved(tmp_path, bundle):
    first = inference(tmp_path, bundle)
    feed(first, 0, ROWS - 5)
    first.save(OWN)

    second = inference(tmp_path, bundle)
    assert second.collected(OWN) == ROWS - 5
    feed(second, ROWS, 5)
    while second.work(1.0):
        pass

    assert not second.under_way(OWN)
    assert of(OWN, feed(second, ROWS + 5, 1)) == [(ROWS + 5.0, "OFF")]
    assert not list((tmp_path / "streams").glob("own-*.rows"))
    assert inference(tmp_path, bundle).loaded.group.calibration(OWN) is not None


def test_a_stream_whose_commissioning_raises_is_in_trouble_and_the_others_go_on(tmp_path, bundle, monkeypatch):
    one = inference(tmp_path, bundle)
    feed(one, 0, ROWS)

    def broken(_stream: int) -> None:
        raise ZeroDivisionError("in commissioning")

    monkeypatch.setattr(one.loaded.group, "go_on", broken)

    assert not one.work(1.0)
    assert one.troubles.reason(OWN) == "ZeroDivisionError: in commissioning"
    assert of(OTHER, feed(one, ROWS, 3)) == [(ROWS + 0.0, "OFF"), (ROWS + 1.0, "OFF"), (ROWS + 2.0, "OFF")]
