"""Every episode is drawn whole over what was expected of it; what was missed is listed with times, and drawn."""

import re
from pathlib import Path

import numpy as np
import pytest

from edge.detector.bundle.files import Bundle
from edge.detector.group import StreamGroup, StreamSettings
from edge.detector.rows.row import Row
from edge.detector.score.runtime import load_model
from tests.helpers.small_bundle import START, normal_rows, shake, write_csv
from train.__main__ import main
from train.console.words import when
from train.evaluation.found import Anomaly
from train.evaluation.playback import Played, play, read_for
from train.evaluation.scores import episodes_of
from train.read.tables import ReadOptions
from train.report.episodes import close_ups, recorded
from train.report.spans import whole_around

FAULTS = (slice(300, 330), slice(700, 760), slice(1100, 1130))
MISSED = slice(900, 940)
"""Rows that are called anomalous, and are as all others."""


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    values = normal_rows(1400, seed=60)
    labels = np.zeros(1400, bool)
    for rows in FAULTS:
        values, labels[rows] = shake(values, rows), True
    labels[MISSED] = True
    return write_csv(tmp_path_factory.mktemp("faults") / "run.csv", values, labels)


@pytest.fixture(scope="module")
def played(small_bundle: Bundle, recording: Path) -> Played:
    variant, model = load_model(small_bundle)
    tables = read_for(small_bundle, [recording], ReadOptions(label_column="label"))
    return play(small_bundle, variant, model, tables, explained=True)[0]


def report(bundle: Bundle, recording: Path, *command: str) -> str:
    out = recording.with_name(f"{command[0]}.html")
    line = [command[0], str(bundle.folder), str(recording), *command[1:], "--report", str(out)]
    if command[0] == "score":
        line += ["--out", str(recording.with_name("scores.csv"))]
    assert main(line) == 0
    return out.read_text("utf-8")


def section(html: str, title: str) -> str:
    return next(part for part in html.split("<section>") if part.startswith(f"<h2>{title}</h2>"))


def test_what_was_expected_of_each_row_is_what_the_device_says(small_bundle: Bundle, played: Played) -> None:
    variant, model = load_model(small_bundle)
    group = StreamGroup(small_bundle, variant, model, [StreamSettings("a")])
    assert played.replay.expected is not None
    assert played.replay.tolerance is not None

    for number, values in enumerate(played.table.values[:350]):
        (outcome,) = group.process([(0, Row(played.table.times[number], values))])
        if outcome.expected:
            assert played.replay.expected[number] == pytest.approx(list(outcome.expected.values()), rel=1e-6)
            assert played.replay.tolerance[number] == pytest.approx(list(outcome.tolerance.values()), rel=1e-6)
        else:
            assert np.isnan(played.replay.expected[number]).all()


def test_a_file_is_played_without_what_nobody_draws(small_bundle: Bundle, recording: Path) -> None:
    variant, model = load_model(small_bundle)
    tables = read_for(small_bundle, [recording], ReadOptions(label_column="label"))

    assert play(small_bundle, variant, model, tables)[0].replay.expected is None


def test_the_band_covers_every_row_of_every_episode(played: Played) -> None:
    record = recorded(played)
    assert record.expected is not None
    assert record.tolerance is not None

    assert len(record.flagged) == len(FAULTS)
    for start, end in record.flagged:
        inside = (record.times >= start) & (record.times <= end)
        assert np.isfinite(record.expected[inside]).all()
        assert (record.tolerance[inside] > 0).all()


@pytest.mark.parametrize("command", [("score",), ("evaluate", "--label-column", "label"), ("evaluate",)])
def test_every_episode_has_a_figure_with_the_expected_band(
    small_bundle: Bundle, recording: Path, played: Played, command: tuple[str, ...]
) -> None:
    html = report(small_bundle, recording, *command)

    over_time, closer = section(html, "Episodes over time"), section(html, "A closer look")
    episodes = episodes_of(played)
    assert len(episodes) == len(FAULTS)
    # Three channels in the figure of all time; in a close-up three and the difference; each for a desk and a phone.
    assert over_time.count('class="expected-band"') == 2 * 3
    figures = re.findall("<figure>.*?</figure>", closer, re.DOTALL)
    assert [one.count('class="expected-band"') for one in figures] == [2 * 4] * len(episodes)
    for one in episodes:
        assert f"<h3>{when(one.start, 'UTC')}, {one.top_channel}" in closer
    assert all("expected, and its tolerance" in one for one in figures)


def test_every_figure_is_drawn_for_a_desk_and_for_a_phone(small_bundle: Bundle, recording: Path) -> None:
    html = report(small_bundle, recording, "evaluate", "--label-column", "label")

    figures = re.findall("<figure>.*?</figure>", html, re.DOTALL)
    assert len(figures) >= 6
    for one in figures:
        assert re.findall('<svg class="([a-z]+)"', one) == ["wide", "narrow"]
        assert len(set(re.findall('aria-label="([^"]+)"', one))) == 1


def test_what_was_missed_is_listed_with_times_and_drawn(
    small_bundle: Bundle, recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    html = report(small_bundle, recording, "evaluate", "--label-column", "label")

    missed, start, end = section(html, "Missed"), START + MISSED.start, START + MISSED.stop - 1
    for text in (when(start, "UTC"), when(end, "UTC"), "39 s", "highest score"):
        assert text in missed
    assert missed.count("<tr") == 2
    assert 'class="expected-band"' in missed
    said = " ".join(capsys.readouterr().out.split())
    assert f"missed in run: {when(start, 'UTC')} to {when(end, 'UTC')}" in said


def test_nothing_missed_has_no_such_section(small_bundle: Bundle, tmp_path: Path) -> None:
    values, labels = shake(normal_rows(400, seed=30), slice(360, 400)), np.arange(400) >= 360

    html = report(small_bundle, write_csv(tmp_path / "run.csv", values, labels), "evaluate", "--label-column", "label")

    assert "<h2>Missed</h2>" not in html


def test_more_episodes_than_are_drawn_closely_are_told(small_bundle: Bundle, played: Played) -> None:
    parts = close_ups(small_bundle, played, (), most=2)

    assert len([one for one in parts if one.startswith("<figure>")]) == 2
    assert parts[-1] == "<p>1 quieter episode of run in the figure of all time only.</p>"


def test_episodes_in_one_anomaly_share_a_figure(small_bundle: Bundle, played: Played) -> None:
    parts = close_ups(small_bundle, played, [Anomaly(START + 650, START + 1150)])

    figures = [one for one in parts if one.startswith("<figure>")]
    assert len([one for one in parts if one.startswith("<h3>")]) == 3
    assert len(figures) <= 3


@pytest.mark.parametrize(
    ("core", "others", "wanted"),
    [
        ((100.0, 120.0), [], (70.0, 150.0)),
        ((100.0, 120.0), [(100.0, 120.0)], (70.0, 150.0)),
        ((100.0, 120.0), [(90.0, 130.0)], (50.0, 170.0)),
        ((100.0, 120.0), [(0.0, 1000.0)], (70.0, 150.0)),  # far longer: it fills the figure
        ((100.0, 120.0), [(140.0, 300.0)], (70.0, 130.0)),  # the next one is not cut off
        ((100.0, 120.0), [(10.0, 80.0)], (90.0, 150.0)),
        ((100.0, 120.0), [(130.0, 140.0)], (70.0, 150.0)),
    ],
)
def test_a_close_up_shows_an_episode_whole_and_cuts_no_other_off(
    core: tuple[float, float], others: list[tuple[float, float]], wanted: tuple[float, float]
) -> None:
    assert whole_around(core, others, 30.0) == wanted
