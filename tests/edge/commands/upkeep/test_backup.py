"""`offbeat-edge backup` and `restore`: a gateway moved to new hardware goes on with what it learnt."""

import gzip
import io
import json
import os
import shutil
import sqlite3
import tarfile
import threading
import zlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from edge.__main__ import main
from edge.delivery.outbox import Outbox
from edge.detector.bundle.files import load_bundle
from edge.state.backup_file import BackupWriter
from edge.state.files import StateFiles
from edge.state.lock import StateLock
from tests.helpers.agent import COMMISSIONED, MQTT, PUMP, Agent, board, config, events, folder, health, rows, run
from tests.helpers.alerts import alert
from tests.helpers.mosquitto import wait_for

__all__ = ["folder", "run"]

PASSWORD = "correct horse battery"
LEARNT = {"version": 1, "bundle": "x", "marker": "old gateway"}


def fill(state: Path, marker: str, count: int = 3) -> None:
    """A state folder as an agent leaves one."""
    state.mkdir(mode=0o700, exist_ok=True)
    with closing(Outbox(state / "outbox.db")) as outbox:
        for number in range(count):
            outbox.put(alert(number))
        outbox.acknowledge(outbox.pending(1))
    StateFiles(state / "streams").save("pump1", "a" * 64, {**LEARNT, "marker": marker})
    (state / "served.json").write_text("[]")
    (state / "tried-bundles").write_text("hash\n")
    (state / "history/pump1").mkdir(parents=True)
    (state / "history/pump1/e-1.rows").write_text("{}\n")
    (state / "outbox.db.damaged-1").write_text("broken")


@pytest.fixture
def old(folder: Path) -> Path:
    """The gateway that is to be replaced."""
    (folder / "agent.toml").write_text(config(1883, MQTT, PUMP))
    fill(folder / "state", "old gateway")
    return folder


@pytest.fixture
def new(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A machine with nothing on it."""
    return tmp_path_factory.mktemp("new")


def backup(at: Path, *more: str, name: str = "gw-1.backup") -> Path:
    assert main(["backup", str(at / name), "--config", str(at / "agent.toml"), *more]) == 0
    return at / name


def restore(file: Path, at: Path, *more: str) -> int:
    return main(["restore", str(file), "--config", str(at / "agent.toml"), *more])


def marker(state: Path) -> str | None:
    found = StateFiles(state / "streams").load("pump1", "a" * 64)
    return None if found is None else found["marker"]


def log_of(state: Path) -> str:
    with closing(sqlite3.connect(state / "outbox.db")) as db:
        return db.execute("SELECT id FROM log").fetchone()[0]


def repacked(file: Path, change: Callable[[list[tuple[tarfile.TarInfo, bytes]]], None]) -> Path:
    """The backup with other members, as somebody with bad intentions would write it."""
    with tarfile.open(file) as packed:
        members = [(info, packed.extractfile(info).read()) for info in packed]  # type: ignore[union-attr]
    change(members)
    with tarfile.open(file, "w:gz", format=tarfile.PAX_FORMAT) as packed:
        for info, content in members:
            info.size = len(content)
            packed.addfile(info, io.BytesIO(content))
    return file


def test_on_new_hardware_everything_is_there_under_a_log_of_its_own(old, new, capsys):
    assert restore(backup(old), new) == 0

    said = capsys.readouterr().out
    assert marker(new / "state") == "old gateway"
    assert log_of(new / "state") != log_of(old / "state")
    with closing(Outbox(new / "state/outbox.db")) as outbox:
        assert [entry.event.id for entry in outbox.pending(10)] == ["episode-1", "episode-2"]
        assert all(entry.inherited for entry in outbox.pending(10)), "the old machine may have sent them"
        assert outbox.put(alert(9)).seq == 4
    assert load_bundle(new / "tiny").sha256 == load_bundle(old / "tiny").sha256
    assert (new / "agent.toml").read_text() == (old / "agent.toml").read_text()
    assert (new / "state/history/pump1/e-1.rows").exists()
    assert not (new / "state/tried-bundles").exists(), "another machine has another runtime"
    assert not (new / "state/outbox.db.damaged-1").exists()
    assert "new log" in said
    assert "two agents of device gw-1" in said
    assert not list(new.glob(".state*"))


def test_what_is_written_and_restored_is_for_its_user_alone(old, new):
    file = backup(old)
    assert restore(file, new) == 0

    assert file.stat().st_mode & 0o777 == 0o600
    loose = [path for path in (new / "state").rglob("*") if path.stat().st_mode & 0o077]
    assert [(path.name, oct(path.stat().st_mode)) for path in loose] == []
    assert (new / "state").stat().st_mode & 0o777 == 0o700


def test_a_file_that_is_there_is_not_overwritten(old, capsys):
    (old / "mine").write_text("something else")

    assert main(["backup", str(old / "mine"), "--config", str(old / "agent.toml")]) == 1
    assert (old / "mine").read_text() == "something else"
    assert "name another file" in capsys.readouterr().err
    assert not list(old.glob(".mine*"))


def secretive(old: Path) -> None:
    for name in ("ca.pem", "gw.pem", "gw.key"):
        (old / name).write_text(f"{name} {PASSWORD if name.endswith('key') else ''}")
    text = f'username = "gw"\npassword = "{PASSWORD}"  # password = "{PASSWORD}"\n'
    text += 'ca = "ca.pem"\ncert = "gw.pem"\nkey = "gw.key"'
    (old / "agent.toml").write_text(config(1883, MQTT, PUMP, broker=text))


def unpacked(file: Path) -> bytes:
    return gzip.decompress(file.read_bytes())


def test_secrets_are_left_out_unless_asked_for(old, new, capsys):
    secretive(old)
    file = backup(old)
    said = capsys.readouterr().out

    assert PASSWORD.encode() not in unpacked(file)
    assert "not in it: broker.key" in said
    assert "${OFFBEAT_PASSWORD} stands in their place" in said
    assert restore(file, new) == 0
    assert f"to be put there by hand: broker.key, {new / 'gw.key'}" in capsys.readouterr().out
    assert 'password = "${OFFBEAT_PASSWORD}"  # password = "${OFFBEAT_PASSWORD}"' in (new / "agent.toml").read_text()
    assert (new / "ca.pem").exists()
    assert not (new / "gw.key").exists()


def test_secrets_that_are_asked_for_come_with_it_and_stay_private(old, new):
    secretive(old)
    assert restore(backup(old, "--secrets"), new) == 0

    for name in ("gw.key", "agent.toml"):
        assert (new / name).read_text() == (old / name).read_text()
        assert (new / name).stat().st_mode & 0o777 == 0o600


def test_a_password_that_cannot_be_taken_out_leaves_the_config_out(old, new, capsys):
    (old / "agent.toml").write_text(config(1883, MQTT, PUMP, broker=f'username = "x"\n"password" = "{PASSWORD}"'))
    file = backup(old)

    assert PASSWORD.encode() not in unpacked(file)
    assert "not in it: agent.toml" in capsys.readouterr().out
    assert restore(file, new) == 1
    assert "none in the backup" in capsys.readouterr().err


def test_state_that_is_there_is_replaced_only_when_asked_and_then_kept(old, new, capsys):
    file = backup(old)
    shutil.copy(old / "agent.toml", new)
    fill(new / "state", "own")

    assert restore(file, new) == 1
    assert "--replace" in capsys.readouterr().err
    assert marker(new / "state") == "own"
    assert restore(file, new, "--replace") == 0
    assert marker(new / "state") == "old gateway"
    assert marker(new / "state.before-restore-1") == "own"
    assert restore(file, new, "--replace") == 0
    assert marker(new / "state.before-restore-2") == "old gateway"


def test_beside_a_running_agent_nothing_is_restored(old, new, capsys):
    file = backup(old)
    shutil.copy(old / "agent.toml", new)
    lock = StateLock(new / "state")
    lock.take()
    try:
        assert restore(file, new) == 1
    finally:
        lock.release()
    assert "in use by another agent" in capsys.readouterr().err


def test_the_backup_of_another_device_is_refused(old, new, capsys):
    file = backup(old)
    (new / "agent.toml").write_text((old / "agent.toml").read_text().replace("gw-1", "gw-2"))

    assert restore(file, new) == 1
    assert "device offbeat/gw-1" in capsys.readouterr().err
    assert not (new / "state").exists()


def head(members: list[tuple[tarfile.TarInfo, bytes]], **changes: object) -> None:
    info, content = members[0]
    members[0] = info, json.dumps({**json.loads(content), **changes}).encode()


def a_member(name: str, content: bytes = b"x", kind: bytes = tarfile.REGTYPE, link: str = "") -> tuple:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info, content


HOSTILE = {
    "a path that climbs": lambda members: members.insert(1, a_member("state/../../evil")),
    "an absolute path": lambda members: members.insert(1, a_member("/tmp/evil")),
    "a hidden name": lambda members: members.insert(1, a_member("state/.lock")),
    "a link": lambda members: members.insert(1, a_member("state/streams", b"", tarfile.SYMTYPE, "/etc")),
    "a hard link": lambda members: members.insert(1, a_member("state/x", b"", tarfile.LNKTYPE, "/etc/passwd")),
    "a device": lambda members: members.insert(1, a_member("state/null", b"", tarfile.CHRTYPE)),
    "a folder": lambda members: members.insert(1, a_member("state/streams", b"", tarfile.DIRTYPE)),
    "a long name": lambda members: members.insert(1, a_member("state/" + "x" * 300)),
    "a name twice": lambda members: members.append(members[1]),
    "a file more": lambda members: members.insert(1, a_member("state/streams/more-0123456789abcdef.json")),
    "a file less": lambda members: members.pop(1),
    "a file that was changed": lambda members: members.__setitem__(1, (members[1][0], members[1][1] + b" ")),
    "a later version": lambda members: head(members, format=2, offbeat="9.0"),
    "no version": lambda members: head(members, format="one"),
    "no end": lambda members: members.pop(),
    "nothing of ours": lambda members: members.__setitem__(slice(None), [a_member("readme.txt")]),
    "something after its end": lambda members: members.append(a_member("state/late")),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_or_strange_archive_is_refused_and_writes_nothing(old, new, capsys, what):
    file = repacked(backup(old), HOSTILE[what])

    assert restore(file, new) == 1
    assert "nothing was restored" in (said := capsys.readouterr().err)
    assert ("upgrade Offbeat" in said) == (what == "a later version")
    assert list(new.iterdir()) == []
    assert not (new.parent / "evil").exists()


def written(old: Path, name: str, content: bytes) -> Path:
    """A backup with right sums and a file that no agent writes."""
    about = {"device": "gw-1", "root": "offbeat", "config": (old / "agent.toml").read_text(), "bundles": []}
    writer = BackupWriter(old / "made.backup", about)
    writer.add(name, content)
    writer.finish()
    return old / "made.backup"


def test_a_file_that_belongs_in_no_state_folder_is_refused(old, new, capsys):
    assert restore(written(old, "state/streams/run.sh", b"#!/bin/sh"), new) == 1
    assert "belongs in no state folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "content"),
    [("state/streams/p-0123456789abcdef.json", b'{"version":99,"state":{}}'), ("state/outbox.db", b"")],
)
def test_state_of_a_later_version_is_refused(old, new, capsys, name, content):
    if not content:
        with closing(sqlite3.connect(old / "later.db")) as db:
            db.execute("PRAGMA user_version=99")
        content = (old / "later.db").read_bytes()

    assert restore(written(old, name, content), new) == 1
    assert "pgrade Offbeat" in capsys.readouterr().err
    assert not (new / "state/streams").exists()


def test_a_config_of_the_backup_that_points_elsewhere_is_refused(old, new, tmp_path_factory, capsys):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    text = (old / "agent.toml").read_text()
    (old / "agent.toml").write_text(text.replace('"gw-1"', f'"gw-1"\nstate_dir = "{elsewhere}/s"', 1))
    shutil.copytree(old / "state", elsewhere / "s")
    file = backup(old)
    shutil.rmtree(elsewhere / "s")

    assert restore(file, new) == 1
    assert f"not below {new}" in capsys.readouterr().err
    assert list(elsewhere.iterdir()) == []
    shutil.copy(old / "agent.toml", new)  # whoever put it here chose its places
    assert restore(file, new) == 0
    assert marker(elsewhere / "s") == "old gateway"


def test_a_bomb_ends_at_the_bound(old, new, capsys, monkeypatch):
    file = backup(old)
    bomb = repacked(file, lambda members: members.insert(1, a_member("state/outbox.db", bytes(50_000_000))))
    assert bomb.stat().st_size < 200_000
    monkeypatch.setattr("edge.state.backup_file.MOST_BYTES", 10_000_000)

    assert restore(bomb, new) == 1
    assert "50000000 bytes, more than" in capsys.readouterr().err
    assert list(new.iterdir()) == []


def same(file: Path, whole: bytes) -> bool:
    try:
        return unpacked(file) == gzip.decompress(whole)
    except (OSError, EOFError, zlib.error):
        return False


def test_one_bit_or_a_missing_end_is_damage(old, new, capsys):
    file = backup(old)
    whole = file.read_bytes()
    for at in range(12, len(whole), len(whole) // 40):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
        if same(file, whole):
            continue  # two codes for the same bytes
        assert restore(file, new) == 1, at
        file.write_bytes(whole[:at])
        assert restore(file, new) == 1, at
        assert list(new.iterdir()) == []
    assert "take another copy" in capsys.readouterr().err


def test_a_pipe_is_not_waited_for(new, capsys):
    os.mkfifo(new / "pipe")

    assert restore(new / "pipe", new) == 1
    assert "no plain one" in capsys.readouterr().err


def test_bundles_that_are_too_old_here_do_not_become_new_by_a_backup(old, new):
    (old / "state/bundle-counters.json").write_text('{"/b": 3, "/c": 9}')
    file = backup(old)
    shutil.copy(old / "agent.toml", new)
    (new / "state").mkdir()
    (new / "state/bundle-counters.json").write_text('{"/b": 7}')

    assert restore(file, new) == 0
    assert json.loads((new / "state/bundle-counters.json").read_text()) == {"/b": 7, "/c": 9}


CUT_EVERY = int(os.environ.get("OFFBEAT_CUT_EVERY", "4"))
"""Touches of a file between two cuts; 1 cuts at each."""


def cut_at(number: int, act: Callable[[], object]) -> bool:
    """Do something in a process that ends as by a power cut at its n-th touch of a file; whether it got through."""
    child = os.fork()
    if child == 0:
        left = [number]

        def count(event: str, _arguments: object) -> None:
            if event == "open" or event.startswith(("os.", "shutil.", "sqlite3.", "ctypes.", "tempfile.")):
                left[0] -= 1
                if left[0] < 0:
                    os._exit(9)

        import sys

        sys.addaudithook(count)
        act()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_wherever_the_power_is_cut_the_state_is_wholly_the_old_or_the_new(old, new):
    file = backup(old)
    shutil.copy(old / "agent.toml", new)
    shutil.copytree(old / "tiny", new / "tiny")
    fill(new / "state", "own", count=7)
    shutil.copytree(new, keep := new.with_name("keep"))
    found, number = [], 0
    while not cut_at(number, lambda: restore(file, new, "--replace")):
        with closing(Outbox(new / "state/outbox.db")) as outbox:
            found.append((marker(new / "state"), len(outbox.events())))
        if found[-1][0] != "own":  # the old one is kept by the next look at the latest
            assert restore(file, new, "--replace") == 0
            assert marker(new / "state.before-restore-1") == "own"
            assert marker(new / "state") == "old gateway"
        shutil.rmtree(new)
        shutil.copytree(keep, new)
        number += CUT_EVERY
    assert set(found) == {("own", 7), ("old gateway", 3)}
    assert found == sorted(found, key=lambda one: one[0] == "old gateway")


def test_on_an_empty_machine_a_cut_leaves_nothing_that_runs_and_the_command_goes_again(old, new):
    file, number = backup(old), 0
    while not cut_at(number, lambda: restore(file, new)):
        if (new / "agent.toml").exists():
            assert marker(new / "state") == "old gateway"
            assert load_bundle(new / "tiny").name == "tiny"
        else:
            assert restore(file, new, "--replace") == 0
            assert marker(new / "state") == "old gateway"
        shutil.rmtree(new)
        new.mkdir()
        number += 5 * CUT_EVERY
    assert number > 100


def test_a_cut_while_it_is_written_leaves_no_backup_that_is_half(old):
    file, number = old / "cut.backup", 0
    while not cut_at(number, lambda: backup(old, name="cut.backup")):
        assert not file.exists() or restore(file, old, "--replace") == 0
        file.unlink(missing_ok=True)
        number += CUT_EVERY
    assert number > 30
    assert not list(old.glob(".cut*"))


def test_beside_an_agent_that_writes_every_backup_is_whole(old, new):
    stop, state = threading.Event(), old / "state"

    def write() -> None:
        with closing(Outbox(state / "outbox.db")) as outbox:
            number = 100
            while not stop.is_set():
                outbox.commit([alert(number)], {"pump1": b'{"number":%d}' % number})
                number += 1

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for number in range(5):
            file = backup(old, name=f"{number}.backup")
            assert restore(file, new, "--replace") == 0
            with closing(Outbox(new / "state/outbox.db")) as outbox:
                last = max([int(event.id.removeprefix("episode-")) for event in outbox.events()])
                said = outbox.episodes().get("pump1", b'{"number":2}')
                assert json.loads(said)["number"] == last, "events and what is open are of one instant"
    finally:
        stop.set()
        thread.join(10)


A_DAY = rows(1000 - COMMISSIONED, 400, fault=range(1100, 1130))
"""Enough to commission a stream on, and a fault later."""


def test_a_gateway_that_was_moved_goes_on_with_what_it_learnt(run, folder, broker, listener, new):
    own = PUMP + f"calibrate_rows = {COMMISSIONED}\n"
    first = run(config(broker.port, MQTT, own))
    first.wait_ready()

    def states() -> list[Path]:
        return list((folder / "state/streams").glob("pump1-*.json"))

    with board(broker) as publish:
        for row in A_DAY[:200]:
            publish("sensors/pump1/readings", json.dumps({"time": row.time, "values": dict(row.values)}).encode())
    wait_for(lambda: any(b'"calibration":{' in file.read_bytes() for file in states()), "its calibration on disk")
    file = backup(folder)
    first.process.kill()
    first.process.wait(10)
    old_log = log_of(folder / "state")

    assert restore(file, new) == 0
    second = Agent(new, (new / "agent.toml").read_text())
    try:
        listener.heard.clear()
        wait_for(lambda: health(listener)["sources"]["field"]["up"], "its subscription")
        with board(broker) as publish:
            for row in A_DAY[200:]:
                publish("sensors/pump1/readings", json.dumps({"time": row.time, "values": dict(row.values)}).encode())
        found = wait_for(lambda: [one for one in events(listener) if one["event_type"] == "new"], "the fault")
    finally:
        second.process.kill()
        second.process.wait(10)
    assert 1100 <= found[0]["time"] <= 1110, "judged at once: it did not commission itself on the fault"
    assert found[0]["log"] != old_log
