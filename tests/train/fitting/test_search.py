"""offbeat-train fit --search: settings by the loss on rows that nobody labelled."""

import re
from pathlib import Path

import numpy as np
import pytest

from edge.detector.bundle.files import load_bundle
from tests.helpers.files import write_machine
from train.__main__ import main
from train.fitting.fit import FitSettings, Listener
from train.fitting.search import Tried, best_of, search
from train.network.training import TrainingSettings
from train.read.dataset import Run, Segment

SILENT = Listener(lambda _: None, lambda *_: None)
SETTINGS = FitSettings("m", ("a",), 1.0, window=6, hidden=4, training=TrainingSettings(epochs=2, seed=3))


@pytest.fixture(scope="module")
def runs() -> list[Run]:
    times = np.arange(300.0)
    values = np.sin(times / 5)[:, None] + np.random.default_rng(0).normal(0, 0.05, (300, 1))
    return [Run("a", (Segment(times, values),))]


@pytest.fixture(scope="module")
def tried(runs: list[Run]) -> list[Tried]:
    return search(runs, SETTINGS, 2, SILENT)


def test_the_given_setting_is_tried_first(tried: list[Tried]) -> None:
    assert tried[0].settings == SETTINGS
    assert best_of(tried).loss <= tried[0].loss


def test_settings_differ_in_the_network_and_nowhere_else(tried: list[Tried]) -> None:
    assert len({(one.settings.hidden, one.settings.dropout) for one in tried}) == 2
    for one in tried:
        assert one.settings.hidden in (1, 2, 4, 8)
        assert (one.settings.window, one.settings.architecture, one.settings.training.seed) == (
            6,
            "lstm-autoencoder",
            3,
        )


def test_the_same_seed_tries_the_same_settings(runs: list[Run], tried: list[Tried]) -> None:
    assert search(runs, SETTINGS, 2, SILENT) == tried


def test_a_setting_far_worse_than_the_others_is_given_up(runs: list[Run], monkeypatch: pytest.MonkeyPatch) -> None:
    losses = iter([1.0, 1.0, 1.0, 9.0])

    def worse(_shape: object, _windows: object, _held_out: object, settings: TrainingSettings, on_epoch) -> None:
        loss = next(losses)
        for epoch in range(settings.epochs):
            on_epoch(epoch, loss, loss)

    monkeypatch.setattr("train.fitting.search.train_network", worse)
    settings = FitSettings("m", ("a",), 1.0, window=6, hidden=4, training=TrainingSettings(epochs=20))

    found = search(runs, settings, 4, SILENT)

    assert [one.given_up for one in found] == [False, False, False, True]
    assert found[3].epochs < 20


def test_fit_shows_what_it_tried_and_fits_the_best(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write_machine(tmp_path / "a.csv", rows=600)
    options = ["--epochs", "2", "--window", "10", "--hidden", "6", "--search", "2"]

    assert main(["fit", str(file), "--out", str(tmp_path / "b"), *options]) == 0

    printed = capsys.readouterr().out
    best = re.search(r"fitting the best of 2: hidden (\d+), layers (\d)", printed)
    training = load_bundle(tmp_path / "b").training
    assert best is not None
    assert (training["hidden"], training["layers"]) == (int(best[1]), int(best[2]))
    assert training["settings_tried"] == 2
    assert "Settings tried" in printed
