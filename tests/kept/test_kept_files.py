"""What earlier versions left on disk and on the wire is read by this one."""

import json
import logging
import shutil
from contextlib import closing
from pathlib import Path

import jsonschema
import pytest
from attrs import evolve

from edge.config import Config, load_config
from edge.delivery.outbox import Outbox
from edge.detector.bundle import load_bundle
from edge.ledger import Ledger
from edge.loading import Loaded, live_sources, load_streams
from edge.state_files import StateFiles
from edge.wire.events import decode_message, event_schema

VERSIONS = sorted(path.parent for path in Path(__file__).parent.glob("*/agent.toml"))


@pytest.fixture(params=VERSIONS, ids=lambda folder: folder.name)
def kept(request, tmp_path: Path) -> Path:
    """A copy of a version's files, which may be written to."""
    return Path(shutil.copytree(request.param, tmp_path / "kept"))


@pytest.fixture
def config(kept: Path) -> Config:
    return load_config(kept / "agent.toml")


@pytest.fixture
def loaded(config: Config) -> Loaded:
    return load_streams(config.stream, "auto", live_sources(config.source))


def state_of(kept: Path, loaded: Loaded, number: int) -> dict:
    state = StateFiles(kept / "state" / "streams").load(loaded.group.streams[number].id, loaded.bundle.sha256)
    assert state is not None
    return state


def ids(open_: dict) -> set[str]:
    return {part["event"]["id"] for part in open_.values()}


def test_files_of_the_first_version_are_kept():
    assert "0.1.0" in [folder.name for folder in VERSIONS]


def test_every_variant_of_a_kept_bundle_loads(kept, config):
    bundle = load_bundle(kept / "bundle")

    assert [variant.name for variant in bundle.variants] == ["float32", "dynamic", "int8"]
    for variant in bundle.variants:
        stream = evolve(config.stream[1], variant=variant.name)
        loaded = load_streams([stream], "auto", live_sources(config.source))
        assert loaded.group.calibration(0) is not None


def test_kept_state_restores_with_its_calibration_and_its_open_episodes(kept, loaded, caplog):
    open_ = []
    with caplog.at_level(logging.WARNING):
        for number in range(3):
            state = state_of(kept, loaded, number)
            loaded.group.restore(number, state)
            again = loaded.group.snapshot(number)
            assert ids(again["open"]) == ids(state["open"])
            open_.append({key: part["event"]["kind"] for key, part in state["open"].items()})

    assert open_ == [{}, {"": "anomaly", "min:flow": "rule"}, {}]
    assert [loaded.group.calibration(number) is not None for number in range(3)] == [True, True, False]
    assert loaded.group.snapshot(0)["calibration"] is not None, "its own"
    assert not caplog.records
    assert not list(kept.rglob("*.damaged*"))


def test_kept_episodes_that_were_open_come_to_their_end(kept, loaded):
    state = state_of(kept, loaded, 1)
    loaded.group.restore(1, state)

    ends = loaded.group.close(1, 1767688300.0)

    assert {event.id for event in ends} == ids(state["open"])
    assert {event.event_type for event in ends} == {"end"}


def test_kept_rows_of_a_commissioning_are_gone_on_with(kept, loaded):
    rows = StateFiles(kept / "state" / "streams").collected("pump3", loaded.bundle.sha256).load(3)

    loaded.group.restore(2, state_of(kept, loaded, 2))
    loaded.group.collect(2, rows)

    assert len(rows) > 1700
    assert len(loaded.group.collected(2)) == len(rows)


def test_a_kept_outbox_has_its_events_and_knows_what_is_open(kept, loaded):
    with closing(Outbox(kept / "state" / "outbox.db")) as outbox:
        entries = outbox.pending(limit=100)
        open_ = Ledger(outbox).load("pump2", loaded.bundle.sha256)

        assert [entry.seq for entry in entries] == list(range(1, 21))
        assert {(entry.event.kind, entry.event.event_type) for entry in entries} == {
            ("rule", "new"), ("rule", "update"), ("rule", "end"), ("anomaly", "new"), ("anomaly", "update"),
        }  # fmt: skip
        assert open_ is not None
        assert ids(open_) == ids(state_of(kept, loaded, 1)["open"])
        assert (outbox.counts().unreadable, outbox.counts().set_aside) == (0, 0)


def test_kept_messages_decode_and_meet_the_schema(kept):
    lines = (kept / "messages.jsonl").read_text("utf-8").splitlines()

    assert [decode_message(line).seq for line in lines] == list(range(1, 21))
    for line in lines:
        jsonschema.validate(json.loads(line), event_schema())
