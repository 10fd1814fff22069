"""The systemd unit: what it allows, and that it fits the command; read by systemd's own programs."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edge.__main__ import build_parser
from edge.commands.run import BAD_SETUP
from tests.helpers.documents import ROOT

UNIT = ROOT / "release/offbeat.service"
EXPOSED_AT_MOST = 2.0
"""Of 10, by `systemd-analyze security`."""


@pytest.fixture
def analyze() -> str:
    """systemd-analyze; a machine without it skips."""
    found = shutil.which("systemd-analyze")
    if found is None:
        pytest.skip("not installed: systemd-analyze (Debian: apt-get install systemd)")
    return found


def settings() -> dict[str, list[str]]:
    """Each key of the unit to its values, in order; systemd's keys may repeat, unlike those of an ini file."""
    found: dict[str, list[str]] = {}
    for key, value in re.findall(r"^(\w+)=(.*)$", UNIT.read_text("utf-8"), re.MULTILINE):
        found.setdefault(key, []).append(value)
    return found


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """A program that is to end by itself."""
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_it_starts_a_command_that_there_is():
    unit = settings()
    command, *arguments = shlex.split(unit["ExecStart"][0])

    assert Path(command).name == "offbeat-edge"
    assert build_parser().parse_args(arguments).config == Path("/etc/offbeat/agent.toml")
    assert unit["Type"] == ["notify"]
    assert "kill -HUP" in unit["ExecReload"][0]
    assert float(unit["WatchdogSec"][0]) >= 10, "loading a bundle on reload takes some seconds on a small gateway"


def test_only_what_no_restart_mends_is_not_restarted():
    unit = settings()

    assert unit["Restart"] == ["always"]
    assert unit["RestartPreventExitStatus"] == [str(BAD_SETUP)]
    assert unit["StartLimitIntervalSec"] == ["0"], "systemd gives up after five starts in ten seconds"


def test_systemd_finds_nothing_wrong_with_it(analyze, tmp_path):
    # Verification wants the program to exist, so that of this test stands in for the installed one.
    unit = tmp_path / "offbeat.service"
    unit.write_text(UNIT.read_text("utf-8").replace("/usr/lib/offbeat/bin/offbeat-edge", sys.executable), "utf-8")

    done = run(analyze, "verify", "--man=no", str(unit))

    assert (done.returncode, done.stderr) == (0, "")


def test_systemd_finds_a_misspelt_key(analyze, tmp_path):
    unit = tmp_path / "offbeat.service"
    text = UNIT.read_text("utf-8").replace("/usr/lib/offbeat/bin/offbeat-edge", sys.executable)
    unit.write_text(text.replace("WatchdogSec", "WatchdogSeconds"), "utf-8")

    assert "WatchdogSeconds" in run(analyze, "verify", "--man=no", str(unit)).stderr


def test_it_is_not_exposed(analyze):
    done = run(analyze, "security", "--offline=true", "--no-pager", str(UNIT))
    (level,) = re.findall(r"Overall exposure level for offbeat.service: ([\d.]+)", done.stdout)

    assert float(level) <= EXPOSED_AT_MOST


def test_a_password_comes_as_a_credential_and_leaves_no_core_dump():
    unit = settings()

    assert unit["LoadCredential"] == ["secret:/etc/offbeat/credentials"]
    assert unit["LimitCORE"] == ["0"]
    assert unit["UMask"] == ["0077"]
