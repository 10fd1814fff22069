"""Model files made by tensorflow once a session: small graphs of which the result is known."""

import os
from pathlib import Path

import pytest

from tests.helpers.tflite_models import Models, make_models


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    """The files, in a folder of their own."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    folder: Path = tmp_path_factory.mktemp("models")
    return make_models(folder)
