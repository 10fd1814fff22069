"""The command line: exit status, one line of error, no traceback."""

import argparse
import subprocess
import sys
from pathlib import Path

import paho.mqtt.client as paho
import pytest

from edge.__main__ import build_parser, main
from edge.commands.watch_options import watched
from edge.wire.broker import BrokerSettings
from edge.wire.events import Event, EventMessage, encode_message
from tests.helpers.mosquitto import wait_for
from tests.helpers.tiny_bundle import write_tiny_bundle

STREAM = '[[stream]]\nid = "pump1"\nbundle = "tiny"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_tiny_bundle(tmp_path / "tiny")
    return tmp_path


def config(
    folder: Path, broker: BrokerSettings | None = None, more: str = STREAM, source: str = 'type = "mqtt"'
) -> str:
    port = broker.port if broker else 1
    path = folder / "agent.toml"
    path.write_text(
        f'[device]\nid = "gw-1"\n[broker]\nhost = "127.0.0.1"\nport = {port}\n'
        f'[[source]]\nname = "field"\n{source}\n{more}'
    )
    return str(path)


def check(path: str, capsys) -> tuple[int, list[str]]:
    status = main(["check", "--config", path])
    return status, capsys.readouterr().out.splitlines()


def test_check_says_of_each_part_that_it_is_good(folder, broker, capsys):
    status, lines = check(config(folder, broker.settings), capsys)

    assert status == 0
    assert [line[:5] for line in lines] == ["ok   "] * 5
    assert "tiny, float32 in" in lines[2]
    assert "8 rows of flow, pressure" in lines[2]


def test_check_finds_every_fault_and_not_just_the_first(folder, capsys):
    (folder / "tiny" / "float32.tflite").write_bytes(b"changed")

    status, lines = check(config(folder), capsys)

    assert status == 2
    assert [line[:4] for line in lines] == ["ok  ", "ok  ", "FAIL", "FAIL", "FAIL"]
    assert "SHA-256" in lines[2]
    assert "refused" in lines[4]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (STREAM + "[stream.rules.flwo]\nmax = 1\n", "has no channel 'flwo'; did you mean 'flow'?"),
        (STREAM + 'variant = "int9"\n', "no variant 'int9'"),
        (STREAM + 'varient = "int8"\n', "unknown key 'varient'; did you mean 'variant'?"),
    ],
)
def test_check_and_run_say_the_same_one_line(folder, capsys, more, said):
    path = config(folder, more=more)

    status, lines = check(path, capsys)
    run_status = main(["run", "--config", path])

    assert status == run_status == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("offbeat-edge: ")
    assert said in line
    assert any(said in found for found in lines if found.startswith("FAIL"))


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ('type = "file"\npath = "tape.csv"', "there is no file"),
        ('type = "serial"\nport = "/dev/ttyNOTHERE"', "is not there"),
        ('type = "mqtt"\n[source.broker]\nport = 1', "refused"),
    ],
)
def test_check_looks_at_the_sources(folder, broker, capsys, source, said):
    status, lines = check(config(folder, broker.settings, source=source), capsys)

    assert status == 2
    assert [said in line for line in lines if line.startswith("FAIL")] == [True]


def test_check_logs_in(folder, make_broker, capsys):
    passwords = folder / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(passwords), "joe", "right"], check=True)
    broker = make_broker(("allow_anonymous false", f"password_file {passwords}")).start()
    path = Path(config(folder, broker.settings))
    path.chmod(0o600)  # it holds a password
    text = path.read_text()

    path.write_text(text.replace("[broker]\n", '[broker]\nusername = "joe"\npassword = "wrong"\n'))
    status, lines = check(str(path), capsys)
    assert status == 2
    assert "Not authorized" in lines[-1]
    assert "wrong" not in "".join(lines)

    path.write_text(text.replace("[broker]\n", '[broker]\nusername = "joe"\npassword = "right"\n'))
    status, lines = check(str(path), capsys)
    assert status == 0
    assert lines[-1].startswith(f"ok    broker: 127.0.0.1:{broker.port} greets as joe, MQTT 5")


def test_check_does_not_throw_out_an_agent_that_runs(folder, broker, listener, capsys):
    path = config(folder, broker.settings)
    agent = subprocess.Popen(
        [sys.executable, "-m", "edge", "run", "--config", path],
        cwd=Path(__file__).parents[3],
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: listener.on("offbeat/gw-1/status"), "the agent")

        assert check(path, capsys)[0] == 0

        assert listener.on("offbeat/gw-1/status") == [b"online"]
    finally:
        agent.terminate()
        agent.wait(15)


def test_a_config_that_is_not_there_ends_run_with_2_and_no_traceback(tmp_path):
    line = [sys.executable, "-m", "edge", "run", "--config", str(tmp_path / "none.toml")]

    done = subprocess.run(line, capture_output=True, text=True, cwd=Path(__file__).parents[3], check=False)

    assert done.returncode == 2
    assert done.stderr == f"offbeat-edge: {tmp_path}/none.toml: cannot read it: No such file or directory\n"


def options(*arguments: str) -> argparse.Namespace:
    return build_parser().parse_args(["watch", *arguments])


def test_watch_looks_at_all_devices_of_the_local_broker_unless_told_otherwise():
    assert watched(options()) == (BrokerSettings(), "offbeat", "+")


def test_watch_takes_broker_and_device_of_a_config_but_never_its_client_id(tmp_path):
    path = Path(config(tmp_path))
    path.write_text(path.read_text().replace("[broker]\n", '[broker]\nclient_id = "agent"\n'))

    broker, _, device = watched(options("--config", str(path), "--host", "other"))

    assert broker == BrokerSettings(host="other", port=1)
    assert device == "gw-1"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--device", "a/b"),
        ("--port", "0"),
        ("--password-file", "none"),
        ("--config", "none.toml"),
        ("--ca", "none", "--host", "127.0.0.1"),
    ],
)
def test_watch_says_in_one_line_what_it_cannot_use(arguments, capsys):
    assert main(["watch", *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("offbeat-edge: ")


def test_watch_shows_an_alert_and_ends_on_sigterm(broker):
    line = [sys.executable, "-m", "edge", "watch", "--host", "127.0.0.1", "--port", str(broker.port), "--json"]
    event = Event("new", "e1", "pump1", "anomaly", 1.0, None, 1.0, 1.7, 1.7, "warning", None)
    payload = encode_message(EventMessage(event, "gw-1", "log", 1))
    with subprocess.Popen(line, cwd=Path(__file__).parents[3], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as watch:
        try:
            assert watch.stderr.readline().startswith(b"watching ")
            wait_for(lambda: "watch" in broker.log() and "SUBSCRIBE" in broker.log(), "the subscription")
            sender = paho.Client(paho.CallbackAPIVersion.VERSION2)
            sender.connect("127.0.0.1", broker.port)
            sender.loop_start()
            sender.publish("offbeat/gw-1/pump1/event", payload, qos=1).wait_for_publish(10)
            assert watch.stdout.readline().rstrip() == payload
            sender.loop_stop()
        finally:
            watch.terminate()
        assert watch.wait(10) == 0
