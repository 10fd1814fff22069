"""Figures of an evaluation with labels: how well scores rank rows, and where detectors stand on those curves."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from sklearn.metrics import precision_recall_curve, roc_curve

from train.plots.style import COLORS, WIDE, Size, new_figure, styled

_MOST_POINTS = 300


@dataclass(frozen=True)
class Mark:
    """Where a detector with its own alarms stands; rates are fractions."""

    name: str
    far: float
    recall: float
    precision: float | None
    own: bool = False
    """Whether it is the detector that the curves belong to."""


def ranking_curves(labels: np.ndarray, score: np.ndarray, marks: Sequence[Mark], size: Size = WIDE) -> Figure:
    """ROC and precision-recall curves of (n,) scores, with the detectors' own alarms as points."""
    false_rate, hit_rate, _ = roc_curve(labels, score)
    precision, recall, _ = precision_recall_curve(labels, score)
    with styled():
        figure, grid = new_figure(size, 4.0, 1, 2) if size is WIDE else new_figure(size, 7.4, 2, 1)
        roc, pr = grid.ravel()
        roc.plot(*_spread(false_rate, hit_rate), color=COLORS["expected"])
        roc.plot([0, 1], [0, 1], color=COLORS["muted"], linestyle=(0, (2, 3)), linewidth=0.9)
        pr.plot(*_spread(recall, precision), color=COLORS["expected"])
        pr.axhline(labels.mean(), color=COLORS["muted"], linestyle=(0, (2, 3)), linewidth=0.9)
        for mark, shape in zip(marks, "os^D", strict=False):
            style = _style(mark, shape)
            roc.plot(mark.far, mark.recall, **style)
            if mark.precision is not None:
                pr.plot(mark.recall, mark.precision, **style)
        _frame(roc, "ROC", "normal rows in alarm", "anomalous rows in alarm")
        _frame(pr, "Precision and recall", "anomalous rows in alarm (recall)", "alarms that are right (precision)")
        roc.legend(loc="lower right")
        return figure


def _style(mark: Mark, shape: str) -> dict[str, Any]:
    return {
        "marker": shape,
        "linestyle": "none",
        "label": mark.name,
        "color": COLORS["alarm" if mark.own else "soft"],
        "markersize": 8 if mark.own else 6,
        "markeredgecolor": COLORS["surface"],
        "zorder": 6 if mark.own else 5,
        "clip_on": False,
    }


def _frame(axes: Any, title: str, across: str, up: str) -> None:
    axes.set(title=title, xlabel=across, ylabel=up, xlim=(-0.02, 1.02), ylim=(-0.02, 1.04))
    for each in (axes.xaxis, axes.yaxis):
        each.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")


def _spread(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """At most `_MOST_POINTS` points of a curve, both ends kept."""
    if len(x) <= _MOST_POINTS:
        return x, y
    chosen = np.unique(np.linspace(0, len(x) - 1, _MOST_POINTS).astype(int))
    return x[chosen], y[chosen]
