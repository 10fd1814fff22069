"""Moments beyond 2038, where the C library of a 32-bit system ends."""

import ast
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge.wire.moments import utc
from tests.helpers.agent import ROOT

NOW_OR_LOCAL = {
    "edge/commands/attend.py": "until when something is silent, by the clock on the wall",
    "edge/commands/upkeep/backup.py": "now",
    "edge/commands/upkeep/machine.py": "now",
    "edge/history/day_files.py": "now",
    "edge/mqtt/causes.py": "now",
    "edge/readings/clock.py": "the offset of a zone, of times before 2070",
    "edge/watch/notify.py": "by the clock on the wall",
    "edge/watch/wording.py": "by the clock on the wall; the bare number where that fails",
}
"""Where the C library is asked, and for what."""


@pytest.mark.parametrize("seconds", [0.0, -6e10, 1.7e9 + 0.123456, 2**31 - 0.5, 2**31 + 1.5, 4.1e9, 2.5e11])
def test_a_moment_is_what_the_calendar_says(seconds):
    assert utc(seconds) == datetime.fromtimestamp(seconds, UTC)


@pytest.mark.parametrize("seconds", [1e300, float("inf"), float("nan"), 1e12])
def test_where_no_calendar_reaches_an_error_says_so(seconds):
    with pytest.raises((OverflowError, ValueError)):
        utc(seconds)


def test_the_c_library_is_asked_for_no_moment_that_somebody_gives():
    asked = {path for path in (ROOT / "edge").rglob("*.py") if _asks(path)}

    assert {path.relative_to(ROOT).as_posix() for path in asked} == set(NOW_OR_LOCAL)


def _asks(path: Path) -> bool:
    calls = [node.func for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
    return any(isinstance(one, ast.Attribute) and one.attr in ("fromtimestamp", "gmtime", "localtime") for one in calls)
