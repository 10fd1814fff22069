"""One agent a state folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge.state.lock import InUseError, StateLock


def test_a_folder_in_use_is_refused_by_name_of_its_holder(tmp_path: Path) -> None:
    first = StateLock(tmp_path / "state")
    first.take()

    with pytest.raises(InUseError, match=rf"in use by another agent, process {os.getpid()}; give each agent"):
        StateLock(tmp_path / "state").take()

    first.release()
    StateLock(tmp_path / "state").take()


def test_the_lock_goes_with_its_process_however_it_ends(tmp_path: Path) -> None:
    code = (
        f"import os; from pathlib import Path; from edge.state.lock import StateLock\n"
        f"StateLock(Path({str(tmp_path)!r})).take(); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[3], check=False)

    StateLock(tmp_path).take()


def test_the_folder_is_for_this_user_alone_and_half_written_files_go(tmp_path: Path) -> None:
    (tmp_path / "streams").mkdir(mode=0o755)
    (tmp_path / "streams" / ".pump1-abc.json.new").write_text("half")

    StateLock(tmp_path).take()

    assert tmp_path.stat().st_mode & 0o777 == 0o700
    assert (tmp_path / ".lock").stat().st_mode & 0o777 == 0o600
    assert list((tmp_path / "streams").iterdir()) == []


def test_what_earlier_versions_let_others_read_is_made_private_and_nothing_else(tmp_path: Path) -> None:
    ours = ["outbox.db", "outbox.db-wal", "outbox.db-shm", "outbox.db.damaged-1", "served.json", "tried-bundles"]
    ours += ["streams/pump1-abc.json", "streams/pump1-abc.rows", "streams/pump1-abc.json.damaged-7"]
    (tmp_path / "streams").mkdir(mode=0o755)
    (tmp_path / "agent.toml").touch(mode=0o644)
    (tmp_path / "bundle").mkdir(mode=0o755)
    for name in ours:
        (tmp_path / name).touch(mode=0o644)
    (tmp_path / "elsewhere").touch(mode=0o644)
    (tmp_path / "streams" / "link").symlink_to(tmp_path / "elsewhere")

    StateLock(tmp_path).take()

    assert {(tmp_path / name).stat().st_mode & 0o777 for name in ours} == {0o600}
    assert (tmp_path / "streams").stat().st_mode & 0o777 == 0o700
    assert {(tmp_path / name).stat().st_mode & 0o777 for name in ("agent.toml", "elsewhere")} == {0o644}
    assert (tmp_path / "bundle").stat().st_mode & 0o777 == 0o755


def test_a_second_start_takes_nothing_from_the_agent_that_runs(tmp_path: Path) -> None:
    first = StateLock(tmp_path)
    first.take()
    half = tmp_path / ".served.json.new"
    half.write_text("being written")

    with pytest.raises(InUseError):
        StateLock(tmp_path).take()

    assert half.exists()


def test_a_folder_that_cannot_be_made_is_said_and_no_reason_to_end(tmp_path: Path, caplog) -> None:
    (tmp_path / "file").write_text("")

    StateLock(tmp_path / "file" / "state").take()

    assert "cannot be written" in caplog.text
