"""The examples in the detector's docstrings are true."""

import doctest
import importlib
import pkgutil

import pytest

import edge.detector

MODULES = [module.name for module in pkgutil.iter_modules(edge.detector.__path__, "edge.detector.")]


@pytest.mark.parametrize("name", MODULES)
def test_examples_give_what_they_say(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0
