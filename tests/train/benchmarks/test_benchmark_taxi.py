"""The taxi benchmark on a small seasonal stream with the same calendar: windows, onsets, protocol."""

import json
from datetime import datetime, timedelta

import numpy as np
import pytest

from tests.helpers.files import write_lines
from train.__main__ import main

START, END = datetime(2014, 9, 1), datetime(2015, 1, 31, 23)


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    folder = tmp_path_factory.mktemp("taxi")
    noise = np.random.default_rng(0)
    hours = int((END - START).total_seconds() // 3600) + 1
    lines = []
    for hour in range(hours):
        time = START + timedelta(hours=hour)
        quiet = datetime(2014, 11, 27) <= time < datetime(2014, 11, 28)
        level = 0 if quiet else 10 + 5 * np.sin(2 * np.pi * time.hour / 24)
        lines.append(f"{time},{level + noise.normal(0, 0.3):.3f}")
    file = write_lines(folder / "demand.csv", "timestamp,value", *lines)
    windows = folder / "windows.json"
    pairs = [["2014-11-26 12:00:00", "2014-11-28 12:00:00"], ["2015-01-10 00:00:00", "2015-01-11 00:00:00"]]
    windows.write_text(json.dumps({"any/demand.csv": pairs, "any/other.csv": []}), "utf-8")
    out = folder / "figures.json"
    small = ["--seeds", "1", "--jobs", "1", "--window", "12", "--hidden", "3", "--epochs", "2", "--json", str(out)]
    assert main(["benchmark", "taxi", str(file), "--windows", str(windows), *small]) == 0
    return json.loads(out.read_text("utf-8"))


def test_windows_say_what_is_found_and_known_onsets_what_is_late(measured):
    offbeat = measured["detectors"]["offbeat"]

    # In the second window nothing happens: so small a network may alarm in it.
    assert offbeat["events"] == 2
    assert offbeat["events_found"] >= 1
    # The day without demand begins at the known onset, twelve hours after its window does.
    assert 0 <= offbeat["delay_s"] <= 12 * 3600


def test_blind_baselines_stand_beside_it(measured):
    always = measured["detectors"]["always"]

    assert (always["far"], always["mar"], always["false_episodes"]) == (1, 0, 1)
    assert measured["detectors"]["clock"]["events_found"] >= 1


def test_protocol_is_in_the_figures(measured):
    settings = measured["settings"]

    assert settings["zone"] == "America/New_York"
    assert settings["season"] == "weekly"
    assert settings["fitted on"].startswith("rows before 2014-10-12, of which the last 25 % calibrate")
    assert settings["evaluated"] == "2014-10-12 up to 2015-02-01, 2 label windows"
