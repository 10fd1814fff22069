"""Commands given by `sudo` on a gateway whose agent has a user of its own: the agent can read what they leave."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.__main__ import main
from edge.state.lock import StateLock
from tests.edge.commands.test_rename import learnt
from tests.edge.commands.upkeep.test_install import another
from tests.edge.trust.test_signed import give, load, signed
from tests.helpers.agent import folder

__all__ = ["folder", "learnt", "signed"]
AGENT = 65534
"""A user who is not root."""
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="wants root, as sudo gives it")


@pytest.fixture(autouse=True)
def roots_umask() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


def given_to_the_agent(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        os.chown(path, AGENT, AGENT)


def owners(folder: Path) -> set[int]:
    return {path.lstat().st_uid for path in folder.rglob("*")}


def test_a_stream_that_root_renames_is_still_the_agent_s(learnt):
    given_to_the_agent(learnt / "state")

    assert main(["rename", "--config", str(learnt / "agent.toml"), "pump1", "pump9"]) == 0
    assert owners(learnt / "state") == {AGENT}


def test_a_recalibration_that_root_asks_for_is_read_by_the_agent(learnt):
    text = (learnt / "agent.toml").read_text()
    (learnt / "agent.toml").write_text(text.replace("pump9", "pump1"))
    given_to_the_agent(learnt / "state")

    assert main(["recalibrate", "--config", str(learnt / "agent.toml"), "pump1"]) == 0
    assert owners(learnt / "state") == {AGENT}


def test_a_rollback_by_root_leaves_the_memory_of_counters_to_the_agent(signed, capsys):
    load(signed)
    given_to_the_agent(signed / "state")
    made = another(signed, "new")
    give(signed, 6, bundle=made.name)
    assert main(["install-bundle", str(made), "--config", str(signed / "agent.toml")]) == 0
    load(signed)
    given_to_the_agent(signed / "state")

    assert main(["rollback", "--config", str(signed / "agent.toml")]) == 0
    assert owners(signed / "state") == {AGENT}
    capsys.readouterr()


def test_a_bundle_that_root_installs_can_be_read_by_the_agent(signed, capsys):
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are closed to others
        place = Path(name)
        place.chmod(0o755)
        for part in ("tiny", "agent.toml", "ours.pub"):
            copy = shutil.copytree if (signed / part).is_dir() else shutil.copyfile
            copy(signed / part, place / part)
        text = (place / "agent.toml").read_text()
        (place / "agent.toml").write_text(text.replace(str(signed), name))
        made = another(signed, "new")
        give(signed, 6, bundle=made.name)
        assert main(["install-bundle", str(made), "--config", str(place / "agent.toml")]) == 0
        os.seteuid(AGENT)
        try:
            assert b"new" in (place / "tiny" / "manifest.json").read_bytes()
            assert (place / "tiny" / "float32.tflite").read_bytes()
        finally:
            os.seteuid(0)
    capsys.readouterr()


def test_the_agent_can_lock_a_folder_that_a_command_of_root_locked_first(tmp_path):
    os.chown(tmp_path, AGENT, AGENT)
    lock = StateLock(tmp_path)
    lock.take()
    lock.release()

    assert owners(tmp_path) == {AGENT}
