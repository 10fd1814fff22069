"""`offbeat-edge status` and `recalibrate`, beside an agent that is a process of its own, and through a real broker."""

import json
import sqlite3
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import jsonschema
import pytest

from edge.__main__ import main
from tests.helpers.agent import (
    COMMISSIONED,
    EPISODE,
    MQTT,
    PUMP,
    Agent,
    as_csv,
    board,
    config,
    events,
    folder,
    rows,
    run,
)
from tests.helpers.mosquitto import Broker, Listener, wait_for

__all__ = ["folder", "run"]

STDIN = '[[source]]\nname = "pipe"\ntype = "stdin"\ntime_format = "s"\nboard = "pump1"\n'
ON_STDIN = PUMP.replace('source = "field"', 'source = "pipe"') + "max_future_s = inf\n"
OWN = ON_STDIN + f"calibrate_rows = {COMMISSIONED}\n"
ALLOWED = '[requests]\nallow = ["status", "health", "recalibrate"]\n'
SCHEMA = json.loads(resources.files("edge.wire").joinpath("schemas/status.schema.json").read_text("utf-8"))


def unwritable(text: str) -> str:
    """The config, with a state folder that nobody can make, root neither, as on a disk that takes nothing."""
    return text.replace("[device]", '[device]\nstate_dir = "/proc/1/offbeat"')


def command(folder: Path, name: str, *more: str) -> int:
    return main([name, *more, "--config", str(folder / "agent.toml")])


def asked(folder: Path, capsys, *more: str) -> tuple[int, dict]:
    """Exit status and body of `status --json`."""
    capsys.readouterr()
    code = command(folder, "status", "--json", *more)
    body = json.loads(capsys.readouterr().out)
    jsonschema.validate(body, SCHEMA)
    return code, body


def stream_of(folder: Path, capsys) -> dict:
    return asked(folder, capsys)[1]["streams"]["pump1"]


def fed(agent: Agent, readings, head: bool = True) -> None:
    lines = as_csv(readings)
    agent.send_lines((lines if head else lines.split("\n", 1)[1]).encode())


def test_a_running_agent_says_what_it_runs_without_a_broker(folder, run, capsys):
    agent = run(config(1, STDIN, ON_STDIN))
    agent.wait_ready()
    fed(agent, EPISODE)
    wait_for(lambda: stream_of(folder, capsys)["rows"] == len(EPISODE), "the rows")

    code, body = asked(folder, capsys)

    assert code == 1, "the broker is away"
    assert body["running"] is True
    assert body["pid"] == agent.process.pid
    assert body["bundles"][0]["name"] == "tiny"
    assert len(body["bundles"][0]["sha256"]) == 64
    assert body["outbox"]["pending"] >= 2
    assert 1100 <= body["outbox"]["oldest"] <= 1130
    assert (body["broker"]["connected"], body["broker"]["contact"]) == (False, None)
    assert any("no connection to 127.0.0.1:1" in line for line in body["troubles"])


def test_an_open_episode_is_listed(folder, run, capsys):
    agent = run(config(1, STDIN, ON_STDIN))
    agent.wait_ready()
    fed(agent, rows(1000, 120, fault=range(1100, 1120)))
    wait_for(lambda: stream_of(folder, capsys)["rows"] == 120, "the rows")

    (episode,) = stream_of(folder, capsys)["open"]
    assert (episode["kind"], episode["severity"]) in [("anomaly", "warning"), ("anomaly", "critical")]
    command(folder, "status")
    said = capsys.readouterr().out
    assert f"{episode['severity']} anomaly {episode['id']} since" in said
    assert "gw-1: runs since" in said
    assert "outbox: " in said


def test_a_silent_board_is_named_and_since_when(folder, run, broker, capsys):
    agent = run(config(broker.port, MQTT, PUMP + "offline_after_s = 1\n"))
    agent.wait_ready()
    wait_for(lambda: asked(folder, capsys)[1]["broker"]["connected"], "the broker")

    body = wait_for(
        lambda: (found := asked(folder, capsys)[1])["streams"]["pump1"]["status"] == "silent" and found, "silence"
    )

    assert body["broker"]["contact"] <= body["time"]
    assert body["streams"]["pump1"]["since"] >= body["started"] - 1
    assert "no reading of board pump1" in " ".join(body["troubles"])


def test_one_that_does_not_run_is_said_to_be_so_with_what_it_left(folder, run, capsys):
    agent = run(config(1, STDIN, ON_STDIN))
    agent.wait_ready()
    fed(agent, rows(1000, 120, fault=range(1100, 1120)))
    wait_for(lambda: stream_of(folder, capsys)["open"], "an episode")
    agent.process.kill()
    agent.process.wait(10)

    code, body = asked(folder, capsys)

    assert code == 3
    assert body["running"] is False
    assert body["outbox"]["pending"] >= 1
    assert len(body["streams"]["pump1"]["open"]) == 1
    command(folder, "status")
    assert "gw-1: not running" in capsys.readouterr().out


def test_where_nothing_has_run_yet_it_does_not_run(folder, capsys):
    (folder / "agent.toml").write_text(config(1, MQTT, PUMP))

    code, body = asked(folder, capsys)

    assert (code, body["outbox"]["pending"]) == (3, 0)
    assert not (folder / "state").exists(), "to look changes nothing"


def test_a_damaged_outbox_is_named(folder, capsys):
    (folder / "agent.toml").write_text(config(1, MQTT, PUMP))
    (folder / "state").mkdir()
    (folder / "state" / "outbox.db").write_bytes(b"no database" * 1000)

    code, body = asked(folder, capsys)

    assert (code, body["outbox"]["pending"]) == (3, None)
    assert "cannot be read" in " ".join(body["troubles"])


def test_a_state_folder_with_a_long_path_can_be_asked_too(folder, run, capsys):
    deep = "/".join(["a" * 60] * 4)
    agent = run(config(1, STDIN, ON_STDIN).replace("health_every_s", f'state_dir = "{deep}"\nhealth_every_s'))
    agent.wait_ready()

    assert asked(folder, capsys)[1]["pid"] == agent.process.pid


def test_on_a_disk_that_takes_nothing_the_broker_tells_whether_it_runs(folder, broker, capsys, run):
    agent = run(unwritable(config(broker.port, MQTT, PUMP)))
    wait_for(lambda: agent.said("connected to"), "the agent")

    code, body = asked(folder, capsys)

    assert (code, body["running"]) == (1, True)
    assert "cannot be written to" in body["troubles"][0]


def test_on_a_disk_that_takes_nothing_and_without_a_broker_nothing_is_claimed(folder, capsys):
    (folder / "agent.toml").write_text(unwritable(config(1, MQTT, PUMP)))

    code, body = asked(folder, capsys)

    assert (code, body["running"]) == (4, None)


def test_a_device_elsewhere_answers_through_the_broker(folder, run, broker, capsys):
    agent = run(ALLOWED + config(broker.port, STDIN, ON_STDIN))
    agent.wait_ready()
    wait_for(lambda: "request/+" in broker.log(), "the subscription")
    wait_for(lambda: asked(folder, capsys)[1]["broker"]["connected"], "the broker")

    code, body = asked(folder, capsys, "--device", "gw-1")

    assert body["pid"] == agent.process.pid
    assert code in (0, 1)


def test_of_one_that_allows_no_request_the_retained_topics_are_told(folder, run, broker, capsys):
    agent = run(config(broker.port, STDIN, ON_STDIN))
    agent.wait_ready()
    wait_for(lambda: asked(folder, capsys)[1]["broker"]["connected"], "the broker")
    wait_for(lambda: asked(folder, capsys, "--device", "gw-1")[1]["streams"], "the retained topics")

    code, body = asked(folder, capsys, "--device", "gw-1")

    assert (code, body["running"]) == (1, True)
    assert body["bundles"][0]["name"] == "tiny"
    assert "does not allow" in " ".join(body["troubles"])


def test_a_device_that_left_is_not_running_and_one_never_heard_of_is_unknown(folder, run, broker, capsys):
    agent = run(config(broker.port, STDIN, ON_STDIN))
    agent.wait_ready()
    wait_for(lambda: asked(folder, capsys)[1]["broker"]["connected"], "the broker")
    assert agent.stop() == 0

    assert asked(folder, capsys, "--device", "gw-1")[0] == 3
    assert asked(folder, capsys, "--device", "gw-9")[0] == 4
    broker.stop()
    assert asked(folder, capsys, "--device", "gw-1")[0] == 4


def commissioned(folder: Path, run: Callable[..., Agent], port: int, capsys) -> Agent:
    agent = run(ALLOWED + config(port, STDIN, OWN))
    agent.wait_ready()
    fed(agent, rows(1000, COMMISSIONED + 10))
    wait_for(lambda: stream_of(folder, capsys)["wanted"] is None, "the commissioning")
    return agent


def test_recalibrated_by_command_the_stream_collects_rows_anew_and_undo_takes_it_back(folder, run, capsys):
    agent = commissioned(folder, run, 1, capsys)

    assert command(folder, "recalibrate", "pump1", "--by", "ann") == 0

    assert "commissions itself anew on 160 rows" in capsys.readouterr().out
    fed(agent, rows(1000 + COMMISSIONED + 10, 20), head=False)
    wait_for(lambda: stream_of(folder, capsys)["collected"] == 20, "the rows")
    assert agent.said("request recalibrate stream=pump1 undo=False by ann: taken, from this machine")
    assert command(folder, "recalibrate", "pump1", "--undo") == 0
    assert stream_of(folder, capsys)["wanted"] is None
    assert command(folder, "recalibrate", "pump1", "--undo") == 1
    assert "nothing is kept" in capsys.readouterr().err


def test_recalibrated_while_the_agent_is_stopped_the_next_start_commissions_anew(folder, run, capsys):
    agent = commissioned(folder, run, 1, capsys)
    assert agent.stop() == 0

    assert command(folder, "recalibrate", "pump1") == 0

    assert asked(folder, capsys)[1]["streams"]["pump1"]["why"] == "to be recalibrated at the next start"
    run(ALLOWED + config(1, STDIN, OWN))
    wait_for(lambda: stream_of(folder, capsys).get("wanted") == COMMISSIONED, "the next start to commission anew")


def test_a_stranger_stream_and_a_folder_without_state_are_named(folder, capsys):
    (folder / "agent.toml").write_text(config(1, MQTT, PUMP))

    assert command(folder, "recalibrate", "pump9") == 2
    assert command(folder, "recalibrate", "pump1") == 1
    assert "no state folder" in capsys.readouterr().err


def test_while_it_commissions_anew_nothing_is_said_to_be_calm(folder, run, broker: Broker, listener: Listener, capsys):
    agent = commissioned(folder, run, broker.port, capsys)
    last = 1000 + COMMISSIONED + 10
    fed(agent, rows(last, 40, fault=range(last + 20, last + 40)), head=False)
    wait_for(lambda: events(listener), "an event")

    assert command(folder, "recalibrate", "pump1") == 0

    fed(agent, rows(last + 40, 30), head=False)
    wait_for(lambda: stream_of(folder, capsys)["collected"] == 30, "the rows")
    found = wait_for(lambda: [one for one in events(listener) if one["event_type"] == "end"], "the end")
    assert [one["ended_by"] for one in found] == ["recalibrated"]
    topic = "offbeat/gw-1/pump1/state"
    wait_for(lambda: json.loads(listener.on(topic)[-1])["anomaly"] == "commissioning", "the state")
    said = [json.loads(payload)["anomaly"] for payload in listener.on(topic)]
    assert "OFF" not in said[said.index("ON") :]


@pytest.mark.parametrize("name", ["status", "health"])
def test_a_request_that_only_looks_is_answered(run, broker, listener, name):
    agent = run(ALLOWED + config(broker.port, STDIN, ON_STDIN))
    agent.wait_ready()
    wait_for(lambda: "request/+" in broker.log(), "the subscription")

    with board(broker) as publish:
        publish(f"offbeat/gw-1/request/{name}", b'{"transaction": 5}')

    (answer,) = wait_for(lambda: listener.on(f"offbeat/gw-1/response/{name}"), "the answer")
    body = json.loads(answer)
    assert (body["status"], body["transaction"]) == ("ok", 5)
    assert body["data"]["streams"]["pump1"]["rows"] == 0


def test_looking_at_an_outbox_leaves_it_as_it_is(folder, run, capsys):
    agent = run(config(1, STDIN, ON_STDIN))
    agent.wait_ready()
    assert agent.stop() == 0
    before = (folder / "state" / "outbox.db").read_bytes()

    asked(folder, capsys)

    assert (folder / "state" / "outbox.db").read_bytes() == before
    with sqlite3.connect(folder / "state" / "outbox.db") as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
