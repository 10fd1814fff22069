"""A bundle that is replaced while it is used, in every way that files are copied."""

import shutil
import time
from functools import partial

from edge.detector.bundle.files import load_bundle
from tests.attack.registry import attack
from tests.attack.stand import Stand
from tests.edge.agent.test_passing_states import COPIES, FILES, by_cp, info, other_bundle
from tests.helpers.mosquitto import wait_for

_SHORT = {"cut short"}


def _copied(how: str, stand: Stand) -> None:
    other = other_bundle(stand.folder) if not (stand.folder / "other").exists() else stand.folder / "other"
    kinds = [load_bundle(stand.folder / "tiny").sha256, load_bundle(other).sha256]
    if kinds[0] == kinds[1]:  # a stand that was used: the other way round
        other = stand.folder / "first"
    _first(stand)
    new = load_bundle(other).sha256
    COPIES[how](other, stand.folder / "tiny")
    if how in _SHORT:
        stand.wait_said("the old bundle goes on: ")
        assert info(stand.listener) == [kinds[0]]
        by_cp(other, stand.folder / "tiny")
    stand.over()
    wait_for(lambda: info(stand.listener) == [new], "the new bundle", 30.0)


def _first(stand: Stand) -> None:
    """Keep a copy of the bundle that a stand began with."""
    if not (stand.folder / "first").exists():
        shutil.copytree(stand.folder / "tiny", stand.folder / "first")


for _how in COPIES:
    attack(f"a bundle is copied over in use: {_how}", shared=True)(partial(_copied, _how))


@attack("a bundle's folder goes away in use and comes back", shared=True)
def _gone(stand: Stand) -> None:
    shutil.move(stand.folder / "tiny", stand.folder / "away")
    time.sleep(5.0)
    assert stand.said("")
    stand.serves()
    shutil.move(stand.folder / "away", stand.folder / "tiny")
    stand.passed_at = None


@attack("a bundle is replaced file by file with a minute's half between", shared=True)
def _file_by_file(stand: Stand) -> None:
    _first(stand)
    other = other_bundle(stand.folder) if not (stand.folder / "other").exists() else stand.folder / "other"
    (stand.folder / "tiny" / FILES[1]).write_bytes(b"")
    time.sleep(5.0)
    stand.serves()
    by_cp(other, stand.folder / "tiny")
    stand.passed_at = None
