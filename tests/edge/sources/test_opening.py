"""Every type of source opens from a table of agent.toml, answers `probe`, starts and stops."""

import os
import pty
from pathlib import Path

import pytest
from attrs import frozen

from edge.config.structure import structure
from edge.sources.intake import Intake
from edge.sources.opening import SOURCE_TYPES
from edge.sources.settings import Reader, SourceError, SourceSettings, Surroundings
from edge.wire.broker import BrokerSettings
from tests.helpers.modbus import Unit, free_port, tcp_server

GOOD = {
    "mqtt": {},
    "serial": {"port": "{port}"},
    "file": {"path": "rows.csv"},
    "stdin": {},
    "modbus": {"host": "127.0.0.1", "device": [{"board": "plc", "register": [{"name": "flow", "address": 0}]}]},
    "iio": {"root": "sensors"},
}
"""What makes a table of each type one that works."""
BAD = {
    "mqtt": {"broker": {"port": 1}},
    "serial": {"port": "/dev/none"},
    "file": {"path": "none.csv"},
    "modbus": {**GOOD["modbus"], "port": 1},
    "iio": {"root": "none"},
}
"""What makes it one that does not; standard input is always there."""


@frozen
class _Config:
    source: SourceSettings


@pytest.fixture
def port():
    ours, theirs = pty.openpty()
    yield os.ttyname(theirs)
    os.close(ours)
    os.close(theirs)


def opened(kind: str, keys: dict, folder: Path, broker: BrokerSettings | None = None) -> Reader:
    table = {"type": kind, "name": "field", **keys}
    settings = structure({"source": table}, _Config, folder).source
    return settings.open(Intake("field", lambda *_: None, {}), Surroundings(broker or BrokerSettings(), "gw-1"))


@pytest.fixture
def modbus():
    port = free_port()
    server = tcp_server([Unit(1, holding={0: [7]})], port).start()
    yield port
    server.stop()


@pytest.mark.parametrize("kind", SOURCE_TYPES)
def test_a_source_that_works_says_so_starts_and_stops(kind, tmp_path, request, port):
    broker = request.getfixturevalue("broker").settings if kind == "mqtt" else None
    (tmp_path / "rows.csv").write_text("time,flow\n1767225600,2\n1767225601,3\n")
    (tmp_path / "sensors" / "iio:device0").mkdir(parents=True)
    (tmp_path / "sensors" / "iio:device0" / "in_temp_input").write_text("21500\n")
    keys = {key: value.format(port=port) if key == "port" else value for key, value in GOOD[kind].items()}
    if kind == "modbus":
        keys["port"] = request.getfixturevalue("modbus")

    reader = opened(kind, keys, tmp_path, broker)

    assert reader.probe()
    if kind != "stdin":  # of which there is one, and the test runner's
        reader.start()
        reader.stop()


@pytest.mark.parametrize("kind", sorted(set(SOURCE_TYPES) - {"stdin"}))
def test_a_source_that_does_not_work_says_why(kind, tmp_path):
    with pytest.raises(SourceError, match=r"none|:1: "):
        opened(kind, BAD[kind], tmp_path).probe()
