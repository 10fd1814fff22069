"""What earlier versions left on disk and on the wire is read by this one, or refused with a remedy."""

import json
import logging
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from attrs import evolve

from edge.agent.loading import Loaded, live_sources, load_streams
from edge.config.settings import Config, load_config
from edge.delivery.outbox import Outbox
from edge.detector.bundle.files import BundleError, load_bundle
from edge.detector.learn.commissioning import bundle_calibration
from edge.state.files import StateFiles
from edge.state.ledger import Ledger
from edge.state.snapshots import Snapshots
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
def own(config: Config) -> Loaded:
    """The streams of a version, all of them on calibrations of their own."""
    streams = [evolve(stream, calibrate_rows=stream.calibrate_rows or 900) for stream in config.stream]
    return load_streams(streams, "auto", live_sources(config.source))


@pytest.fixture
def outbox(kept: Path) -> Iterator[Outbox]:
    with closing(Outbox(kept / "state" / "outbox.db")) as opened:
        yield opened


def state_of(kept: Path, loaded: Loaded, number: int) -> dict:
    state = StateFiles(kept / "state" / "streams").load(loaded.group.streams[number].id, loaded.bundle.sha256)
    assert state is not None
    return state


def contents(folder: Path) -> list[bytes]:
    return sorted(path.read_bytes() for path in folder.glob("*.json*"))


def ids(open_: dict) -> set[str]:
    return {part["event"]["id"] for part in open_.values()}


def test_files_of_the_first_version_are_kept():
    assert "0.1.0" in [folder.name for folder in VERSIONS]


def test_a_kept_bundle_loads_and_its_models_run(kept, config):
    bundle = load_bundle(kept / "bundle")

    assert [variant.name for variant in bundle.variants] == ["float32", "dynamic", "int8"]
    for variant in bundle.variants:
        stream = evolve(config.stream[0], variant=variant.name)
        loaded = load_streams([stream], "auto", live_sources(config.source))
        assert loaded.variant.name == variant.name
        assert loaded.model.run(np.zeros((1, bundle.window, len(bundle.channels)), np.float32)).shape == (1, 10, 3)


def test_a_kept_calibration_is_refused_with_the_command_that_makes_it_anew(kept, config):
    bundle = load_bundle(kept / "bundle")

    for variant in bundle.variants:
        with pytest.raises(BundleError) as refused:
            bundle_calibration(bundle, variant)
        told = str(refused.value)
        assert "older version" in told
        assert f"`offbeat-train calibrate {bundle.folder} " in told
        assert "\n" not in told
    with pytest.raises(BundleError, match="offbeat-train calibrate"):
        load_streams(config.stream[:2], "auto", live_sources(config.source))


def test_a_kept_state_with_a_calibration_of_its_own_is_refused_and_changes_nothing(kept, own):
    files = contents(kept / "state" / "streams")
    before = own.group.snapshot(0)

    with pytest.raises(ValueError, match="older version"):
        own.group.restore(0, state_of(kept, own, 0))

    assert own.group.snapshot(0) == before
    assert contents(kept / "state" / "streams") == files


def test_a_stream_with_a_kept_calibration_commissions_itself_anew_and_says_why(kept, own, outbox, caplog):
    folder = kept / "state" / "streams"
    files = contents(folder)
    streams = [stream.id for stream in own.group.streams]
    snapshots = Snapshots(StateFiles(folder), Ledger(outbox), streams, 60.0, lambda: 0.0)
    snapshots.attach(own.group)

    with caplog.at_level(logging.WARNING):
        open_ = [snapshots.restore(number) for number in range(3)]

    assert open_ == [False, True, False]
    assert [own.group.calibration(number) for number in range(3)] == [None] * 3
    told = next(record.getMessage() for record in caplog.records if "pump1" in record.getMessage())
    assert "older version" in told
    assert contents(folder) == files, "set aside, and whole"


def test_kept_episodes_that_were_open_come_to_their_end(kept, own):
    state = state_of(kept, own, 1)
    own.group.restore(1, state)
    assert set(state["open"]) == {"", "min:flow"}

    ends = own.group.close(1, 1767688300.0)

    assert {event.id for event in ends} == ids(state["open"])
    assert {event.event_type for event in ends} == {"end"}


def test_kept_rows_of_a_commissioning_are_gone_on_with(kept, own):
    rows = StateFiles(kept / "state" / "streams").collected("pump3", own.bundle.sha256).load(3)

    own.group.restore(2, state_of(kept, own, 2))
    own.group.collect(2, rows)

    assert len(rows) > 1700
    assert len(own.group.collected(2)) == len(rows)


def test_a_kept_outbox_has_its_events_and_knows_what_is_open(kept, own, outbox):
    entries = outbox.pending(limit=100)
    open_ = Ledger(outbox).load("pump2", own.bundle.sha256)

    assert [entry.seq for entry in entries] == list(range(1, 21))
    assert {(entry.event.kind, entry.event.event_type) for entry in entries} == {
        ("rule", "new"), ("rule", "update"), ("rule", "end"), ("anomaly", "new"), ("anomaly", "update"),
    }  # fmt: skip
    assert open_ is not None
    assert ids(open_) == ids(state_of(kept, own, 1)["open"])
    assert (outbox.counts().unreadable, outbox.counts().set_aside) == (0, 0)


def test_kept_messages_decode_and_meet_the_schema(kept):
    lines = (kept / "messages.jsonl").read_text("utf-8").splitlines()

    assert [decode_message(line).seq for line in lines] == list(range(1, 21))
    for line in lines:
        jsonschema.validate(json.loads(line), event_schema())
