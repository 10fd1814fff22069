"""Reports of the simulated pump, as `fit` and `evaluate` write them, in a minute."""

import contextlib
import io
from pathlib import Path

from firmware_sim.__main__ import main as simulate
from tests.helpers.documents import ROOT
from train.__main__ import main as train

FAULTS = ("blockage@20m+20m", "bearing_wear@60m+20m", "stuck.flow@100m+15m")


def evaluation(folder: Path) -> Path:
    """Three faults judged by models/pump."""
    recording, report = folder / "faults.csv", folder / "evaluate.html"
    faults = [word for fault in FAULTS for word in ("--fault", fault)]
    _run(simulate, "csv", "--out", recording, "--hours", "2.25", "--seed", "8", "--labels", *faults)
    _run(train, "evaluate", ROOT / "models/pump", recording, "--label-column", "anomaly", "--report", report)
    return report


def fitted(folder: Path, hours: float = 0.5, epochs: int = 2) -> Path:
    """A small network on half an hour."""
    recording, bundle = folder / "normal.csv", folder / "pump"
    _run(simulate, "csv", "--out", recording, "--hours", hours, "--seed", "9")
    _run(train, "fit", recording, "--out", bundle, "--epochs", epochs, "--window", "8", "--hidden", "4")
    return (bundle / "report.html").rename(folder / "fit.html")


def scored(folder: Path) -> Path:
    """An hour with a fault of which nobody has said where it is, by models/pump."""
    recording, report = folder / "unknown.csv", folder / "score.html"
    _run(simulate, "csv", "--out", recording, "--hours", "1", "--seed", "12", "--fault", "cavitation@25m+15m")
    _run(train, "score", ROOT / "models/pump", recording, "--out", folder / "scores.csv", "--report", report)
    return report


MADE = {"evaluate": evaluation, "fit": fitted, "score": scored}


def _run(main, *line: object) -> None:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as said:
        status = main([str(word) for word in line])
    assert not status, said.getvalue()[-2000:]
