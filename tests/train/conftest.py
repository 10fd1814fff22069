"""Fixtures for the tests of train."""

import pytest

from edge.detector.bundle.files import Bundle
from tests.helpers.small_bundle import build_bundle


@pytest.fixture(scope="session")
def small_bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A calibrated bundle of three channels with a real model file; see small_bundle.py."""
    return build_bundle(tmp_path_factory.mktemp("bundle") / "small")
