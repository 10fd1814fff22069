import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.detector.rows.aligner import AlignerSettings
from edge.detector.score.ring import RingBuffer
from tests.helpers.files import column
from tests.helpers.recordings import recordings
from train.console.errors import DatasetError
from train.console.times import parse_instant
from train.read.data_report import describe, oddities
from train.read.dataset import Selection, align, sensible_period, sliding_windows, usual_period
from train.read.tables import RawTable, ReadOptions, read_tables

GRID = AlignerSettings(period_s=1.0)


def table(times, values=None, labels=None) -> RawTable:
    times = np.asarray(times, float)
    values = column(range(len(times))) if values is None else np.asarray(values, float)
    texts = np.array([str(time) for time in times], object)
    labels = None if labels is None else np.asarray(labels, bool)
    names = tuple("abc"[: values.shape[1]])
    return RawTable("run", texts, times, names, values, labels, text_cells=0, ragged=0)


def times_of(run) -> list[list[float]]:
    return [segment.times.tolist() for segment in run.segments]


@given(st.integers(2, 6), st.integers(1, 5), st.integers(0, 40), st.integers(1, 3))
def test_sliding_windows_are_those_of_the_devices_ring_buffer(length, stride, count, channels):
    rows = np.random.default_rng(count).normal(size=(count, channels)).astype(np.float32)
    ring, one, since, device = RingBuffer(1, length, channels), np.array([0]), stride, []
    for row in rows:
        ring.append(one, row[None])
        since += 1
        if ring.full(one)[0] and since >= stride:
            device.append(ring.windows(one)[0].copy())
            since = 0

    windows = sliding_windows(rows, length, stride)

    assert len(windows) == len(device)
    assert all(np.array_equal(ours, theirs) for ours, theirs in zip(windows, device, strict=True))


def test_a_gap_ends_a_segment_and_a_short_silence_is_held():
    run = align(table([1, 2, 5, 6, 12, 13]), Selection(), GRID)

    assert times_of(run) == [[1, 2, 3, 4, 5, 6], [12, 13]]
    assert run.segments[0].values[:, 0].tolist() == [0, 1, 1, 1, 2, 3]


def test_rows_out_of_order_and_repeated_are_sorted_and_the_first_counts():
    run = align(table([3, 1, 2, 2]), Selection(), GRID)

    assert times_of(run) == [[1, 2, 3]]
    assert run.segments[0].values[:, 0].tolist() == [1, 2, 0]


def test_channels_that_are_missing_for_long_are_nan():
    values = [[row, row if row == 0 else np.nan] for row in range(6)]

    run = align(table(range(6), values), Selection(), GRID)

    assert np.isnan(run.segments[0].values[:, 1]).tolist() == [False, False, False, False, True, True]


@pytest.mark.parametrize(
    ("selection", "segments"),
    [
        (Selection(rows=slice(2, 5)), [[2, 3, 4]]),
        (Selection(until=3.0), [[0, 1, 2]]),
        (Selection(exclude=((2.0, 4.0),)), [[0, 1], [4, 5, 6, 7]]),
        (Selection(exclude=((2.2, 2.8),)), [[0, 1, 2], [3, 4, 5, 6, 7]]),
        (Selection(exclude=((0.0, 2.0), (6.0, 99.0))), [[2, 3, 4, 5]]),
        (Selection(rows=slice(100, None)), []),
    ],
)
def test_no_segment_reaches_over_rows_that_were_left_out(selection, segments):
    assert times_of(align(table(range(8)), selection, GRID)) == segments


def test_labelled_anomalies_are_left_out():
    run = align(table(range(6), labels=[0, 0, 1, 1, 0, 0]), Selection(), GRID)

    assert times_of(run) == [[0, 1], [4, 5]]


@pytest.mark.parametrize(
    ("step", "period"),
    [
        (0.9997, 1.0),
        (1.004, 1.0),
        (0.1, 0.1),
        (0.0334, 1 / 30),
        (1800.0, 1800.0),
        (299.9, 300.0),
        (2.5, 2.5),
        (1e-3, 1e-3),
    ],
)
def test_a_measured_step_becomes_the_period_that_was_meant(step, period):
    assert sensible_period(step) == pytest.approx(period, rel=1e-12)


def test_the_usual_period_is_the_median_over_all_files():
    assert usual_period([table([0, 1, 2, 3, 60]), table([0, 1.01, 2, 3])]) == 1.0
    with pytest.raises(DatasetError, match="--period"):
        usual_period([table([5, 5])])


def test_the_report_counts_what_is_odd():
    readings = table([0, 1, 1, 3, 2, np.nan, 20, 21], [[1, np.nan]] * 8)

    report = describe(readings, align(readings, Selection(), GRID), Selection())

    assert (report.rows_read, report.without_time, report.repeated_times, report.out_of_order) == (8, 1, 1, 1)
    assert (report.gaps, report.grid_rows, report.missing, report.constant) == (1, 6, {"b": 1.0}, ("a",))
    assert len(oddities(report)) == 5


@pytest.mark.data
def test_skab_is_read_without_being_told_how():
    tables = read_tables(recordings("skab/valve1/*.csv"), ReadOptions(label_column="anomaly"))

    assert len(tables) == 16
    assert len(tables[0].channels) == 8
    assert [one.name for one in tables[0].left_out] == ["changepoint"]
    assert usual_period(tables) == 1.0
    for readings in tables:
        assert not readings.labels[:400].any()
        assert readings.labels.any()
        assert align(readings, Selection(rows=slice(0, 400)), GRID).rows >= 400


@pytest.mark.data
def test_the_taxi_file_is_a_grid_of_local_half_hours():
    (taxi,) = read_tables(recordings("nab/realKnownCause/nyc_taxi.csv"), ReadOptions(timezone="America/New_York"))

    run = align(taxi, Selection(until=parse_instant("2014-10-12", "America/New_York")), AlignerSettings(1800.0))

    assert usual_period([taxi]) == 1800.0
    assert [len(segment) for segment in run.segments] == [103 * 48]
