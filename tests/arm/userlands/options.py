"""The options of `python -m tests.arm.userlands`."""

import argparse
from pathlib import Path

from tests.arm.userlands.kinds import chosen

ROOT = Path(__file__).resolve().parents[3]


def parse(arguments: list[str]) -> argparse.Namespace:
    """As argparse has it; `only` is a list of userlands."""
    parser = argparse.ArgumentParser(
        "python -m tests.arm.userlands",
        description="Installs the release on ARM userlands by the how-to, and prints what came of it.",
    )
    add = parser.add_argument
    add("--only", default="", metavar="NAMES", help="such as bookworm-arm64,trixie-arm64 (all)")
    add("--release", type=Path, metavar="FOLDER", help="what `make release` wrote; default: built anew")
    cache = ROOT / "build/arm/userlands"
    add(
        "--cache",
        type=Path,
        default=cache,
        metavar="FOLDER",
        help="what is made once (build/arm/userlands)",
    )
    add("--all", action="store_true", help="all tests of the edge, not those marked arm alone; an hour and more")
    options = parser.parse_args(arguments)
    try:
        options.only = chosen(options.only)
    except ValueError as error:
        parser.error(str(error))
    return options
