"""The examples in docstrings are true, all of them."""

import doctest
import importlib

import pytest
from test_layers import modules

WITH_EXAMPLES = [name for name, file in modules() if ">>> " in file.read_text("utf-8")]


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples_give_what_they_say(name):
    found = doctest.testmod(importlib.import_module(name))

    assert found.failed == 0
    assert found.attempted > 0
