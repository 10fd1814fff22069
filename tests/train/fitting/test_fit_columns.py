"""Counters and codes, from `fit` to the device: what is left out, and what is converted alike in all places."""

from pathlib import Path

import numpy as np
import pytest

from edge.agent.stream import Stream
from edge.config.settings import StreamConfig
from edge.detector.bundle.files import load_bundle
from edge.detector.group import StreamGroup, StreamSettings
from edge.detector.score.runtime import load_model
from edge.sources.intake import Arrival
from edge.wire.readings import Readings
from tests.helpers.files import write_lines
from train.__main__ import main
from train.evaluation.playback import play, read_for
from train.read.tables import ReadOptions

START = 1_700_000_000
FITTED, LATER = 2400, 400
DAY = 86_400
"""Later rows are from a day after those fitted on: 2160 cycles of the machine."""


def write_meter(path: Path, first: int, rows: int, reset: int | None = None) -> Path:
    """A machine with three channels, a counter of records and an energy meter that goes with the load, and is set
    back in row `reset` of the file; a sensor sends -127 now and then."""
    at = np.arange(first, first + rows)
    noise = np.random.default_rng(first).normal(0, 0.05, (3, rows))
    phase = 2 * np.pi * at / 40
    load = np.sin(phase) + noise[0]
    heat = 3 + 0.5 * np.sin(phase - 0.8) + noise[1]
    flow = 10 + 2 * load + noise[2]
    energy = 50_000 + 5 * at - 12 * np.cos(phase)
    if reset is not None:
        energy[reset:] -= energy[reset]
    heat[at % 150 == 75] = -127.0
    columns = zip(at, load, heat, flow, energy, strict=True)
    lines = [f"{START + a},{b:.4f},{c:.4f},{d:.4f},{a},{e:.3f}" for a, b, c, d, e in columns]
    return write_lines(path, "time,load,heat,flow,records,energy", *lines)


def fit(folder: Path, name: str, *options: str) -> Path:
    """The bundle of the first rows, by a small network."""
    quick = ["--epochs", "4", "--window", "10", "--hidden", "8"]
    file = write_meter(folder / "normal.csv", 0, FITTED)
    assert main(["fit", str(file), "--out", str(folder / name), *quick, *options]) == 0
    return folder / name


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("columns")


@pytest.fixture(scope="module")
def rated(folder) -> Path:
    """A bundle that reads the meter as power."""
    return fit(
        folder, "rated", "--rate", "energy", "--missing", "heat=-127", "--unit", "energy=kWh", "--unit", "flow=l"
    )


def alarms(bundle: Path, file: Path) -> tuple[int, int]:
    """Rows in alarm, and rows with a score."""
    loaded = load_bundle(bundle)
    variant, model = load_model(loaded)
    (played,) = play(loaded, variant, model, read_for(loaded, [file], ReadOptions()))
    return int(played.replay.alarm.sum()), int(np.isfinite(played.replay.score).sum())


def test_counters_are_left_out_and_later_rows_of_the_same_machine_are_in_no_alarm(folder, capsys):
    later = write_meter(folder / "later.csv", DAY, LATER)
    plain = fit(folder, "plain", "--missing", "-127")

    assert load_bundle(plain).channel_names == ("load", "heat", "flow")
    printed = capsys.readouterr().out
    assert "--keep records" in printed
    assert "--rate energy" in printed
    assert alarms(plain, later) == (0, LATER - 9)

    # The same rows with the counters among the channels: this is what leaving them out is for.
    kept = fit(folder, "kept", "--missing", "-127", "--keep", "records", "--keep", "energy")
    assert alarms(kept, later)[0] > LATER / 2


def test_the_manifest_says_what_is_converted(rated):
    bundle = load_bundle(rated)

    assert (bundle.rates, bundle.missing) == (("energy",), {"heat": (-127.0,)})
    assert [(one.name, one.unit) for one in bundle.channels] == [
        ("load", ""),
        ("heat", ""),
        ("flow", "l"),
        ("energy", "kWh/s"),
    ]
    assert bundle.scaler.center[0, 3] == pytest.approx(5.0, abs=0.2)


def test_a_meter_that_goes_on_or_is_set_back_is_normal(rated, folder):
    file = write_meter(folder / "reset.csv", DAY, LATER, reset=200)

    assert alarms(rated, file) == (0, LATER - 9)


def test_the_agent_scores_the_same_rows_as_score_does(rated, folder):
    file = write_meter(folder / "agent.csv", DAY, LATER, reset=200)
    bundle = load_bundle(rated)
    variant, model = load_model(bundle)
    (table,) = read_for(bundle, [file], ReadOptions())
    (played,) = play(bundle, variant, model, [table])

    stream = Stream(StreamConfig(id="p", source="s", board="b", bundle=rated), bundle, live=False)
    for time, values in zip(table.times.tolist(), table.values.tolist(), strict=True):
        readings = Readings(dict(zip(table.channels, values, strict=True)), time)
        stream.take(Arrival("s", "b", readings, time - START, time))
    stream.flush()
    group = StreamGroup(bundle, variant, model, [StreamSettings("p")], stepwise=True)
    scores = [outcome.score for row in stream.rows for outcome in group.process([(0, row)])]

    np.testing.assert_allclose(scores, played.replay.score, rtol=1e-9)
    rows = np.array([row.values for row in stream.rows])
    np.testing.assert_array_equal(rows, played.table.values)
    assert np.nanmin(rows[:, 3]) > 0
    assert np.isnan(rows[:, 3]).sum() == 2  # the first row, and that of the reset
    assert not (rows == -127).any()


def test_a_device_is_calibrated_on_rates_too(rated, folder):
    device = write_meter(folder / "device.csv", DAY, LATER)
    out = folder / "commissioned"

    assert main(["calibrate", str(rated), str(device), "--out", str(out)]) == 0

    bundle = load_bundle(out)
    assert (bundle.rates, bundle.missing) == (("energy",), {"heat": (-127.0,)})
    assert bundle.variants[0].calibration["scaler"]["center"][3] == pytest.approx(5.0, abs=0.2)


def test_the_report_has_the_card(rated):
    page = (rated / "report.html").read_text()

    assert "The columns" in page
    assert "a counter, read as its rise a second" in page
    assert "--keep records" in page


def test_a_unit_of_a_column_that_was_left_out_says_so(folder, capsys):
    file = write_meter(folder / "unit.csv", 0, FITTED)

    assert main(["fit", str(file), "--out", str(folder / "none"), "--unit", "energy=kWh"]) == 2

    assert "no such channel; the column a counter or meter" in capsys.readouterr().err
