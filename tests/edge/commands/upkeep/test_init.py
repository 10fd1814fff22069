"""`offbeat-edge init`: whatever kind of source is named, what it writes is read by our own loader and runs."""

import argparse
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from edge.__main__ import build_parser, main
from edge.commands.upkeep.init import init
from edge.commands.upkeep.init_sources import KINDS
from edge.config.settings import load_config
from edge.detector.bundle.files import load_bundle
from edge.sources.opening import SOURCE_TYPES
from edge.sources.settings import MqttFormat, MqttSource
from tests.helpers.agent import Agent, as_csv, folder, rows, run

__all__ = ["folder", "run"]

BUNDLE = "tiny"


def line(folder: Path, *more: str) -> list[str]:
    config = ["--config", str(folder / "agent.toml"), "--device", "gw-1", "--state-dir", "state"]
    return ["init", *more, *config, "--bundle", str(folder / BUNDLE)]


def options(folder: Path, *more: str) -> argparse.Namespace:
    return build_parser().parse_args(line(folder, *more))


def test_every_type_and_format_of_source_has_a_kind(folder):
    kinds = {source.type for kind in KINDS for source in written(folder, kind).source}
    formats = {one.format for kind in KINDS for one in written(folder, kind).source if isinstance(one, MqttSource)}

    assert kinds == set(SOURCE_TYPES)
    assert formats == set(get_args(MqttFormat))


def written(folder: Path, *kinds: str):
    main([*line(folder, *kinds), "--replace"])
    return load_config(folder / "agent.toml")


@pytest.mark.parametrize("kind", KINDS)
def test_what_it_writes_runs_as_it_stands(folder, run, broker, kind, capsys):
    (folder / "recording.csv").write_text(as_csv(rows(1_770_000_000, 60)))
    main(line(folder, f"file={folder}/recording.csv" if kind == "file" else kind))
    assert "FAIL  config" not in capsys.readouterr().out
    text = (folder / "agent.toml").read_text()
    assert 'host = "localhost"' in text
    here = f'host = "127.0.0.1"\nport = {broker.port}'
    agent: Agent = run(text.replace('host = "localhost"', here, 1))

    agent.wait_ready()

    assert agent.process.poll() in (None, 0)
    assert (folder / "state").stat().st_mode & 0o777 == 0o700


def test_of_a_recording_everything_is_judged_without_another_word(folder, run, broker, listener):
    (folder / "recording.csv").write_text(as_csv(rows(1_770_000_000, 60)))
    main(line(folder, f"file={folder}/recording.csv"))
    text = (folder / "agent.toml").read_text().replace('"localhost"', f'"127.0.0.1"\nport = {broker.port}', 1)
    agent = run(text)

    assert agent.process.wait(30) == 0
    assert any(b'"anomaly":"OFF"' in said for said in listener.on("offbeat/gw-1/pump1/state"))


def test_several_kinds_are_a_source_and_a_stream_each(folder):
    config = written(folder, "zigbee2mqtt", "modbus=10.0.0.20", "serial=/dev/ttyACM0")

    assert [one.name for one in config.source] == ["zigbee2mqtt", "modbus", "serial"]
    assert [(one.id, one.board) for one in config.stream] == [
        ("pump1-zigbee2mqtt", "pump1"),
        ("pump1-modbus", "pump1-modbus"),
        ("pump1-serial", "pump1"),
    ]
    assert config.source[1].host == "10.0.0.20"
    assert {one.name for one in config.source[1].device[0].register} == set(load_bundle(folder / BUNDLE).channel_names)


def test_a_config_that_is_there_is_kept_without_a_word_from_somebody(folder, capsys):
    (folder / "agent.toml").write_text("mine")

    assert main(line(folder, "mqtt")) == 2
    assert "--replace" in capsys.readouterr().err
    assert init(options(folder, "mqtt"), ask=lambda _: "") == 2
    assert (folder / "agent.toml").read_text() == "mine"
    assert init(options(folder, "mqtt"), ask=lambda _: "y") in (0, 1)
    assert (folder / "agent.toml.before").read_text() == "mine"
    (folder / "agent.toml").write_text("mine, too")
    assert main([*line(folder, "mqtt"), "--replace"]) in (0, 1)
    assert (folder / "agent.toml.before").read_text() == "mine"
    assert (folder / "agent.toml.before-2").read_text() == "mine, too"


def test_without_a_terminal_nobody_is_asked(folder):
    (folder / "agent.toml").write_text("mine")
    command = [sys.executable, "-m", "edge", *line(folder, "mqtt")]

    done = subprocess.run(command, stdin=subprocess.PIPE, capture_output=True, timeout=60)

    assert done.returncode == 2
    assert b"[y/N]" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["modbsu"], "did you mean 'modbus'?"),
        (["mqtt", "--board", "a b"], "can be no stream's id"),
        (["mqtt", "--device", "a b"], "offbeat-edge: agent.toml: [device]: id is 'a b'"),
        (["mqtt=10.0.0.2"], "mqtt takes no place; --broker names the broker"),
        (["serial=/dev/ttyUSB0", "serial=/dev/ttyUSB1"], "serial is named twice"),
    ],
)
def test_what_cannot_be_is_named(folder, capsys, arguments, said):
    assert main([*line(folder), *arguments]) == 2
    assert said in capsys.readouterr().err
    assert not (folder / "agent.toml").exists()
