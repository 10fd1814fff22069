"""offbeat-train benchmark: how good the detector is on public data, beside what it has to beat."""

import argparse
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from train.benchmarks.ablation import PARTS
from train.benchmarks.families import command as families
from train.network.architecture import ARCHITECTURES
from train.options.readings import add_threshold_option

if TYPE_CHECKING:
    from rich.console import Console

    from train.benchmarks.families.benchmark import Other
    from train.benchmarks.figures import BenchmarkResult
    from train.benchmarks.models import Workshop
    from train.fitting.fit import FitSettings

_COLUMNS = {
    "skab": ("j", "f1", "far", "mar", "far_before_onset", "files_found", "false_episodes", "delay_s"),
    "taxi": ("events_found", "false_episodes", "delay_s", "longest_delay_s", "far", "far_before_onset"),
    "pump": (
        *("faults_found", "false_episodes_per_day", "right_channel", "found_lost_coupling"),
        *("wear_found", "wear_part_latest", "delay_s"),
    ),
    "nab": ("event_f1", "events_found", "false_episodes", "false_episodes_per_1000_rows", "delay_s", "far", "mar"),
}


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add the command's parser."""
    parser = subparsers.add_parser("benchmark", help="measure the detector on public data, beside baselines")
    kinds = parser.add_subparsers(dest="benchmark", required=True, metavar="BENCHMARK", title="benchmarks")
    _add_skab(kinds.add_parser("skab", help="SKAB: a fleet model, each file commissioned on its first rows"))
    _add_taxi(kinds.add_parser("taxi", help="NYC taxi: weekly season, five known events"))
    _add_nab(kinds.add_parser("nab", help="NAB: each file on its own probation, results in NAB's layout"))
    _add_pump(kinds.add_parser("pump", help="the simulated pump: faults drawn at random, and slow wear"))
    _add_families(
        kinds.add_parser("families", help="folders of recordings of many kinds, and other benchmarks as such")
    )
    return parser


def _add_skab(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help="recordings with a label column")
    parser.add_argument(
        "--fit", type=Path, metavar="DIR", help="fit on these recordings (default: in two folds, on the other fold)"
    )
    parser.add_argument("--label-column", default="anomaly", metavar="NAME", help="(anomaly)")
    parser.add_argument("--rows", type=int, default=400, metavar="N", help="normal rows each file begins with (400)")
    parser.add_argument("--window", type=int, default=30, metavar="ROWS", help="rows in a window (30)")
    _add_shared(parser, seeds=5)


def _add_taxi(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="CSV")
    parser.add_argument("--windows", type=Path, required=True, metavar="FILE", help="NAB's combined_windows.json")
    parser.add_argument(
        "--exclude", action="append", default=[], metavar="FROM..TO", help="do not fit on this stretch; repeatable"
    )
    parser.add_argument("--window", type=int, default=48, metavar="ROWS", help="rows in a window (48, a day)")
    _add_shared(parser, seeds=5)


def _add_nab(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help="folders of files with timestamp and value")
    parser.add_argument(
        "--windows", type=Path, metavar="FILE", help="NAB's combined_windows.json; without it no figures"
    )
    parser.add_argument("--results", type=Path, metavar="OUT", help="write NAB's layout of results here")
    parser.add_argument("--window", type=int, default=30, metavar="ROWS", help="rows in a window, at most (30)")
    _add_shared(parser, seeds=1)


def _add_pump(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--schedules", type=_at_least_one, default=50, metavar="N", help="random ones (50)")
    parser.add_argument("--faults", type=_at_least_one, default=10, metavar="N", help="in each (10)")
    parser.add_argument("--hours", type=float, default=6.5, metavar="H", help="length of each (6.5)")
    parser.add_argument("--normal-hours", type=float, default=24.0, metavar="H", help="to fit and calibrate on (24)")
    parser.add_argument("--wear-hours", type=float, default=48.0, metavar="H", help="slow wear; 0 leaves it out (48)")
    parser.add_argument("--bundle", type=Path, metavar="DIR", help="try this bundle as it is, fit none")
    parser.add_argument("--window", type=_at_least_one, default=30, metavar="ROWS", help="rows in a window (30)")
    _add_shared(parser, seeds=1)


def _add_families(parser: argparse.ArgumentParser) -> None:
    families.add_options(parser)
    modes = _add_shared(parser, seeds=1, threshold=None)
    modes.add_argument("--leave-out", action="store_true", help="choose constants on all families but one")


def _add_shared(parser: argparse.ArgumentParser, seeds: int, threshold: str | None = "pot") -> Any:
    """Options of every benchmark; the group of those of which one is taken at most."""
    parser.add_argument(
        "--seeds", type=_at_least_one, default=seeds, metavar="N", help=f"fits, seeds 0 to N-1 ({seeds})"
    )
    parser.add_argument("--variant", choices=("float32", "dynamic", "int8"), default="dynamic", help="(dynamic)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures as JSON")
    parser.add_argument(
        "--models",
        type=Path,
        metavar="DIR",
        help="keep the fitted models here; what lies there already is not fitted again",
    )
    parser.add_argument(
        "--jobs",
        type=_at_least_one,
        default=os.cpu_count() or 1,
        metavar="N",
        help="processes side by side (one a core)",
    )
    modes = parser.add_mutually_exclusive_group()
    modes.add_argument("--without", metavar="PART", choices=PARTS, help=f"take a part away: {', '.join(PARTS)}")
    modes.add_argument("--ablation", action="store_true", help="a line for the detector without each of these parts")
    parser.add_argument("--architecture", choices=ARCHITECTURES, help="of the network (default: as fit)")
    add_threshold_option(parser, threshold)
    parser.add_argument("--hidden", type=_at_least_one, metavar="UNITS", help="LSTM units (default: as fit)")
    parser.add_argument("--epochs", type=_at_least_one, metavar="N", help="at most (default: as fit)")
    return modes


def run(args: argparse.Namespace) -> int:
    """Run the benchmark, say what it found."""
    from train.benchmarks.table import print_outcome
    from train.console.terminal import terminal

    console = terminal()
    seeds = list(range(args.seeds))
    if args.benchmark == "families":
        return _run_families(args, seeds, console)
    with _workshop(args, console) as workshop:
        outcome = (_ablation if args.ablation else _BENCHMARKS[args.benchmark])(args, seeds, workshop)
    title = f"{args.benchmark}: mean ± sd of {args.seeds} seed{'s' * (args.seeds > 1)}, {args.variant}"
    title += f", without {args.without}" if args.without else ""
    print_outcome(outcome, _COLUMNS[args.benchmark], title, console)
    _write_json(
        args,
        {
            "settings": {**outcome.settings, "threshold": args.threshold.told},
            "detectors": {name: tally.to_dict(seeds) for name, tally in outcome.detectors.items()},
        },
        console,
    )
    return 0


def _run_families(args: argparse.Namespace, seeds: list[int], console: "Console") -> int:
    with _workshop(args, console) as workshop:
        measured = families.run(args, seeds, workshop, _others(args, seeds))
    measured.show(console)
    _write_json(args, measured.body, console)
    return 0


def _others(args: argparse.Namespace, seeds: list[int]) -> "dict[str, Other]":
    """Other benchmarks as their own command lines would run them, by the name of their family."""
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    lines = families.other_command_lines(args)
    found = {name: parser.parse_args(["benchmark", *line]) for name, line in lines.items()}
    return {name: partial(_BENCHMARKS[own.benchmark], own, seeds) for name, own in found.items()}


def _write_json(args: argparse.Namespace, body: dict[str, Any], console: "Console") -> None:
    from train.console.terminal import echo

    if args.json is None:
        return
    body = {"benchmark": args.benchmark, "variant": args.variant, "without": args.without, **body}
    args.json.write_text(json.dumps(body, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    echo(console, f"figures in {args.json}")


def _ablation(args: argparse.Namespace, seeds: list[int], workshop: "Workshop") -> "BenchmarkResult":
    """The detector as it is, and without each part in turn; the models are the same."""
    from train.benchmarks.ablation import without

    benchmark = _BENCHMARKS[args.benchmark]
    alone = replace(workshop, detectors=("offbeat",))
    whole = benchmark(args, seeds, alone)
    lines = {"offbeat": whole.detectors["offbeat"]}
    for part in PARTS:
        outcome = benchmark(args, seeds, replace(alone, tuning=without(part)))
        lines[f"without {part}"] = outcome.detectors["offbeat"]
    return replace(whole, detectors=lines, notes=())


def _skab(args: argparse.Namespace, seeds: list[int], workshop: "Workshop") -> "BenchmarkResult":
    from train.benchmarks.skab import SkabSettings, benchmark

    settings = SkabSettings(args.folder, args.fit, args.label_column, args.rows)
    return benchmark(replace(settings, model=_model(args, settings.model)), seeds, workshop)


def _taxi(args: argparse.Namespace, seeds: list[int], workshop: "Workshop") -> "BenchmarkResult":
    from train.benchmarks.taxi import TaxiSettings, benchmark

    settings = TaxiSettings(args.file, args.windows, exclude=tuple(args.exclude))
    return benchmark(replace(settings, model=_model(args, settings.model)), seeds, workshop)


def _nab(args: argparse.Namespace, seeds: list[int], workshop: "Workshop") -> "BenchmarkResult":
    from train.benchmarks.nab import NabSettings, benchmark

    settings = NabSettings(args.folder, args.windows, args.results)
    return benchmark(replace(settings, model=_model(args, settings.model)), seeds, workshop)


def _pump(args: argparse.Namespace, seeds: list[int], workshop: "Workshop") -> "BenchmarkResult":
    from train.benchmarks.pump import PumpSettings, benchmark

    settings = PumpSettings(args.schedules, args.faults, args.hours, args.normal_hours, args.wear_hours, args.bundle)
    return benchmark(replace(settings, model=_model(args, settings.model)), seeds, workshop)


_BENCHMARKS = {"skab": _skab, "taxi": _taxi, "nab": _nab, "pump": _pump}


def _model(args: argparse.Namespace, model: "FitSettings") -> "FitSettings":
    training = model.training if args.epochs is None else replace(model.training, epochs=args.epochs)
    architecture = args.architecture or model.architecture
    return replace(
        model,
        window=args.window,
        hidden=args.hidden or model.hidden,
        architecture=architecture,
        threshold=replace(args.threshold, signed=ARCHITECTURES[architecture].signed),
        training=training,
    )


@contextmanager
def _workshop(args: argparse.Namespace, console: "Console") -> "Iterator[Workshop]":
    from train.benchmarks.ablation import without
    from train.benchmarks.models import Workshop
    from train.benchmarks.progress import show_stages
    from train.fitting.trials import find_interpreters

    with (
        tempfile.TemporaryDirectory(prefix="offbeat-benchmark-") as folder,
        show_stages(console) as progress,
    ):
        interpreters = tuple(find_interpreters(()))
        yield Workshop(
            args.models or Path(folder), interpreters, args.variant, without(args.without), progress, args.jobs
        )


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is below 1")
    return number
