"""docs/architecture.md shows the layers that tests/test_layers.py holds."""

import re

from tests.helpers.documents import ROOT
from tests.test_layers import ARROWS

TEXT = (ROOT / "docs/architecture.md").read_text("utf-8")


def test_the_table_of_rooms_is_that_of_the_layers():
    shown = [
        f"{room}: {others}".rstrip() for room, others in re.findall(r"^\| `([\w.]+)` \| ([\w.* ]*?) ?\| ", TEXT, re.M)
    ]

    assert shown == ARROWS.strip().splitlines()


def test_files_that_it_names_are_there():
    named = re.findall(r"`((?:edge|train|firmware_sim|tests)/[\w/.]+)`", TEXT)

    assert len(named) > 15
    assert [name for name in named if not (ROOT / name).exists()] == []
