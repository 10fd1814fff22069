"""A look at an outbox that nobody has open finds what is wrong, and leaves everything as it was."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from edge.delivery.at_rest import damage
from edge.delivery.outbox import Outbox
from edge.delivery.tables import NewerError
from tests.helpers.agent import ROOT
from tests.helpers.alerts import alert


def _put_and_killed(path: Path) -> None:
    """Some events in it, the newest of them in its write-ahead log alone."""
    program = f"""
import os, signal
from pathlib import Path
from edge.delivery.outbox import Outbox
from tests.helpers.alerts import alert
outbox = Outbox(Path({str(path)!r}))
for number in range(5):
    outbox.put(alert(number, "new"))
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False)
    assert done.returncode == -signal.SIGKILL


def _contents(folder: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in folder.iterdir()}


def test_one_whose_agent_was_killed_is_sound_and_stays_as_it_was(tmp_path):
    _put_and_killed(tmp_path / "outbox.db")
    before = _contents(tmp_path)
    assert before["outbox.db-wal"]

    assert damage(tmp_path / "outbox.db") is None

    assert _contents(tmp_path) == before


@pytest.mark.parametrize("content", [b"no database" * 100, b"SQLite format 3\0" + bytes(5000)])
def test_what_is_no_outbox_is_named_and_stays_as_it_was(tmp_path, content):
    (tmp_path / "outbox.db").write_bytes(content)

    assert damage(tmp_path / "outbox.db")

    assert _contents(tmp_path) == {"outbox.db": content}


def test_one_with_a_page_of_noise_is_what_the_agent_would_set_aside(tmp_path):
    path = tmp_path / "outbox.db"
    outbox = Outbox(path)
    for number in range(200):
        outbox.put(alert(number, "new"))
    outbox.close()
    content = bytearray(path.read_bytes())
    content[4096 : 3 * 4096] = os.urandom(2 * 4096)
    path.write_bytes(content)

    assert damage(path)

    Outbox(path).try_disk()
    assert path.with_name("outbox.db.damaged-1").exists()


def test_one_of_a_later_version_is_no_damage(tmp_path):
    outbox = Outbox(tmp_path / "outbox.db")
    outbox.put(alert(1, "new"))
    outbox.close()
    content = bytearray((tmp_path / "outbox.db").read_bytes())
    content[60:64] = (99).to_bytes(4, "big")  # user_version, see SQLite, database file format 1.3
    (tmp_path / "outbox.db").write_bytes(content)

    with pytest.raises(NewerError, match="upgrade"):
        damage(tmp_path / "outbox.db")
