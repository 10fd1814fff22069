"""A small system without tzdata reads files in UTC, and says what is missing where a zone is named."""

import subprocess
import sys

import pytest

from tests.helpers.documents import ROOT

_PROGRAM = """
import sys, zoneinfo
from pathlib import Path
zoneinfo.reset_tzpath(to=[])
sys.modules["tzdata"] = None
from edge.readings.options import FileOptions
from tests.edge.readings.reading import read
print(len(read(Path(sys.argv[1]), FileOptions(timezone=sys.argv[2]))[1]))
"""


@pytest.mark.parametrize(("zone", "said"), [("UTC", "30"), ("Europe/Berlin", "tzdata")])
def test_utc_needs_no_database_and_another_zone_names_it(tmp_path, zone, said):
    path = tmp_path / "file.csv"
    path.write_text("time,a\n" + "".join(f"2026-01-07T10:{n:02}:00,{n % 7}\n" for n in range(30)))

    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(path), zone], cwd=ROOT, capture_output=True, text=True, timeout=60
    )

    assert said in done.stdout + done.stderr
