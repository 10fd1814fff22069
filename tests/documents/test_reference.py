"""docs/reference, and the table of rooms in docs/architecture.md, are what the code says today."""

import doctest

import pytest

from docs.generate import commands, markdown
from docs.generate.__main__ import FOLDER, PAGES


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_as_make_docs_writes_it(name):
    assert (FOLDER / name).read_text("utf-8") == PAGES[name](), "run `make docs`"


def test_the_folder_has_these_pages_and_no_others():
    there = {f"reference/{file.name}" for file in (FOLDER / "reference").iterdir()}

    assert there == {name for name in PAGES if name.startswith("reference/")}


@pytest.mark.parametrize("module", [commands, markdown])
def test_examples_of_the_generator_are_true(module):
    assert doctest.testmod(module).failed == 0
