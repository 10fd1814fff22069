"""The parts of `make test-arm` that need no userland: what is typed, and what is said where it cannot run."""

import re
import shutil

import pytest

from tests.arm.userlands import __main__ as outside
from tests.arm.userlands import board, checked, namespace
from tests.arm.userlands.documented import commands
from tests.arm.userlands.inside import MOST_COMMANDS, Row, commands_table, table
from tests.arm.userlands.kinds import USERLANDS, chosen


@pytest.mark.parametrize("userland", USERLANDS, ids=lambda one: one.name)
def test_the_how_to_leads_to_an_agent_in_fewer_than_ten_commands(userland):
    typed = commands(userland.way.heading, "1.2")

    assert 0 < len(typed) <= MOST_COMMANDS
    assert any("offbeat-edge run" in one or "systemctl start" in one for one in typed)
    assert not [one for one in typed if "VERSION" in one or "#" in one]


def test_commands_are_those_of_the_first_block_below_a_heading():
    text = "# A\n```sh\none   # why\ntwo && three\n```\n```sh\nfour\n```\n## B\n```sh\nfive VERSION\n```\n"

    assert commands("A", "1", text) == ["one", "two", "three"]
    assert commands("B", "1", text) == ["five 1"]
    with pytest.raises(ValueError, match="no commands below 'C'"):
        commands("C", "1", text)


def test_userlands_are_chosen_by_name():
    assert [one.name for one in chosen("trixie-armhf,bookworm-arm64")] == ["trixie armhf", "bookworm arm64"]
    assert chosen("") == list(USERLANDS)
    with pytest.raises(ValueError, match="there are bookworm-arm64, bookworm-armhf"):
        chosen("buster")


def test_who_is_not_root_is_told_how_to_be(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda *_, **__: "/usr/bin/it")
    monkeypatch.setattr(namespace.os, "geteuid", lambda: 1000)

    assert outside.missing() == "not root: sudo make test-arm"


def test_what_is_not_installed_is_named_by_its_package(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda tool, **_: None if "qemu" in tool else "/usr/bin/it")

    assert outside.missing() == "not installed: apt-get install qemu-user-static"


def test_a_refusal_must_say_what_to_do():
    (refused,) = (one for one in USERLANDS if one.refused)

    said = checked.refusal(refused, "x\nFAIL: no runtime; install the 64-bit system, or Debian 12\n")

    assert said.startswith("FAIL")
    with pytest.raises(checked.UserlandError, match="says what to do"):
        checked.refusal(refused, "Killed")


def test_a_board_says_the_same_of_its_processor_in_both_places(tmp_path, monkeypatch):
    (tmp_path / "run").mkdir()
    monkeypatch.setattr(board.subprocess, "run", lambda *_, **__: None)

    board.put(tmp_path, "armhf")

    told = re.findall(r"^processor\t: (\d)$", (tmp_path / "run/cpuinfo").read_text(), re.MULTILINE)
    folder = tmp_path / "sys/devices/system/cpu"
    assert told == ["0", "1", "2", "3"]
    assert (folder / "possible").read_text() == "0-3\n"
    assert sorted(one.name for one in folder.glob("cpu?")) == ["cpu0", "cpu1", "cpu2", "cpu3"]


def test_the_tables_show_every_command_and_why_something_is_not_as_promised():
    row = Row(USERLANDS[0], [("sudo apt-get update", 12.3)], problem="check: exit 2\nand more")

    assert commands_table([row]).splitlines()[2] == "| bookworm arm64 | `sudo apt-get update` | 12 |"
    assert table([row]).splitlines()[1].endswith("check: exit 2")
