"""Fixed limits of mean +- 3 sd: an oracle by hand, and that the demo and `evaluate` have the same figures of it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge.detector.bundle.files import Bundle
from firmware_sim.demo.baseline import Baseline, read_baseline
from firmware_sim.demo.table import table
from firmware_sim.demo.verdict import Verdict, judge
from firmware_sim.machine.faults import make_fault
from tests.helpers.small_bundle import normal_rows, write_csv
from train.__main__ import main
from train.evaluation import limits
from train.evaluation.found import Anomaly
from train.evaluation.metrics import Judged
from train.read.normal import mean_and_sd


def file(rows: int, first: int = 0, step_s: float = 1.0) -> Judged:
    nothing = np.zeros(rows, bool)
    return Judged("a", 1000.0 + step_s * np.arange(rows), nothing, (), np.zeros(rows), nothing, nothing, first)


def limited(values: list[float], mean: float, sd: float, **options: float) -> Judged:
    hold = options.pop("hold", 60.0)
    one = file(len(values), **options)
    own = (np.array([mean]), np.array([sd]))
    return limits.fixed_limits([one], [np.array(values)[:, None]], [own], hold)[0]


@pytest.mark.parametrize(("value", "outside"), [(1.99, False), (2.01, True), (-1.01, True), (float("nan"), False)])
def test_they_stand_three_sds_from_the_mean(value: float, outside: bool) -> None:
    found = limited([0.5, value, 0.5], mean=0.5, sd=0.5)

    assert found.alarm.tolist() == [False, outside, False]
    assert found.starts.tolist() == [False, outside, False]


def test_the_score_is_the_distance_in_limits() -> None:
    assert limited([9.0], mean=0.5, sd=0.5).score[0] == pytest.approx(8.5 / 1.5)


def test_rows_outside_closer_than_the_hold_time_are_one_alarm_that_lasts_between_them() -> None:
    values = np.zeros(400)
    values[[100, 160, 221]] = 9.0

    found = limited(values.tolist(), mean=0.0, sd=1.0)

    assert np.flatnonzero(found.starts).tolist() == [100, 221]
    assert np.flatnonzero(found.alarm).tolist() == [*range(100, 161), 221]


def test_nothing_before_the_first_evaluated_row_alarms() -> None:
    found = limited([9.0, 9.0, 9.0, 0.0], mean=0.0, sd=1.0, first=2)

    assert np.flatnonzero(found.starts).tolist() == [2]


def test_mean_and_sd_are_the_plain_ones_of_all_parts() -> None:
    nan = float("nan")
    parts = [np.array([[1.0, nan, nan], [3.0, 5.0, nan]]), np.array([[8.0, 7.0, nan]])]

    mean, sd = mean_and_sd(parts)

    whole = np.concatenate(parts)[:, :2]
    assert mean[:2] == pytest.approx(np.nanmean(whole, axis=0))
    assert sd[:2] == pytest.approx(np.nanstd(whole, axis=0))
    assert np.isinf(sd[2])


@pytest.fixture
def run(tmp_path: Path) -> tuple[Path, list[Anomaly]]:
    """Readings in which the flow leaves its limits in the second of two faults, and once outside both."""
    values = normal_rows(600, seed=50)
    values[400:420, 0] += 6.0
    values[550, 0] += 6.0
    return write_csv(tmp_path / "run.csv", values), [Anomaly(start, start + 40.0) for start in (200.0, 400.0)]


def evaluated(bundle: Path, run: tuple[Path, list[Anomaly]], *options: str) -> Path:
    readings, faults = run
    start = int(readings.read_text().splitlines()[1].split(",")[0])
    labels, figures = readings.with_name("labels.json"), readings.with_name("figures.json")
    labels.write_text(json.dumps([[start + one.start, start + one.end] for one in faults]))
    line = ["evaluate", str(bundle), str(readings), "--labels", str(labels), "--json", str(figures), *options]
    assert main(line) == 0
    return figures


def test_the_demo_has_the_figures_that_evaluate_has_and_an_oracle_agrees(
    small_bundle: Bundle, run: tuple[Path, list[Anomaly]]
) -> None:
    figures = evaluated(small_bundle.folder, run)

    baseline = read_baseline(figures)

    # By hand: the bundle holds mean and sd of the rows that it was made of.
    mean, sd = limits.kept_in(small_bundle) or pytest.fail("it holds none")
    values = np.genfromtxt(run[0], delimiter=",", skip_header=1, usecols=(1, 2, 3))
    outside = np.flatnonzero((np.abs(values - mean) > 3 * sd).any(axis=1))
    assert set(outside) >= {*range(400, 420), 550}
    assert baseline == Baseline((False, True), 1)
    told = json.loads(figures.read_text())["detectors"]["limits"]
    assert (told["events_found"], told["false_episodes"]) == (sum(baseline.found), baseline.false)


def test_the_demos_table_prints_these_figures_and_lists_what_was_missed_with_times(
    small_bundle: Bundle, run: tuple[Path, list[Anomaly]]
) -> None:
    faults = [make_fault("leak", one.start, one.end) for one in run[1]]
    verdict: Verdict = judge(faults, [])

    text = table(verdict, read_baseline(evaluated(small_bundle.folder, run)), 0.0)

    assert "Fixed limits, mean ± 3 sd per channel, same run: 1 of 2 faults found, 1 false episode" in text
    assert "Missed: leak (pressure), 0:03:20 to 0:04:00" in text
    assert "Missed: leak (pressure), 0:06:40 to 0:07:20" in text


def test_a_bundle_older_than_these_figures_leaves_the_baseline_out_and_says_so(
    small_bundle: Bundle, run: tuple[Path, list[Anomaly]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    older = tmp_path / "older"
    older.mkdir()
    for part in small_bundle.folder.iterdir():
        (older / part.name).write_bytes(part.read_bytes())
    body = json.loads((older / "manifest.json").read_text())
    del body["training"]["normal"]
    (older / "manifest.json").write_text(json.dumps(body))

    figures = evaluated(older, run, "--report", str(tmp_path / "report.html"))

    assert list(json.loads(figures.read_text())["detectors"]) == ["offbeat", "always", "clock"]
    assert "mean ± 3 sd is left out" in " ".join(capsys.readouterr().out.split())
    assert "mean ± 3 sd is left out" in (tmp_path / "report.html").read_text()


def test_the_files_own_rows_count_where_enough_of_them_precede(small_bundle: Bundle) -> None:
    values = np.random.default_rng(0).normal(50.0, 2.0, (30, 3))

    own = limits.normal_of(small_bundle, values, file(30, first=30))
    few = limits.normal_of(small_bundle, values, file(30, first=29))
    odd = replace(file(31, first=31), labels=np.arange(31) == 0)
    spared = limits.normal_of(small_bundle, np.vstack([[1e6] * 3, values]), odd)

    assert own is not None
    assert few is not None
    assert spared is not None
    assert own[0] == pytest.approx(values.mean(axis=0))
    assert spared[0] == pytest.approx(values.mean(axis=0))
    assert few[0] == pytest.approx(small_bundle.training["normal"]["mean"])
