"""How many rows a window has where nobody says, and that it leaves rows enough to judge by."""

import re

import numpy as np
import pytest

from edge.detector.bundle.files import load_bundle
from tests.helpers.files import write_machine
from train.__main__ import main
from train.fitting.window import USUAL, usual_window
from train.read.dataset import Run, Segment

QUICK = ["--epochs", "1", "--hidden", "4"]


def _run(rows: int) -> Run:
    return Run("r", (Segment(np.arange(rows, dtype=float), np.zeros((rows, 1))),))


@pytest.mark.parametrize(
    ("rows", "window"),
    [([4000], 30), ([570], 30), ([569], 29), ([312], 16), ([190], 10), ([50], 10), ([286, 286], 26), ([570, 0], 30)],
)
def test_windows_are_shorter_where_rows_are_few(rows, window):
    assert usual_window([_run(number) for number in rows]) == window


@pytest.mark.parametrize("rows", [190, 250, 312, 420, 569])
def test_few_rows_make_a_bundle_that_judges_and_fit_says_so(tmp_path, capsys, rows):
    file = write_machine(tmp_path / "m.csv", rows=rows)

    assert main(["fit", str(file), "--out", str(tmp_path / "m"), *QUICK]) == 0

    window = load_bundle(tmp_path / "m").window
    out = " ".join(capsys.readouterr().out.split())
    assert window == rows // 19
    assert f"windows of {window} rows: there are too few for the usual {USUAL}" in out
    assert "judged by level" in out


def test_a_window_that_was_asked_for_is_taken_and_what_it_wants_would_do(tmp_path, capsys):
    wanted = [str(write_machine(tmp_path / "few.csv", rows=312)), "--window", "30", "--out", str(tmp_path / "m")]

    assert main(["fit", *wanted, *QUICK]) == 2

    error = capsys.readouterr().err
    (rows,) = map(int, re.findall(r"give (\d+) and more", error))
    assert rows > 312
    enough = [str(write_machine(tmp_path / "more.csv", rows=rows)), *wanted[1:]]
    assert main(["fit", *enough, *QUICK]) == 0
    assert "too few for the usual" not in capsys.readouterr().out
