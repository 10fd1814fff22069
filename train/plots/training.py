"""Figures of a training: losses, and the scores of normal rows against the alarm level."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from train.plots.style import COLORS, WIDE, Size, new_figure, styled

_HIGHEST_SCORE = 4.0
"""Where a histogram ends: the few scores of an anomaly would press all others together."""


def losses(trained_on: Sequence[float], held_out: Sequence[float], best_epoch: int | None, size: Size = WIDE) -> Figure:
    """Both losses over the epochs, which count from 1; a mark at the epoch that was kept (counted from 0)."""
    with styled():
        figure, ((axes,),) = new_figure(size, 3.0)
        for series, color, label in (
            (trained_on, "expected", "rows trained on"),
            (held_out, "second", "rows held out"),
        ):
            axes.plot(1 + np.arange(len(series)), series, color=COLORS[color], label=label)
        if best_epoch is not None and best_epoch < len(held_out):
            best = held_out[best_epoch]
            axes.plot(best_epoch + 1, best, "o", color=COLORS["second"], markersize=6, label=f"kept: {best:.3g}")
        if min([*trained_on, *held_out], default=0) > 0:
            axes.set_yscale("log")
            _plain_log(axes)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("epoch")
        axes.set_ylabel("mean squared error")
        # Above the lines, wherever they go.
        axes.legend(loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0, ncols=3 if size is WIDE else 2)
        return figure


def score_histogram(scores: np.ndarray, what: str, size: Size = WIDE) -> Figure:
    """How often rows have which score; the alarm level is 1.0. `what` names the rows."""
    known = scores[np.isfinite(scores)]
    right = min(max(1.25, float(known.max()) * 1.05), _HIGHEST_SCORE) if len(known) else 1.25
    counts, edges = np.histogram(known, bins=60, range=(0, right))
    with styled():
        figure, ((axes,),) = new_figure(size, 2.8)
        below = edges[:-1] < 1.0
        for part, color in ((below, "expected"), (~below, "alarm")):
            style = {"align": "edge", "color": COLORS[color], "alpha": 0.75}
            axes.bar(edges[:-1][part], counts[part], np.diff(edges)[part], **style)
        axes.axvline(1.0, color=COLORS["alarm"], linestyle=(0, (5, 3)))
        where = {"xycoords": ("data", "axes fraction"), "xytext": (5, 0), "textcoords": "offset points"}
        axes.annotate("alarm level", (1.0, 0.94), color=COLORS["alarm"], **where)
        if beyond := int((known > right).sum()):
            note = f"{beyond:,} {what} beyond {right:g}"
            axes.annotate(note, (1.0, 0.06), xycoords="axes fraction", ha="right", color=COLORS["alarm"])
        axes.set_xlim(0, right)
        axes.set_xlabel("score (1.0 is the alarm level)")
        axes.set_ylabel(what)
        return figure


def _plain_log(axes: Any) -> None:
    """Ticks as 0.2 rather than as powers of ten: losses seldom span more than a few."""
    axes.yaxis.set_major_formatter("{x:g}")
    low, high = axes.get_ylim()
    axes.yaxis.set_minor_formatter("{x:g}" if high / low < 20 else "")
    axes.tick_params(axis="y", which="minor", left=False)
