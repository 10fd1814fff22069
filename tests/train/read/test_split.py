import numpy as np
import pytest

from train.console.errors import FitError
from train.read.dataset import Run, Segment
from train.read.row_hashes import fitted_part, sample_hashes
from train.read.split import cut_run, split_again, split_runs


def run(name: str, *lengths: int, start: float = 0.0) -> Run:
    segments, values = [], np.random.default_rng(int(start)).normal(size=(sum(lengths), 2))
    for length in lengths:
        times = start + np.arange(length)
        segments.append(Segment(times, values[:length]))
        values, start = values[length:], start + length + 100
    return Run(name, tuple(segments))


def times(runs) -> list[float]:
    return [time for one in runs for segment in one.segments for time in segment.times.tolist()]


def test_a_run_is_cut_across_its_segments():
    before, after = cut_run(run("a", 3, 4), 5)

    assert [segment.times.tolist() for segment in before.segments] == [[0, 1, 2], [103, 104]]
    assert [segment.times.tolist() for segment in after.segments] == [[105, 106]]


def test_few_runs_give_their_tails_and_no_row_serves_two_purposes():
    runs = [run("a", 200), run("b", 100, start=1000)]

    split = split_runs(runs, 0.25, window=10)

    parts = [times(part) for part in (split.fit, split.held_out, split.calibrate)]
    assert sorted(parts[0] + parts[1] + parts[2]) == times(runs)
    assert [len(part) for part in parts] == [192, 33, 75]
    for name in range(2):
        assert split.fit[name].segments[-1].times[-1] < split.held_out[name].segments[0].times[0]
        assert split.held_out[name].segments[-1].times[-1] < split.calibrate[name].segments[0].times[0]


def test_of_many_runs_the_last_ones_calibrate_whatever_their_order():
    runs = [run(str(start), 100, start=start) for start in (3000, 0, 1000, 2000, 4000)]

    split = split_runs(runs, 0.25, window=10)

    assert [one.name for one in split.calibrate] == ["3000", "4000"]
    assert sorted({one.name for one in split.fit}) == ["0", "1000", "2000"]


def test_one_run_that_outweighs_the_others_is_cut():
    runs = [run(str(start), 30, start=start) for start in (0, 1000, 2000)] + [run("long", 1000, start=3000)]

    assert len(split_runs(runs, 0.25, window=4).calibrate) == 4


@pytest.mark.parametrize(("rows", "purpose"), [(8, "fit"), (40, "stop training by"), (60, "stop training by")])
def test_too_few_rows_are_refused_with_the_number_wanted(rows, purpose):
    with pytest.raises(FitError, match=f"{rows} grid rows .* to {purpose}; give at least 200"):
        split_runs([run("a", rows)], 0.25, window=10)


def test_rows_that_were_fitted_on_are_recognised():
    fitted, other = run("a", 3000), run("b", 3000, start=5000)
    sample = sample_hashes([fitted])

    assert len(sample) == 2048
    assert fitted_part([fitted], sample) == 1.0
    assert fitted_part([other], sample) == 0.0
    assert 0.2 < fitted_part([cut_run(fitted, 1000)[0], other], sample) < 0.3
    assert fitted_part([fitted], []) == 0.0


def test_a_second_network_calibrates_on_the_first_rows_of_each_run_and_is_fitted_on_what_follows():
    runs = [run("a", 200), run("b", 100, start=1000)]
    split = split_runs(runs, 0.25, window=5)

    second = split_again(runs, split, rows=90, window=5)

    assert second is not None
    assert [sum(one.rows for one in part) for part in (second.fit, second.held_out, second.calibrate)] == [179, 31, 90]
    assert [one.rows for one in second.calibrate] == [60, 30]
    assert sorted(times(second.every)) == times(runs)
    assert not set(times(second.calibrate)) & set(times(split.calibrate))


def test_it_calibrates_on_half_of_the_rows_at_the_most():
    runs = [run("a", 200)]

    second = split_again(runs, split_runs(runs, 0.25, window=5), rows=1000, window=5)

    assert second is not None
    assert sum(one.rows for one in second.calibrate) == 100


def test_of_many_runs_it_calibrates_on_the_first_as_a_whole():
    runs = [run(str(start), 100, start=start) for start in (3000, 0, 1000, 2000, 4000)]

    second = split_again(runs, split_runs(runs, 0.25, window=5), rows=150, window=5)

    assert second is not None
    assert [one.name for one in second.calibrate] == ["0", "1000"]
    assert {one.name for one in second.fit} == {"2000", "3000", "4000"}


def test_no_row_is_calibrated_on_twice_however_large_the_part_held_back_is():
    runs = [run("a", 400)]
    split = split_runs(runs, 0.7, window=5)

    second = split_again(runs, split, rows=200, window=5)

    assert second is not None
    assert not set(times(second.calibrate)) & set(times(split.calibrate))


def test_a_part_that_holds_no_window_makes_none():
    runs = [run("a", 200)]

    assert split_again(runs, split_runs(runs, 0.25, window=10), rows=100, window=30) is None
