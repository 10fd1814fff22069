"""offbeat-train evaluate: how good a bundle is on recordings, beside what it has to beat."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from train.options.labels import add_labels_option
from train.options.playback import add_playback_options, play_files, row_count

if TYPE_CHECKING:
    from rich.console import Console

    from edge.detector.bundle.files import Bundle, Variant
    from train.evaluation.evaluation import Evaluation, Quiet
    from train.evaluation.metrics import Judged
    from train.evaluation.playback import Played


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add the command's parser."""
    parser = subparsers.add_parser("evaluate", help="metrics on labelled files, episodes a day on others")
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="folder with a manifest.json")
    parser.add_argument("csv", nargs="+", type=Path, metavar="CSV", help="recordings, each a device of its own")
    parser.add_argument(
        "--from-row",
        type=row_count,
        metavar="N",
        help="first row of each file that is evaluated, from 0 (default: the first after --calibrate-rows)",
    )
    parser.add_argument(
        "--windows",
        type=Path,
        metavar="FILE",
        help='label windows as JSON, {"folder/file.csv": [["from", "to"], ...]}; they decide what is found',
    )
    add_labels_option(parser, "they decide what is found")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures as JSON")
    add_playback_options(parser)
    return parser


def run(args: argparse.Namespace) -> int:
    """Play the files, say how good the alarms were."""
    from train.console.terminal import echo, terminal

    console = terminal()
    first = _first_row(args)
    bundle, variant, played = play_files(args, args.csv, console)
    _require_rows(played, first)
    result = _result(args, bundle, played, first)
    _print_result(result, bundle.timezone, console)
    if args.json is not None:
        body = {**_settings(args, bundle, variant, played, first), **result.to_dict()}
        args.json.write_text(json.dumps(body, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        echo(console, f"figures in {args.json}")
    if args.report is not None:
        from train.report import write_evaluate_report

        write_evaluate_report(args.report, bundle, variant, played, result)
        echo(console, f"report in {args.report}")
    return 0


def _first_row(args: argparse.Namespace) -> int:
    from train.console.errors import DatasetError

    if args.from_row is None:
        return args.calibrate_rows
    if args.from_row < args.calibrate_rows:
        raise DatasetError(
            f"--from-row {args.from_row} lies among the {args.calibrate_rows} rows of --calibrate-rows, which have no "
            "scores; evaluate later ones"
        )
    return args.from_row


def _require_rows(played: "Sequence[Played]", first: int) -> None:
    from train.console.errors import DatasetError

    for one in played:
        rows = len(one.table.times)
        if first >= rows:
            raise DatasetError(f"{one.table.name}: it has {rows} rows, none from row {first} on to evaluate")


def _result(args: argparse.Namespace, bundle: "Bundle", played: "Sequence[Played]", first: int) -> "Evaluation | Quiet":
    from train.evaluation.evaluation import evaluate, summarize

    files = _judged(args, bundle, played, first)
    return summarize(bundle, played, first) if files is None else evaluate(bundle, played, files, bool(args.windows))


def _judged(
    args: argparse.Namespace, bundle: "Bundle", played: "Sequence[Played]", first: int
) -> "list[Judged] | None":
    """The files beside their truth; None where nobody knows it."""
    from train.evaluation.evaluation import judge
    from train.evaluation.label_windows import read_windows, windows_of

    if args.windows is not None:
        windows = read_windows(args.windows, args.timezone or bundle.timezone)
        return [judge(one, windows_of(windows, path), first) for one, path in zip(played, args.csv, strict=True)]
    if any(one.table.labels is None for one in played):
        return None
    return [judge(one, None, first) for one in played]


def _settings(
    args: argparse.Namespace, bundle: "Bundle", variant: "Variant", played: "Sequence[Played]", first: int
) -> dict[str, Any]:
    return {
        "bundle": {"name": bundle.name, "sha256": bundle.sha256, "variant": variant.name},
        "files": [one.table.name for one in played],
        "calibrate_rows": args.calibrate_rows,
        "from_row": first,
    }


def _print_result(result: "Evaluation | Quiet", timezone: str, console: "Console") -> None:
    from train.evaluation.evaluation import Evaluation
    from train.evaluation.table import print_evaluation, print_quiet

    if isinstance(result, Evaluation):
        print_evaluation(result, timezone, console)
    else:
        print_quiet(result, console)
