"""The options of `benchmark families`, and what it does with them."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.detector.members.tuning import NUMBERS as CONSTANTS

if TYPE_CHECKING:
    from rich.console import Console

    from train.benchmarks.families.benchmark import FamiliesSettings, Other
    from train.benchmarks.models import Workshop

_SCHEDULES = 50


def add_options(parser: argparse.ArgumentParser) -> None:
    """Which families, beside what, and the constants."""
    parser.add_argument(
        "folder", type=Path, metavar="DIR", help="DIR/<family>/<case>/ with normal*.csv, test*.csv, meta.json"
    )
    parser.add_argument("--family", action="append", default=[], metavar="NAME", help="only this one; repeatable")
    parser.add_argument("--baselines", action="store_true", help="beside the reference those of the other benchmarks")
    parser.add_argument(
        "--constant", action="append", default=[], metavar="NAME", choices=CONSTANTS,
        help=f"for --leave-out, only this one; repeatable: {', '.join(CONSTANTS)}",
    )  # fmt: skip
    group = parser.add_argument_group("other benchmarks as families of their own, as they are by default")
    group.add_argument("--skab", type=Path, metavar="DIR", help="`benchmark skab DIR`")
    group.add_argument("--taxi", type=Path, metavar="CSV", help="`benchmark taxi CSV`; wants --windows")
    group.add_argument("--nab", type=Path, metavar="DIR", help="`benchmark nab DIR`; wants --windows")
    group.add_argument("--windows", type=Path, metavar="FILE", help="NAB's combined_windows.json")
    group.add_argument(
        "--pump", type=int, nargs="?", const=_SCHEDULES, metavar="SCHEDULES", help=f"`benchmark pump` ({_SCHEDULES})"
    )


def other_command_lines(args: argparse.Namespace) -> dict[str, list[str]]:
    """A family's name to the command line of the benchmark that it is.

    Raises:
        DatasetError: windows are wanted, and not given.
    """
    from train.console.errors import DatasetError

    for name in ("taxi", "nab"):
        if getattr(args, name) is not None and args.windows is None:
            raise DatasetError(f"--{name} wants --windows FILE, NAB's combined_windows.json")
    windows = ["--windows", str(args.windows)]
    lines = {
        "skab": [str(args.skab)],
        "taxi": [str(args.taxi), *windows],
        "nab": [str(args.nab), *windows],
        "pump": ["--schedules", str(args.pump), "--wear-hours", "0"],  # wear is in none of the figures told here
    }
    return {
        f"benchmark {name}": [name, *line, *fit_options(args)]
        for name, line in lines.items()
        if getattr(args, name) is not None
    }


def fit_options(args: argparse.Namespace) -> list[str]:
    """What was said of all models at once, as options of `fit` and of the other benchmarks."""
    given = {name: getattr(args, name) for name in ("architecture", "hidden", "epochs")}
    if args.threshold is not None:
        given["threshold"] = args.threshold.told
    return [text for name, value in given.items() if value is not None for text in (f"--{name}", str(value))]


@dataclass(frozen=True)
class FamilyFigures:
    """What was found, for a terminal and for JSON."""

    show: "Callable[[Console], None]"
    body: dict[str, Any]
    """Plain JSON types."""


def run(
    args: argparse.Namespace, seeds: list[int], workshop: "Workshop", others: "Mapping[str, Other]"
) -> FamilyFigures:
    """Run the benchmark as it is, without parts, or with other constants.

    Raises:
        DatasetError: something is not laid out as it should be.
    """
    from train.benchmarks.families.benchmark import FamiliesSettings, benchmark
    from train.benchmarks.families.table import print_families

    settings = FamiliesSettings(args.folder, tuple(args.family), tuple(fit_options(args)), args.baselines)
    if args.ablation or args.leave_out:
        return _tuned(args, settings, seeds, workshop, others)
    outcome = benchmark(settings, seeds, workshop, others)
    title = f"families: mean of {args.seeds} seed{'s' * (args.seeds > 1)}, {args.variant}"
    title += f", without {args.without}" if args.without else ""
    return FamilyFigures(lambda console: print_families(outcome, title, console), outcome.to_dict(seeds))


def _tuned(
    args: argparse.Namespace,
    settings: "FamiliesSettings",
    seeds: Sequence[int],
    workshop: "Workshop",
    others: "Mapping[str, Other]",
) -> FamilyFigures:
    """The detector without each of its parts, or with half and twice of each constant."""
    from train.benchmarks.families.benchmark import told
    from train.benchmarks.families.layout import read_families
    from train.benchmarks.families.leaving_out import leave_out, without_parts
    from train.benchmarks.families.table import print_left_out, print_parts
    from train.benchmarks.families.tunings import TunedFamilies
    from train.benchmarks.pool import workers

    families = read_families(settings.folder, settings.families, settings.options)
    with workers(workshop) as crew:
        tuned = TunedFamilies(families, others, seeds, crew)
        tuned.fit()
        common = {"settings": told(families), "notes": tuned.notes}
        if args.ablation:
            parts = without_parts(tuned)
            body = {part: {name: one.to_dict(seeds) for name, one in found.items()} for part, found in parts.items()}
            return FamilyFigures(lambda console: print_parts(parts, tuned.notes, console), {**common, "without": body})
        left_out = leave_out(tuned, args.constant or CONSTANTS)
    return FamilyFigures(
        lambda console: print_left_out(left_out, tuned.notes, console), {**common, "leave_out": left_out.to_dict()}
    )
