"""Each how-to ends with the tests that fail until what it says is done, and they are there."""

import re

import pytest

from tests.helpers.documents import ROOT

PAGES = sorted(page for page in (ROOT / "docs/how-to").glob("*.md") if page.name != "README.md")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_it_ends_with_tests_that_are_there(page):
    last = page.read_text("utf-8").strip().split("\n\n")[-1]

    named = re.findall(r"`(tests/[\w/.]+)`", last)

    assert "fail" in last
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_code_that_it_names_is_there(page):
    named = re.findall(r"`((?:edge|train|firmware_sim|tests|docs)/[\w/.]+)`", page.read_text("utf-8"))
    new = {"edge/sources/opcua.py", "train/network/gru_autoencoder.py"}  # what the reader is to write

    assert [name for name in named if name not in new and not (ROOT / name).exists()] == []


def test_the_contents_list_every_page():
    listed = re.findall(r"\]\(([\w-]+\.md)\)", (ROOT / "docs/how-to/README.md").read_text("utf-8"))

    assert sorted(listed) == [page.name for page in PAGES]


def test_every_decision_is_listed_and_has_its_parts():
    records = sorted((ROOT / "docs/decisions").glob("0*.md"))
    listed = re.findall(r"\]\((0[\w-]+\.md)\)", (ROOT / "docs/decisions/README.md").read_text("utf-8"))

    assert listed == [record.name for record in records]
    for record in records:
        text = record.read_text("utf-8")
        assert [part for part in ("Context.", "Decision.", "Weighed", "Consequences.") if f"**{part}" not in text] == []
