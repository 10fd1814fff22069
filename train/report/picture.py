"""The README's picture: a fault inside the usual range of every channel, and the difference that gives it away."""

import argparse
import io
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from edge.detector.bundle.files import Bundle, load_bundle
from edge.detector.rows.aligner import AlignerSettings
from edge.detector.score.runtime import load_model
from train.evaluation.limits import LIMIT_SDS, kept_in
from train.evaluation.playback import play, read_for
from train.plots.signals import Recorded, difference_track
from train.plots.style import COLORS, DARK, WIDE, new_figure, styled
from train.plots.tracks import TimeAxis, draw, shade
from train.read.tables import ReadOptions
from train.report.episodes import recorded

_LABELS = "anomaly"


def main() -> None:
    """Score a labelled file with a bundle and draw some of its channels as SVG, light and dark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("csv", type=Path, help=f"readings with a column {_LABELS!r}")
    parser.add_argument("out", type=Path, help="FILE.svg; FILE-dark.svg is written beside it")
    parser.add_argument("--channels", default="speed,flow", help="the last one with its difference")
    args = parser.parse_args()
    bundle = load_bundle(args.bundle)
    variant, network = load_model(bundle)
    (table,) = read_for(bundle, [args.csv], ReadOptions(label_column=_LABELS))
    (played,) = play(bundle, variant, network, [table], explained=True)
    record = recorded(played)
    labels = np.zeros(len(record.times), bool) if table.labels is None else table.labels
    figure = picture(bundle, record, labels, args.channels.split(","))
    text = _svg(figure)
    args.out.write_text(text, "utf-8")
    for light, dark in zip(COLORS.values(), DARK.values(), strict=True):
        text = text.replace(light, dark)
    args.out.with_stem(f"{args.out.stem}-dark").write_text(text, "utf-8")


def picture(bundle: Bundle, record: Recorded, labels: np.ndarray, channels: list[str]) -> Figure:
    """A panel a channel with the fixed limits of a bundle, one for the last one's difference, one for the score.

    `labels` (n,) bool are the rows of the fault.
    """
    gap_s = AlignerSettings(bundle.period_s).gap_s
    padded = {"figure.constrained_layout.w_pad": 0.12, "figure.constrained_layout.h_pad": 0.08}
    with styled(), matplotlib.rc_context(padded):
        figure, grid = new_figure(WIDE, 6.2, len(channels) + 2, sharex=True)
        axis = TimeAxis(record.times, bundle.timezone)
        for (axes,), name in zip(grid, channels, strict=False):
            at = bundle.channel_names.index(name)
            _channel(axes, axis, record, at, gap_s)
            _limits(axes, bundle, at)
            _title(axes, f"{name} ({bundle.channels[at].unit}): inside its limits")
        difference_track(grid[-2][0], axis, record, at, gap_s)
        _title(grid[-2][0], f"{name}, reading less what the other channels let expect ({bundle.channels[at].unit})")
        _score(grid[-1][0], axis, record, gap_s)
        fault = record.times[labels]
        for (axes,) in grid:
            shade(axes, axis, [(float(fault[0]), float(fault[-1]))] if len(fault) else [], "truth", 0.25)
        shade(grid[-1][0], axis, record.flagged, "alarm", 0.3)
        figure.legend(*_legend(), loc="outside lower center", ncols=7, fontsize=8.5, columnspacing=1.2)
        axis.format(grid[-1][0])
        return figure


def _channel(axes: Any, axis: TimeAxis, record: Recorded, at: int, gap_s: float) -> None:
    assert record.expected is not None
    draw(axes, axis, record.times, record.expected[:, at], gap_s, color=COLORS["expected"], linewidth=1.6, alpha=0.9)
    draw(axes, axis, record.times, record.values[:, at], gap_s, color=COLORS["observed"], linewidth=0.9)


def _limits(axes: Any, bundle: Bundle, at: int) -> None:
    if (known := kept_in(bundle)) is None:
        return
    mean, sd = known
    for limit in (mean[at] - LIMIT_SDS * sd[at], mean[at] + LIMIT_SDS * sd[at]):
        axes.axhline(limit, color=COLORS["muted"], linestyle=(0, (2, 3)), linewidth=0.9)


def _score(axes: Any, axis: TimeAxis, record: Recorded, gap_s: float) -> None:
    draw(axes, axis, record.times, record.score, gap_s, color=COLORS["observed"], linewidth=1.1)
    axes.axhline(1.0, color=COLORS["alarm"], linestyle=(0, (5, 3)), linewidth=1.0)
    axes.set_ylim(0.0, 1.15 * float(np.nanmax(record.score)))
    _title(axes, "score")


def _title(axes: Any, text: str) -> None:
    axes.set_title(text, fontsize=9, pad=3)


def _legend() -> tuple[list[Any], list[str]]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles = {
        "reading": Line2D([], [], color=COLORS["observed"]),
        "expected": Line2D([], [], color=COLORS["expected"], linewidth=1.6),
        f"mean ± {LIMIT_SDS:g} sd": Line2D([], [], color=COLORS["muted"], linestyle=(0, (2, 3))),
        "difference": Line2D([], [], color=COLORS["second"]),
        "tolerance": Patch(color=COLORS["expected"], alpha=0.22),
        "fault": Patch(color=COLORS["truth"], alpha=0.35),
        "episode": Patch(color=COLORS["alarm"], alpha=0.4),
    }
    return list(handles.values()), list(handles)


def _svg(figure: Figure) -> str:
    buffer = io.StringIO()
    with styled():
        figure.savefig(buffer, format="svg", facecolor=COLORS["surface"], metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


if __name__ == "__main__":
    main()
