"""The README's picture: a fault inside the usual range of every channel, and the score that sees it."""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from edge.detector.bundle.files import Bundle, load_bundle
from edge.detector.rows.aligner import AlignerSettings
from edge.detector.score.runtime import load_model
from train.evaluation.playback import Played, play, read_for
from train.evaluation.trace import Trace, trace
from train.plots.signals import BAND_SDS
from train.plots.style import COLORS, new_figure, styled
from train.plots.tracks import TimeAxis, draw, runs_of, shade, thinned_band
from train.read.dataset import Segment
from train.read.tables import ReadOptions

_LABELS = "anomaly"
_LIMIT_SDS = 3.0


def main() -> None:
    """Score a labelled file with a bundle and draw some of its channels as SVG."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("normal", type=Path, help="normal readings, for the fixed limits")
    parser.add_argument("csv", type=Path, help=f"readings with a column {_LABELS!r}")
    parser.add_argument("out", type=Path)
    parser.add_argument("--channels", default="speed,flow")
    args = parser.parse_args()
    bundle = load_bundle(args.bundle)
    variant, network = load_model(bundle)
    (normal,) = read_for(bundle, [args.normal], ReadOptions())
    (table,) = read_for(bundle, [args.csv], ReadOptions(label_column=_LABELS))
    (played,) = play(bundle, variant, network, [table])
    # The simulator writes rows on the grid and leaves none out: the file is one segment as it is.
    seen = trace(bundle, network, played.calibration, Segment(table.times, table.values))
    mean, sd = np.nanmean(normal.values, axis=0), np.nanstd(normal.values, axis=0)
    limits = np.stack([mean - _LIMIT_SDS * sd, mean + _LIMIT_SDS * sd])
    figure = picture(bundle, played, seen, limits, args.channels.split(","))
    with styled():
        facts = {"Date": None, "Creator": None}
        figure.savefig(args.out, format="svg", facecolor=COLORS["surface"], metadata=facts)


def picture(bundle: Bundle, played: Played, seen: Trace, limits: np.ndarray, channels: list[str]) -> Figure:
    """A panel a channel with what was expected and the fixed `limits` (2, channels), and one for the score."""
    labels = np.zeros(len(played.table.times), bool) if played.table.labels is None else played.table.labels
    truth = runs_of(played.table.times, labels)
    alarms = runs_of(played.table.times, played.replay.alarm)
    gap_s = AlignerSettings(bundle.period_s).gap_s
    with styled():
        figure, grid = new_figure(5.4, len(channels) + 1, sharex=True)
        axis = TimeAxis(played.table.times, bundle.timezone)
        for (axes,), name in zip(grid, channels, strict=False):
            _channel(axes, axis, seen, limits, bundle.channel_names.index(name), gap_s)
            unit = bundle.channels[bundle.channel_names.index(name)].unit
            axes.set_title(f"{name} ({unit})" if unit else name, fontsize=9, pad=3)
        _score(grid[-1][0], axis, played, gap_s)
        for (axes,) in grid:
            shade(axes, axis, truth, "truth", 0.22)
        shade(grid[-1][0], axis, alarms, "alarm", 0.3)
        figure.legend(*_legend(grid), loc="outside lower center", ncols=6, fontsize=8.5)
        axis.format(grid[-1][0])
        return figure


def _channel(axes: Any, axis: TimeAxis, seen: Trace, limits: np.ndarray, number: int, gap_s: float) -> None:
    expected, reach = seen.expected[:, number], BAND_SDS * seen.usual[:, number]
    x, low, high = thinned_band(seen.times, expected - reach, expected + reach)
    axes.fill_between(axis.place(x), low, high, color=COLORS["expected"], alpha=0.25, linewidth=0, label="expected")
    draw(
        axes, axis, seen.times, seen.values[:, number], gap_s, color=COLORS["observed"], linewidth=0.9, label="reading"
    )
    for limit, label in zip(limits[:, number], (None, "mean ± 3 sd"), strict=True):
        axes.axhline(limit, color=COLORS["muted"], linestyle=(0, (2, 3)), linewidth=0.9, label=label)


def _score(axes: Any, axis: TimeAxis, played: Played, gap_s: float) -> None:
    times, score = played.table.times, played.replay.score
    draw(axes, axis, times, score, gap_s, color=COLORS["expected"], linewidth=1.1, label="score")
    axes.axhline(1.0, color=COLORS["alarm"], linestyle=(0, (5, 3)), linewidth=1.0, label="alarm level")
    axes.set_ylim(0.0, 1.15 * float(np.nanmax(score)))
    axes.set_title("score", fontsize=9, pad=3)


def _legend(grid: Any) -> tuple[list[Any], list[str]]:
    from matplotlib.patches import Patch

    handles: dict[str, Any] = {}
    for (axes,) in grid:
        handles |= {label: handle for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    handles["fault"] = Patch(color=COLORS["truth"], alpha=0.3)
    handles["episode"] = Patch(color=COLORS["alarm"], alpha=0.35)
    return list(handles.values()), list(handles)


if __name__ == "__main__":
    main()
