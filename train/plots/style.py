"""How all figures look, and how they become SVG that follows the reader's light or dark page."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib
from matplotlib.figure import Figure


@dataclass(frozen=True)
class Size:
    """For which screen a figure is drawn; text has one size on all, so a small one has less side by side."""

    name: str
    """The class of the SVG, by which the page shows the one that fits."""
    width_in: float
    ticks: tuple[int, int]
    """On an axis of time, at least and at most."""
    points: int
    """Pairs of extremes that one line keeps: more than a figure has columns to show them in."""


WIDE = Size("wide", 9.2, (3, 9), 400)
NARROW = Size("narrow", 3.7, (2, 5), 180)

# Light colours by their role; as SVG each becomes the page's variable of that name.
COLORS = {
    "ink": "#1f1e1c",
    "soft": "#55534f",
    "muted": "#6c6a65",
    "grid": "#e2e0da",
    "surface": "#fdfcfa",
    "observed": "#3d4654",
    "expected": "#2a78d6",
    "second": "#d9622b",
    "good": "#17915f",
    "alarm": "#d33f49",
    "truth": "#c79a1f",
}
# The same in the dark, as report.css has them.
DARK = {
    "ink": "#f1efea",
    "soft": "#c2bfb8",
    "muted": "#8f8c85",
    "grid": "#34322f",
    "surface": "#1c1b1a",
    "observed": "#c9d1dc",
    "expected": "#5a9ff0",
    "second": "#ee8650",
    "good": "#35b985",
    "alarm": "#ef6a70",
    "truth": "#d9b24a",
}
_RC = {
    "font.size": 9.5,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.edgecolor": COLORS["muted"],
    "axes.labelcolor": COLORS["soft"],
    "axes.titlecolor": COLORS["ink"],
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "figure.constrained_layout.use": True,
    "grid.color": COLORS["grid"],
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.labelcolor": COLORS["soft"],
    "lines.linewidth": 1.3,
    "lines.solid_joinstyle": "round",
    "path.simplify_threshold": 0.4,
    "savefig.facecolor": "none",
    "svg.fonttype": "none",  # text stays text: smaller, searchable, in the page's font
    "svg.hashsalt": "offbeat",  # the same figure gives the same file
    "text.color": COLORS["ink"],
    "xtick.color": COLORS["soft"],
    "ytick.color": COLORS["soft"],
    "xtick.major.size": 3,
    "ytick.major.size": 0,
}


@contextmanager
def styled() -> Iterator[None]:
    """The look of the figures, and of nothing else in this process."""
    with matplotlib.rc_context(_RC):
        yield


def new_figure(size: Size, height_in: float, rows: int = 1, columns: int = 1, **options: Any) -> tuple[Figure, Any]:
    """A figure as wide as the page with (rows, columns) axes; no window, no global state."""
    figure = Figure(figsize=(size.width_in, height_in))
    return figure, figure.subplots(rows, columns, squeeze=False, **options)


def named(artist: Any, name: str) -> None:
    """Give what was drawn a class in the SVG."""
    artist.set_gid(f"class:{name}")


def to_svg(figure: Figure, label: str, size: Size = WIDE) -> str:
    """The figure as an `<svg>` element as wide as its column; `label` says in words what it shows."""
    buffer = io.StringIO()
    with styled(), matplotlib.rc_context({"svg.hashsalt": f"offbeat-{size.name}"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<(metadata|style)\b.*?</\1>", "", text, flags=re.DOTALL)  # a style here would hold for the page
    opening = f'<svg class="{size.name}" viewBox="\\1" role="img" {_aria(label)}>'
    text = re.sub(r'<svg [^>]*viewBox="([^"]*)"[^>]*>', opening, text, count=1)
    text = re.sub(r' id="class:([a-z-]+)"', r' class="\1"', text)
    text = re.sub(r' id="[A-Za-z0-9.]+_\d+"', "", text)  # figure_1, axes_1, ...: the same in every figure of a page
    text = re.sub(r"font-family: [^;\"]*; ?", "", text)  # the page's font
    text = re.sub(r' (?:d|x|y|points)="[^"]*"', _shortened, text)
    for name, color in COLORS.items():
        text = text.replace(color, f"var(--{name})")
    return re.sub(r"\n\s*", "\n", text)


def _shortened(match: re.Match[str]) -> str:
    """Coordinates to a tenth of a point, finer than any screen; lines without repeating that they are lines."""
    text = re.sub(r"(\.\d)\d+", r"\1", match[0])
    return text if re.search("[QC]", text) else re.sub(r"\s+L\s+", " ", text)


def _aria(label: str) -> str:
    escaped = label.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace("\\", "/")
    return f'aria-label="{escaped}"'
