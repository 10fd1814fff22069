"""How many rows a window has where nobody says, and that it leaves rows enough to judge by."""

import contextlib
import math
import re

import numpy as np
import pytest

from edge.detector.bundle.files import load_bundle
from edge.detector.rows.season import Calendar
from edge.detector.score.calibrations import Shape
from tests.helpers.files import write_machine
from train.__main__ import main
from train.console.errors import FitError
from train.fitting.calibrated import calibrate_network
from train.fitting.window import USUAL, telling_how_many, usual_window
from train.network.scaling import fit_scaling
from train.read.dataset import Run, Segment
from train.read.split import split_runs

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


class _Shrinking:
    """A network that gives back most of what it is shown."""

    def run(self, windows):
        return 0.8 * windows


def _fitted(lengths, window):
    """What fit does with rows but for the training of its network, and the window that it takes."""
    start, runs, random = 0.0, [], np.random.default_rng(0)
    for number, run in enumerate(lengths):
        segments = []
        for rows in run:
            segments.append(Segment(start + np.arange(rows, dtype=float), random.normal(size=(rows, 2))))
            start += rows + 1000.0
        runs.append(Run(str(number), tuple(segments)))
    window = window or usual_window(runs)
    calendar = Calendar(None, "UTC")
    with telling_how_many(runs, window, 0.25):
        split = split_runs(runs, 0.25, window)
        scaling = fit_scaling(split, ("a", "b"), "robust", calendar, 10 * window)
        calibrate_network(_Shrinking(), Shape(window, 2), scaling, split)


@pytest.mark.parametrize("window", [None, 30])
@pytest.mark.parametrize(
    "lengths",
    [
        *([[100]], [[165]] * 4, [[95, 95]], [[60] * 10], [[25] * 40]),
        *([[300], [20], [20], [20]], [[200], [30, 20], [30, 20, 10]]),
    ],
    ids=lambda lengths: str(lengths)[:24],
)
def test_so_many_rows_as_are_asked_for_and_more_do(lengths, window):
    with contextlib.suppress(FitError):
        _fitted(lengths, window)
        return  # windows of fewer rows made them enough

    with pytest.raises(FitError) as refused:
        _fitted(lengths, window)

    alike = re.search(r"give (\d+) and more in (\d+) stretches as these are", str(refused.value))
    (alone,) = re.findall(r"(\d+) and more without a gap", str(refused.value))
    rows = sum(map(sum, lengths))
    assert (alike is None) == (sum(map(len, lengths)) == 1)
    for more in (1.0, 1.5):
        _fitted([[math.ceil(int(alone) * more)]], window)
        if alike is not None:
            assert int(alike[2]) == sum(map(len, lengths))
            _fitted([[math.ceil(one * more * int(alike[1]) / rows) for one in run] for run in lengths], window)


def test_a_part_to_calibrate_on_that_is_never_enough_is_named():
    asked = pytest.raises(FitError, match=r"to calibrate on .*; give another --calibration-part")
    with asked, telling_how_many([_run(500)], 30, 0.0):
        split_runs([_run(500)], 0.0, 30)


def test_gaps_are_counted_in_what_is_asked_for(tmp_path, capsys):
    def with_gaps(name, rows):
        lines = write_machine(tmp_path / name, rows=2 * rows).read_text().splitlines()
        kept = [line for number, line in enumerate(lines[1:]) if number // (rows // 8) % 2 == 0]
        (tmp_path / name).write_text("\n".join([lines[0], *kept]))
        return [str(tmp_path / name), "--window", "30", "--out", str(tmp_path / "m")]

    assert main(["fit", *with_gaps("few.csv", 560), *QUICK]) == 2

    error = capsys.readouterr().err
    ((rows, stretches),) = re.findall(r"give (\d+) and more in (\d+) stretches", error)
    assert "too few for any statistic" in error
    assert int(stretches) == 8
    assert main(["fit", *with_gaps("more.csv", 8 * math.ceil(int(rows) / 8)), *QUICK]) == 0
