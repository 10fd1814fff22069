"""Draws docs/pictures/reports anew: what `fit`, `evaluate` and `score` write, in a real browser.

`python -m tests.integrations.reports.screenshots [FOLDER]`; wants Chromium and OFFBEAT_NODE as the tests do, and some
minutes: a small network is fitted on three hours of the simulated pump.
"""

import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.integrations.page.screenshots import save_small
from tests.integrations.page.visiting import assert_sound, visit
from tests.integrations.reports.made import evaluation, fitted, scored

MADE: dict[str, Callable[[Path], Path]] = {
    "evaluate": evaluation,
    "fit": partial(fitted, hours=3.0, epochs=12),
    "score": scored,
}
SIZES = {"desk": ("1100", "860"), "phone": ("390", "844")}
HEIGHTS = {"desk": 1250, "phone": 1500}
"""What one picture shows of a page that is several screens long."""
# Report, scheme, size, section at which the picture begins ("": the top), and its name.
SHOTS = (
    ("evaluate", "light", "desk", "", "figures"),
    ("evaluate", "dark", "desk", "A closer look", "episodes"),
    ("evaluate", "light", "phone", "A closer look", "episodes"),
    ("fit", "light", "desk", "What it expects", "expects"),
    ("fit", "dark", "desk", "Training", "training"),
    ("fit", "dark", "phone", "", "top"),
    ("score", "dark", "desk", "", "top"),
    ("score", "light", "phone", "", "top"),
)


def draw(folder: Path) -> None:
    """All of them, a report after another."""
    folder.mkdir(parents=True, exist_ok=True)
    for report, make in MADE.items():
        with tempfile.TemporaryDirectory() as name:
            page = make(Path(name)).as_uri()
            for _, scheme, size, section, part in (shot for shot in SHOTS if shot[0] == report):
                found = visit(Path(name), page, scheme=scheme, size=size, sizes=SIZES)
                assert_sound(found)
                top = found["sections"][section] - 20 if section else 0
                out = folder / f"{report}-{part}-{scheme}-{size}.png"
                save_small(Path(name, f"{scheme}-{size}.png"), out, top, top + HEIGHTS[size])


if __name__ == "__main__":
    draw(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/pictures/reports"))
