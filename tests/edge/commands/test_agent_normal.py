"""The request `normal` and its command, over a real broker, to an agent that is a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.__main__ import main
from edge.agent.feedback import Feedback
from edge.delivery.requests import RequestError
from tests.helpers.agent import EPISODE, MQTT, PUMP, Agent, as_csv, board, config, events, folder, health, rows, run
from tests.helpers.mosquitto import Broker, Listener, wait_for

__all__ = ["folder", "run"]

STDIN = '[[source]]\nname = "pipe"\ntype = "stdin"\ntime_format = "s"\nboard = "pump1"\n'
ON_STDIN = PUMP.replace('source = "field"', 'source = "pipe"') + "max_future_s = inf\n"
ALLOWED = '[requests]\nallow = ["normal"]\n'


@pytest.fixture
def served(broker: Broker, listener: Listener, run: Callable[..., Agent]) -> Agent:
    """An agent that has told one episode, from its `new` to its `end`."""
    agent = run(ALLOWED + config(broker.port, STDIN, ON_STDIN))
    agent.wait_ready()
    wait_for(lambda: "request/+" in broker.log(), "the subscription")
    agent.send_lines(as_csv(EPISODE).encode())
    wait_for(lambda: [event for event in events(listener) if event["event_type"] == "end"], "the end")
    return agent


def request(broker: Broker, listener: Listener, body: dict) -> dict:
    before = len(listener.on("offbeat/gw-1/response/normal"))
    with board(broker) as publish:
        publish("offbeat/gw-1/request/normal", json.dumps(body).encode())
    wait_for(lambda: len(listener.on("offbeat/gw-1/response/normal")) > before, "an answer")
    return json.loads(listener.on("offbeat/gw-1/response/normal")[-1])


def normal(agent: Agent, *options: str) -> int:
    return main(["normal", "--config", str(agent.folder / "agent.toml"), *options])


def test_what_was_called_normal_alerts_no_more_and_survives_a_restart(broker, listener, run, served):
    event_id = events(listener)[0]["id"]

    answer = request(broker, listener, {"event_id": event_id, "by": "ann", "transaction": 7})

    assert answer == {
        "status": "ok",
        "data": {"stream": "pump1", "event_id": event_id, "patterns": 1},
        "transaction": 7,
    }
    served.send_lines(as_csv(rows(1200, 300, fault=range(1300, 1330))).split("\n", 1)[1].encode())
    wait_for(lambda: health(listener)["streams"]["pump1"]["rows"] == 500, "the rows to be scored")
    assert health(listener)["streams"]["pump1"]["normal"] == 1
    assert served.stop() == 0
    again = run(ALLOWED + config(broker.port, STDIN, ON_STDIN))
    again.wait_ready()
    again.send_lines(as_csv(rows(1500, 300, fault=range(1600, 1630))).encode())
    wait_for(lambda: health(listener)["streams"]["pump1"]["rows"] == 300, "the rows to be scored")
    assert {event["id"] for event in events(listener)} == {event_id}


@pytest.mark.usefixtures("served")
def test_an_error_names_what_is_known(broker, listener):
    event_id = events(listener)[0]["id"]

    answer = request(broker, listener, {"event_id": "stranger", "transaction": 1})

    assert answer["status"] == "error"
    assert f"known are pump1: {event_id}" in answer["message"]


def test_what_is_not_allowed_is_not_answered(broker, run, capsys):
    agent = run('[requests]\nallow = ["replay"]\n' + config(broker.port, MQTT, PUMP))
    agent.wait_ready()
    wait_for(lambda: "request/+" in broker.log(), "the subscription")

    assert normal(agent, "--list") == 2

    assert '[requests] allow = ["replay", "normal"]' in capsys.readouterr().err
    assert "request/normal" not in broker.log()


def test_the_command_lists_says_and_revokes(listener, served, capsys):
    event_id = events(listener)[0]["id"]

    assert normal(served, "--list") == 0
    assert capsys.readouterr().out == f"pump1: {event_id} could be\n"
    assert normal(served, event_id, "--by", "ann") == 0
    assert capsys.readouterr().out == f"pump1: {event_id}; 1 patterns are called normal\n"
    assert normal(served, "--list") == 0
    assert capsys.readouterr().out == f"pump1: {event_id} is called normal by ann\n"
    assert normal(served, "--revoke", event_id) == 0
    capsys.readouterr()
    assert normal(served, "--revoke", event_id) == 1
    assert "is not called normal" in capsys.readouterr().err


def test_a_config_or_broker_that_is_no_good_is_one_line_and_exit_2(tmp_path: Path, capsys):
    file = tmp_path / "agent.toml"
    file.write_text(ALLOWED + config(1, MQTT, PUMP))

    assert main(["normal", "--config", str(file), "--list"]) == 2

    assert len(capsys.readouterr().err.splitlines()) == 1


def test_the_command_wants_one_thing():
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3])}
    for options in ([], ["e1", "--list"], ["--revoke", "e1", "--list"]):
        line = [sys.executable, "-m", "edge", "normal", "--config", "agent.toml", *options]
        assert subprocess.run(line, env=environment, capture_output=True, check=False).returncode == 2


@pytest.mark.parametrize(
    "fields",
    [{}, {"list": False}, {"event_id": 3}, {"event_id": ""}, {"event_id": "a", "revoke": "b"}, {"revoke": 1}],
)
def test_a_request_that_is_none_says_what_is_wanted(fields):
    feedback = Served(streams=())

    with pytest.raises(RequestError, match="wants one of"):
        feedback.ask(fields)


def test_a_name_has_an_end():
    with pytest.raises(RequestError, match="at most 200"):
        Served(streams=()).ask({"event_id": "e", "by": "x" * 201})


def test_an_agent_that_does_not_answer_is_named():
    with pytest.raises(RequestError, match="did not answer in time"):
        Feedback(wait_s=0.0).ask({"list": True}).result()


class Served:
    """A feedback that is served as soon as it is asked."""

    def __init__(self, streams) -> None:
        self._streams = streams

    def ask(self, fields):
        feedback = Feedback()
        asked = feedback.ask(fields)
        feedback.serve(self._streams)
        return asked.result()
