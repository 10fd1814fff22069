"""docs/results.md shows the figures that are kept, each with the commit, the date and the command behind it."""

import doctest
import json

import pytest

from docs.generate import results

KEPT = sorted(results.FOLDER.glob("*.json"))


def test_the_page_is_as_make_results_writes_it():
    assert results.PAGE.read_text("utf-8") == results.results(), "run `make results`"


@pytest.mark.parametrize("file", KEPT, ids=lambda file: file.stem)
def test_figures_say_where_they_are_from(file):
    body = json.loads(file.read_text("utf-8"))

    assert len(body["commit"]) == 40
    assert body["date"]
    assert body["command"]


@pytest.mark.parametrize(
    ("figures", "shown"),
    [
        (
            {
                "benchmark": "skab",
                "settings": {"window": 30},
                "detectors": {
                    "offbeat": {
                        "j": 0.571234567,
                        "events_found": 11,
                        "events": 16,
                        "spread": {"j": 0.02},
                        "seeds": [{"j": 0.55}, {"j": 0.59}],
                    }
                },
            },
            ("| offbeat | 0.57 ± 0.02 | 11 of 16 | 16 |", "window 30", "`the command`, commit abc"),
        ),
        (
            {
                "machine": "a board",
                "python": "3.11.7",
                "windows": {"w30_c8_h16": {"1": {"float32": 12.5, "ort-float32": 10.0}, "8": {"float32": 60.0}}},
                "agent": [{"streams": 10, "cpu_share": 0.042, "us_per_row": 4223.4}],
                "instead": {"keras-predict loop": 71000.0},
            },
            ("| float32 | 12.5 | 60.0 |", "| ort-float32 | 10.0 |  |", "| 10 |  | 0.042 | 4223 |", "| 71000 |"),
        ),
    ],
    ids=["detectors", "speed"],
)
def test_every_kind_of_benchmark_is_shown(figures, shown, tmp_path):
    results.add(figures, "the command", "abc", "2026-01-01", tmp_path)

    page = results.results(tmp_path)
    assert [text for text in shown if text not in page] == []


def test_examples_are_true():
    assert doctest.testmod(results).failed == 0
