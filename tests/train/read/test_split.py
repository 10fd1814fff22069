import numpy as np
import pytest

from train.console.errors import FitError
from train.read.dataset import Run, Segment
from train.read.row_hashes import fitted_part, sample_hashes
from train.read.split import cut_run, split_runs


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
