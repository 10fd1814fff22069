"""sd_notify, read back from a real socket, and the unit that docs/how-to shows."""

import re
import shlex
import socket
from configparser import ConfigParser
from pathlib import Path

import pytest

from edge.__main__ import build_parser
from edge.agent.notify import Notifier
from edge.commands.run import BAD_SETUP as _BAD_SETUP
from tests.helpers.documents import ROOT


@pytest.mark.parametrize("abstract", [False, True])
def test_states_reach_the_socket_that_systemd_names(tmp_path, abstract):
    name = "@offbeat-test" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind("\0" + name[1:] if abstract else name)
        systemd.settimeout(5)
        notifier = Notifier({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "10000000"})

        notifier.ready()
        notifier.alive()
        notifier.stopping()

        assert [systemd.recv(100) for _ in range(3)] == [b"READY=1", b"WATCHDOG=1", b"STOPPING=1"]
    assert notifier.watchdog_every_s == 5.0


def test_without_systemd_nothing_happens():
    notifier = Notifier({})

    notifier.ready()

    assert notifier.watchdog_every_s is None


def test_a_socket_that_is_gone_stops_nobody(tmp_path):
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).alive()


def test_the_unit_that_is_documented_fits_the_command():
    page = (ROOT / "docs/how-to/run-under-systemd.md").read_text("utf-8")
    unit = ConfigParser(interpolation=None)
    unit.optionxform = str
    unit.read_string(re.search(r"```ini\n(.*?)```", page, re.DOTALL)[1])
    service = unit["Service"]
    command, *arguments = shlex.split(service["ExecStart"])

    assert Path(command).name == "offbeat-edge"
    assert build_parser().parse_args(arguments).config == Path("/etc/offbeat/agent.toml")
    assert service["Type"] == "notify"
    assert "kill -HUP" in service["ExecReload"]
    assert int(service["RestartPreventExitStatus"]) == _BAD_SETUP
    assert service["Restart"] == "always"
    assert float(service["WatchdogSec"]) >= 10, "loading a bundle on reload takes some seconds on a small gateway"
