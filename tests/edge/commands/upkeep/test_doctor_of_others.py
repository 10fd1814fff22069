"""`offbeat-edge doctor` beside an agent that runs, as another user, and of a state folder with files of others."""

import os
import signal
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from edge.__main__ import main
from edge.commands.sizing import measure
from edge.commands.upkeep import doctor, machine
from edge.commands.upkeep.file_system import state_dir
from edge.commands.upkeep.finding import Finding
from edge.config.settings import Config, load_config
from tests.helpers.agent import MQTT, PUMP, config, folder, run
from tests.helpers.mosquitto import wait_for
from tests.helpers.tiny_bundle import write_tiny_bundle

__all__ = ["folder", "run"]
AGENT, OTHER = 65533, 65534
"""Users who are not root."""
roots = pytest.mark.skipif(os.geteuid() != 0, reason="wants root, to be two users")


@pytest.fixture(autouse=True)
def quick(monkeypatch) -> None:
    monkeypatch.setattr(measure, "memory_of", lambda *_: 60_000_000)


def settings(folder: Path) -> Config:
    return load_config(folder / "agent.toml")


def test_the_outbox_of_an_agent_that_runs_is_looked_at_and_left_as_it_is(folder, run):
    agent = run(config(1, MQTT, PUMP))
    wait_for(lambda: agent.said("ready"), "the agent")
    wait_for(lambda: (folder / "state/outbox.db").exists(), "its outbox")
    before = {path.name: path.read_bytes() for path in (folder / "state").glob("outbox.db*") if "shm" not in path.name}

    (finding,) = machine.outbox(settings(folder))

    assert finding.level == "ok"
    assert "is sound; of the running agent 0 are not delivered" in finding.found
    after = {path.name: path.read_bytes() for path in (folder / "state").glob("outbox.db*") if "shm" not in path.name}
    assert after == before


def test_an_agent_whose_outbox_takes_nothing_fails(folder, run):
    (folder / "state").mkdir(mode=0o700)
    with closing(sqlite3.connect(folder / "state/outbox.db")) as db:
        db.execute("PRAGMA user_version=99")
    agent = run(config(1, MQTT, PUMP))
    wait_for(lambda: agent.said("takes no events"), "the refusal")
    wait_for(lambda: agent.said("ready"), "the agent")

    (finding,) = machine.outbox(settings(folder))

    assert finding.level == "FAIL"
    assert "wait in memory alone" in finding.found


def test_of_an_agent_that_does_not_answer_the_outbox_is_not_called_sound(folder, run, monkeypatch):
    agent = run(config(1, MQTT, PUMP))
    wait_for(lambda: agent.said("ready"), "the agent")
    monkeypatch.setattr(machine, "ASKED_S", 0.5)
    agent.process.send_signal(signal.SIGSTOP)
    try:
        (finding,) = machine.outbox(settings(folder))
    finally:
        agent.process.send_signal(signal.SIGCONT)

    assert finding.level == "?"
    assert "was not looked at" in finding.found


@contextmanager
def as_another_user(command: Callable[[Path], object]) -> Iterator[Path]:
    """A gateway of the agent's user, looked at by somebody else. Root gives the command once before, since the
    interpreter's own modules may lie where nobody else reads them."""
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are closed to others
        folder = Path(name)
        write_tiny_bundle(folder / "tiny")
        (folder / "agent.toml").write_text(config(1, MQTT, PUMP))
        (folder / "state/streams").mkdir(parents=True)
        (folder / "state/outbox.db").touch()
        for path in (folder, *folder.rglob("*")):
            os.chown(path, AGENT, AGENT)
            path.chmod(0o755 if path.is_dir() else 0o644)
        command(folder)
        (folder / "state").chmod(0o700)
        os.seteuid(OTHER)
        try:
            yield folder
        finally:
            os.seteuid(0)


@roots
def test_another_user_gets_every_line_and_is_told_who_should_ask():
    def command(folder: Path) -> list[Finding]:
        return list(doctor.findings(folder / "agent.toml", 1.0, "no-such.service"))

    with as_another_user(command) as folder:
        found = command(folder)

    lines = [str(finding) for finding in found]
    level = {finding.what: finding.level for finding in found}
    assert (level["agent"], level["outbox"]) == ("?", "?")
    assert level["state_dir"] != "ok"
    assert {"broker", "credentials", "clock", "disk", "memory", "watchdog"} <= set(level)
    assert any("give this command as who runs the agent" in line for line in lines)


@roots
def test_check_as_another_user_ends_with_its_own_exit_status(capsys):
    def command(folder: Path) -> int:
        return main(["check", "--config", str(folder / "agent.toml")])

    with as_another_user(command) as folder:
        capsys.readouterr()
        status = command(folder)

    assert status == 2
    assert "broker:" in capsys.readouterr().out


@roots
def test_a_file_of_another_user_in_the_state_folder_is_named(folder):
    (folder / "agent.toml").write_text(config(1, MQTT, PUMP))
    streams = folder / "state/streams"
    streams.mkdir(parents=True)
    (streams / "pump1-0123456789abcdef.2.json").touch(mode=0o600)
    for path in (folder / "state", streams):
        os.chown(path, AGENT, AGENT)
        path.chmod(0o700)

    (finding,) = state_dir(settings(folder))

    assert finding.level == "FAIL"
    assert "pump1-0123456789abcdef.2.json belongs to user root" in finding.found
    assert "chown -R" in finding.found
