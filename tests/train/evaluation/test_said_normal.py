"""`evaluate --normal TIME`: what looks like the episode of that moment alerts no more in the rest of the recording."""

import csv
import json
from pathlib import Path

import pytest

from edge.detector.bundle.files import load_bundle
from edge.wire.moments import utc_text
from tests.soak.normal import day
from train.__main__ import main

PUMP = Path(__file__).resolve().parents[3] / "models" / "pump"
HOURS_S, SEED = 9000, 4


@pytest.fixture(scope="module")
def flushes(tmp_path_factory):
    """A recording of the pump that is flushed now and then, and when."""
    recorded = day(SEED, HOURS_S, flushes=True)
    path = tmp_path_factory.mktemp("flushes") / "pump.csv"
    with path.open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["time", *load_bundle(PUMP).channel_names])
        lines.writerows([row.time, *row.values.tolist()] for row in recorded.rows)
    return path, recorded


def episodes(path, tmp_path, *options):
    """Start times of the anomalies that `score` tells of."""
    told = tmp_path / "events.jsonl"
    status = main(["score", str(PUMP), str(path), "--out", str(tmp_path / "s.csv"), "--events", str(told), *options])
    events = [json.loads(line) for line in told.read_text("utf-8").splitlines()] if status == 0 else []
    return status, [one for one in events if one["kind"] == "anomaly" and one["event_type"] == "end"]


def test_what_looks_like_an_episode_that_was_called_normal_alerts_no_more(flushes, tmp_path, capsys):
    path, recorded = flushes
    _, before = episodes(path, tmp_path)
    first = before[0]

    status, after = episodes(path, tmp_path, "--normal", str(first["start_time"]))

    assert status == 0
    assert len(recorded.flushes) >= 3
    assert [one["start_time"] for one in after[:1]] == [first["start_time"]]
    assert len(after) < len(before)
    assert "called normal when it was over" in " ".join(capsys.readouterr().out.split())


def test_a_moment_without_an_anomaly_is_refused_with_those_that_there_were(flushes, tmp_path, capsys):
    path, recorded = flushes
    _, before = episodes(path, tmp_path)

    status, _ = episodes(path, tmp_path, "--normal", utc_text(recorded.rows[5].time))

    assert status == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "no anomaly went on then" in said
    assert utc_text(before[0]["start_time"]) in said


def test_what_is_no_time_is_refused(flushes, tmp_path, capsys):
    assert episodes(flushes[0], tmp_path, "--normal", "noon")[0] == 2
    assert "'noon' is no time" in " ".join(capsys.readouterr().err.split())
