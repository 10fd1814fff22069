"""Visits in Chromium: what was seen, and whether it is sound."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.helpers.mosquitto import missing

VISIT = Path(__file__).with_name("visit.js")
SIZES = {"desk": ("1280", "860"), "phone": ("390", "844")}


def visit(
    tmp_path: Path,
    url: str,
    *actions: str,
    scheme: str = "light",
    size: str = "desk",
    motion: str = "no-preference",
    sizes: Mapping[str, tuple[str, str]] = SIZES,
) -> dict:
    """What visit.js found at `url` after the actions; its picture is in `tmp_path`."""
    modules = Path(os.environ.get("OFFBEAT_NODE", "build/node"), "node_modules").resolve()
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if not (modules / "playwright-core").is_dir() or not (modules / "axe-core").is_dir():
        missing("playwright-core and axe-core (OFFBEAT_NODE, a folder with node_modules; make test-integrations)")
    if browser is None:
        missing("chromium (Debian: apt-get install chromium)")
    line = ["node", str(VISIT), scheme, *sizes[size], str(tmp_path / f"{scheme}-{size}.png"), url, *actions]
    environment = {**os.environ, "NODE_PATH": str(modules), "CHROMIUM": str(browser), "MOTION": motion}
    done = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def assert_sound(found: dict) -> None:
    """Without errors, requests elsewhere, anything wider than the screen and serious findings of axe-core."""
    assert found["errors"] == []
    assert found["elsewhere"] == []
    assert found["overflow"] <= 0, "nothing is wider than the screen"
    assert [one for one in found["axe"] if one.startswith(("serious", "critical"))] == []
