"""What comes back of a stream when one of the places that keep it is old, unreadable or wrong."""

from pathlib import Path

import numpy as np
import pytest

from edge.agent.loading import load_streams
from edge.config.settings import StreamConfig
from edge.delivery.outbox import Outbox
from edge.detector.bundle.files import Bundle
from edge.detector.group import StreamGroup
from edge.detector.rows.row import Row
from edge.state.files import StateFiles
from edge.state.ledger import Ledger
from edge.state.snapshots import Snapshots
from tests.helpers.tiny_bundle import normal, write_tiny_bundle


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Bundle:
    return write_tiny_bundle(tmp_path_factory.mktemp("bundles") / "tiny")


class Device:
    """One stream with its state folder; made anew it is the same device after a restart."""

    def __init__(self, folder: Path, bundle: Bundle) -> None:
        config = StreamConfig(id="p1", source="rig", board="p1", bundle=bundle.folder)
        self.group: StreamGroup = load_streams([config], "auto", live=()).group
        self.files, self.outbox = StateFiles(folder / "streams"), Outbox(folder / "outbox.db")
        self.ledger, self.sha256 = Ledger(self.outbox), bundle.sha256
        self.snapshots = Snapshots(self.files, self.ledger, ["p1"], 600.0, lambda: 0.0)
        self.snapshots.attach(self.group)
        self.open = self.snapshots.restore(0)

    def play(self, start: int, count: int, fault: float = 0.0) -> None:
        """Rows of one second each, their events committed."""
        for time in range(start, start + count):
            values = [value + fault * (name == "flow") for name, value in normal(time).items()]
            for outcome in self.group.process([(0, Row(float(time), np.array(values), time == 0))]):
                if outcome.events:
                    self.snapshots.commit(0, outcome.events)

    @property
    def said(self) -> list[str]:
        return [event.event_type for event in self.outbox.events() if event.event_type != "update"]


@pytest.fixture
def before(tmp_path: Path, bundle: Bundle) -> Device:
    """In an episode, saved and closed."""
    device = Device(tmp_path, bundle)
    device.play(0, 40)
    device.play(40, 20, fault=6.0)
    device.snapshots.save(0)
    assert device.said == ["new"]
    device.outbox.close()
    return device


def test_an_episode_and_the_baseline_go_on(tmp_path, bundle, before):
    again = Device(tmp_path, bundle)

    assert again.open
    assert again.group.snapshot(0) == before.group.snapshot(0)
    assert again.said == ["new"]


def test_the_episode_goes_on_where_the_state_file_is_unreadable(tmp_path, bundle, before):
    (file,) = (tmp_path / "streams").glob("*.json")
    file.write_bytes(b"{")

    again = Device(tmp_path, bundle)

    assert again.group.snapshot(0)["open"] == before.group.snapshot(0)["open"]
    assert again.said == ["new"]


def test_the_copy_in_the_state_file_counts_where_the_outbox_is_lost(tmp_path, bundle, before):
    for file in tmp_path.glob("outbox.db*"):
        file.unlink()

    again = Device(tmp_path, bundle)

    assert again.group.snapshot(0) == before.group.snapshot(0)
    again.play(60, 200)
    assert again.said == ["end"]


@pytest.mark.usefixtures("before")
def test_an_episode_that_ended_after_the_state_file_was_written_is_not_opened_again(tmp_path, bundle):
    after = Device(tmp_path, bundle)
    after.play(60, 200)
    assert after.said == ["new", "end"]
    after.outbox.close()

    assert not Device(tmp_path, bundle).open


def test_episodes_that_the_detector_refuses_are_ended_and_the_rest_comes_back(tmp_path, bundle, before):
    kept = before.group.snapshot(0)
    wrong = {"": {**kept["open"][""], "said_at": "soon"}}
    before.ledger.commit("p1", bundle.sha256, (), wrong)
    before.outbox.close()

    again = Device(tmp_path, bundle)

    assert not again.open
    assert again.group.snapshot(0) == {**kept, "open": {}}
    assert again.said == ["new", "end"]
