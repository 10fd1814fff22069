"""Draws docs/pictures/page anew: the live page before made-up machines, in a real browser.

`python -m tests.integrations.page.screenshots [FOLDER]`; wants Mosquitto, Chromium and OFFBEAT_NODE as the tests do.
"""

import sys
import tempfile
from pathlib import Path

from PIL import Image

from tests.helpers.mosquitto import Broker
from tests.helpers.page import Page
from tests.integrations.page import scenes
from tests.integrations.page.scenes import Machines
from tests.integrations.page.visiting import visit

SIZES = {"desk": ("1280", "620"), "phone": ("390", "844")}
# Scene, view, scheme, size.
SHOTS = (
    ("calm", "overview", "light", "desk"),
    ("calm", "overview", "dark", "phone"),
    ("calm", "stream", "light", "phone"),
    ("alert", "overview", "light", "desk"),
    ("alert", "overview", "dark", "phone"),
    ("alert", "stream", "light", "desk"),
    ("alert", "stream", "dark", "desk"),
    ("alert", "stream", "light", "phone"),
    ("alert", "episode", "dark", "desk"),
    ("alert", "episode", "light", "phone"),
    ("twenty", "overview", "light", "desk"),
    ("twenty", "overview", "dark", "desk"),
    ("twenty", "overview", "light", "phone"),
)


def draw(folder: Path) -> None:
    """All of them, a scene after another."""
    folder.mkdir(parents=True, exist_ok=True)
    for scene in dict.fromkeys(shot[0] for shot in SHOTS):
        with tempfile.TemporaryDirectory() as name:
            broker = Broker(Path(name)).start()
            page = Page(broker, Path(name) / "page.db")
            machines = Machines(broker)
            try:
                getattr(scenes, scene)(machines)
                machines.settle(page)
                for shot in SHOTS:
                    if shot[0] == scene:
                        _shoot(folder, page.url, machines, *shot)
            finally:
                machines.close()
                page.stop()
                broker.kill()


def _shoot(folder: Path, url: str, machines: Machines, scene: str, view: str, scheme: str, size: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        visit(Path(name), url + machines.paths[view], "wait:2500", scheme=scheme, size=size, sizes=SIZES)
        save_small(Path(name, f"{scheme}-{size}.png"), folder / f"{scene}-{view}-{scheme}-{size}.png")


def save_small(shot: Path, out: Path, top: int = 0, bottom: int | None = None) -> None:
    """A screenshot, or what of it lies between two heights, in 256 colours."""
    with Image.open(shot) as image:
        part = image.crop((0, top, image.width, min(bottom or image.height, image.height)))
    part.convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE, kmeans=1).save(out, optimize=True)
    print(f"{out.name}: {out.stat().st_size / 1000:.0f} kB", flush=True)


if __name__ == "__main__":
    draw(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/pictures/page"))
