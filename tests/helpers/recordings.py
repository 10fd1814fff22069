"""Real recordings, where OFFBEAT_DATA names a folder with them; tests that read them are marked `data`."""

import os
from pathlib import Path

import pytest


def recordings(pattern: str) -> list[Path]:
    """Files below the folder, in order; the test skips where there are none, also in CI."""
    folder = os.environ.get("OFFBEAT_DATA")
    if not folder:
        pytest.skip("OFFBEAT_DATA names no folder with recordings")
    found = sorted(Path(folder).glob(pattern))
    if not found:
        pytest.skip(f"OFFBEAT_DATA has no {pattern}")
    return found
