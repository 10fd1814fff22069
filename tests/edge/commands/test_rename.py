"""`offbeat-edge rename`: a stream with another name keeps what it learnt, and says nothing false under the old one."""

import json
from pathlib import Path

import pytest

from edge.__main__ import main
from edge.state.lock import StateLock
from tests.helpers.agent import (
    COMMISSIONED,
    LONGER,
    PUMP,
    as_csv,
    config,
    events,
    folder,
    health,
    run,
)
from tests.helpers.mosquitto import wait_for

__all__ = ["folder", "run"]

STDIN = '[[source]]\nname = "field"\ntype = "stdin"\ntime_format = "s"\nboard = "pump1"\n'
OLD = PUMP + f'board = "pump1"\ncalibrate_rows = {COMMISSIONED}\n'
NEW = OLD.replace('id = "pump1"', 'id = "pump9"')
HASH = "0123456789abcdef"


def renamed(folder: Path, old: str = "pump1", new: str = "pump9") -> int:
    return main(["rename", "--config", str(folder / "agent.toml"), old, new])


@pytest.fixture
def learnt(folder: Path) -> Path:
    """A state folder with what pump1 has learnt, and a config in which it is pump9."""
    (folder / "agent.toml").write_text(config(1883, STDIN, NEW))
    streams = folder / "state" / "streams"
    streams.mkdir(parents=True)
    body = {
        "version": 1,
        "stream": "pump1",
        "bundle": "x",
        "state": {"version": 1, "open": {"a": {}}, "normal": {"n": 1}},
    }
    (streams / f"pump1-{HASH}.json").write_text(json.dumps(body))
    (streams / f"pump1-{HASH}.rows").write_text("[1.0,true,[],[1,2]]\n")
    (streams / f"pump1-b-{HASH}.json").write_text("another stream's")
    return folder


def files(folder: Path) -> set[str]:
    return {path.name for path in (folder / "state" / "streams").iterdir()}


def test_a_renamed_stream_goes_on_with_its_calibration_and_its_old_name_is_taken_back(run, folder, broker, listener):
    agent = run(config(broker.port, STDIN, OLD))
    agent.send_lines(as_csv(LONGER[: COMMISSIONED + 15]).encode())
    wait_for(lambda: agent.said("new anomaly"), "an episode under the old name")
    assert agent.stop() == 0
    (folder / "agent.toml").write_text(config(broker.port, STDIN, NEW))

    assert renamed(folder) == 0

    again = run(config(broker.port, STDIN, NEW))
    again.send_lines(as_csv(LONGER[COMMISSIONED + 15 :]).encode())
    wait_for(lambda: [e for e in events(listener) if e["event_type"] == "end"], "the end under the old name")
    assert events(listener)[0]["event_type"] == "new"
    wait_for(lambda: health(listener)["streams"].get("pump9", {}).get("rows"), "rows under the new name")
    wait_for(lambda: listener.on("offbeat/gw-1/pump1/state")[-1] == b"", "the old topic to be cleared", 25.0)
    assert listener.on("offbeat/gw-1/pump1/availability")[-1] == b""
    assert again.stop() == 0
    assert again.log.read_text().count("commissioned") == 1, "not again"
    assert not list((folder / "state" / "streams").glob("pump1-*"))


def test_files_of_each_bundle_are_moved_without_what_was_open(learnt, capsys):
    assert renamed(learnt) == 0

    assert files(learnt) == {f"pump9-{HASH}.json", f"pump9-{HASH}.rows", f"pump1-b-{HASH}.json"}
    body = json.loads((learnt / "state" / "streams" / f"pump9-{HASH}.json").read_text())
    assert (body["stream"], body["state"]["open"], body["state"]["normal"]) == ("pump9", {}, {"n": 1})
    assert json.loads((learnt / "state" / "served.json").read_text())[0]["streams"] == ["pump1"]
    assert f"pump1-{HASH}.json is pump9-{HASH}.json now" in capsys.readouterr().out


def test_a_board_that_took_its_name_from_the_stream_is_pointed_out(learnt, capsys):
    (learnt / "agent.toml").write_text(config(1883, STDIN, NEW.replace('board = "pump1"\n', "")))

    assert renamed(learnt) == 0

    assert 'a board that keeps its name wants board = "pump1"' in capsys.readouterr().out


def test_an_agent_that_runs_is_left_alone(learnt, capsys):
    lock = StateLock(learnt / "state")
    lock.take()
    before = files(learnt)

    assert renamed(learnt) == 1

    assert "in use by another agent, process" in capsys.readouterr().err
    assert files(learnt) == before
    lock.release()
    assert renamed(learnt) == 0


def test_what_was_broken_off_is_gone_on_with(learnt):
    assert renamed(learnt) == 0
    new = learnt / "state" / "streams" / f"pump9-{HASH}.rows"
    (new.with_name(f"pump1-{HASH}.rows")).write_bytes(new.read_bytes())  # not yet removed when the plug was pulled

    assert renamed(learnt) == 0

    assert files(learnt) == {f"pump9-{HASH}.json", f"pump9-{HASH}.rows", f"pump1-b-{HASH}.json"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("pump1", "pump8", "no stream pump8; did you mean"),
        ("pump1", "pump1", "called so already"),
        ("pump9", "pump1", "still has a stream pump9"),
        ("pump2", "pump9", "no state of a stream 'pump2'"),
        ("../x", "pump9", "no stream's id"),
        ("pump1", "status", "no stream's id"),
        ("a\x1b[2J", "pump9", "no stream's id"),
    ],
)
def test_a_name_that_cannot_be_is_refused_and_nothing_moved(learnt, capsys, old, new, said):
    before = files(learnt)

    assert renamed(learnt, old, new) == 1

    error = capsys.readouterr().err
    assert said in error
    assert error.rstrip("\n").isprintable()
    assert files(learnt) == before


@pytest.mark.parametrize("content", ["{", "[]", "7", '{"version": 1}', '{"version": 99, "state": {}}'])
def test_a_state_file_that_cannot_be_read_is_named_and_nothing_moved(learnt, capsys, content):
    (learnt / "state" / "streams" / f"pump1-{HASH}.json").write_text(content)
    before = files(learnt)

    assert renamed(learnt) == 1

    assert f"pump1-{HASH}.json" in capsys.readouterr().err
    assert files(learnt) == before


def test_a_new_name_that_has_learnt_by_itself_is_not_overwritten(learnt, capsys):
    (learnt / "state" / "streams" / f"pump9-{HASH}.json").write_text("{}")

    assert renamed(learnt) == 1

    assert "is there already" in capsys.readouterr().err
    assert (learnt / "state" / "streams" / f"pump9-{HASH}.json").read_text() == "{}"


def test_without_a_state_folder_or_config_it_says_so(folder, capsys):
    assert renamed(folder) == 2
    (folder / "agent.toml").write_text(config(1883, STDIN, NEW))
    assert renamed(folder) == 1

    assert "there is no state folder" in capsys.readouterr().err
