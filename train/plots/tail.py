"""How rare which score is on normal rows: what was seen, and the tail that was fitted to it."""

import numpy as np
from matplotlib.figure import Figure

from edge.detector.bundle.tail import EXTRAPOLATION, Tail
from train.console.words import duration
from train.plots.style import COLORS, WIDE, Size, new_figure, styled

_POINTS = 200
_TICKS_S = (60, 600, 3600, 6 * 3600, 86400, 7 * 86400, 30 * 86400, 365 * 86400)


def return_levels(peaks: np.ndarray, tail: Tail, level: float, size: Size = WIDE) -> Figure:
    """Scores against the time in which normal rows reach them once.

    `peaks` (n,) are declustered statistics, as `tail` was fitted to; `level` is the
    statistic that scores 1.0. The k-th highest of n peaks was reached k times in the
    span, the fitted line is the generalized Pareto tail (Coles 2001, return level plot).
    """
    seen = np.sort(peaks)[::-1] / level
    periods = tail.span_s / np.arange(1, len(seen) + 1)
    lowest = tail.span_s / max(tail.peaks, 1)
    fitted = np.geomspace(lowest, EXTRAPOLATION * tail.span_s, _POINTS)
    with styled():
        figure, ((axes,),) = new_figure(size, 3.0)
        axes.plot(periods, seen, "o", color=COLORS["observed"], markersize=3.5, label="seen", alpha=0.7)
        axes.plot(
            fitted, [tail.level(period) / level for period in fitted], color=COLORS["expected"], label="fitted tail"
        )
        axes.axhline(1.0, color=COLORS["alarm"], linestyle=(0, (5, 3)), label="alarm level")
        axes.axvline(tail.span_s, color=COLORS["muted"], linestyle=(0, (2, 3)), label="all normal rows seen")
        axes.set_xscale("log")
        ticks = [tick for tick in _TICKS_S if periods[-1] <= tick <= fitted[-1]][:: 1 if size is WIDE else 2]
        axes.set_xticks(ticks, [duration(tick) for tick in ticks])
        axes.minorticks_off()
        axes.set_xlabel("reached once in")
        axes.set_ylabel("score")
        axes.legend(loc="lower right", ncols=2) if size is WIDE else figure.legend(loc="outside lower center", ncols=2)
        return figure
