"""offbeat-train score: what the device would say of each row of a file."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from train.options.playback import add_playback_options, play_files
from train.options.readings import add_rows_option

if TYPE_CHECKING:
    from rich.console import Console

    from edge.detector.bundle.files import Bundle, Variant
    from train.evaluation.playback import Played

_MOST_EPISODES = 20


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "score", help="replay a CSV file as the device would see it, write a score for each row"
    )
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="folder with a manifest.json")
    parser.add_argument("csv", type=Path, metavar="CSV", help="a recording with the bundle's channels")
    parser.add_argument("--out", type=Path, default=Path("scores.csv"), metavar="FILE", help="(scores.csv)")
    parser.add_argument("--events", type=Path, metavar="FILE", help="write the events as well, a JSON object a line")
    add_rows_option(parser, "; --calibrate-rows counts among these")
    add_playback_options(parser)
    return parser


def run(args: argparse.Namespace) -> int:
    """Play the file, write its scores, say which episodes there were."""
    from train.console.terminal import echo, terminal
    from train.console.words import plural
    from train.evaluation.scores import write_events, write_scores

    console = terminal()
    bundle, variant, (played,) = play_files(args, [args.csv], console, args.rows)
    write_scores(args.out, played)
    _print_summary(bundle, variant, played, console)
    echo(console, f"scores in {args.out}")
    if args.events is not None:
        write_events(args.events, played.replay.events)
        echo(console, f"{plural(len(played.replay.events), 'event')} in {args.events}")
    if args.report is not None:
        from train.report import write_score_report

        write_score_report(args.report, bundle, variant, played)
        echo(console, f"report in {args.report}")
    return 0


def _print_summary(bundle: "Bundle", variant: "Variant", played: "Played", console: "Console") -> None:
    from rich.table import Table

    from train.console.terminal import echo
    from train.console.words import count, duration, number, plural, when
    from train.evaluation.scores import episodes_of

    replay, episodes = played.replay, episodes_of(played)
    scored = int((replay.score == replay.score).sum())
    echo(
        console,
        f"{played.table.name} with {bundle.name} ({variant.name}): {plural(len(replay.score), 'row')}, "
        f"{count(scored)} scored, {count(int(replay.alarm.sum()))} in alarm, {plural(len(episodes), 'episode')}",
    )
    if not episodes:
        return
    table = Table(title="Episodes", title_justify="left")
    for name in ("alarm from", "to", "lasted", "highest score", "channel"):
        table.add_column(name, justify="right" if name in ("lasted", "highest score") else "left")
    for one in episodes[:_MOST_EPISODES]:
        span = [when(time, bundle.timezone) for time in (one.start, one.end)]
        table.add_row(*span, duration(one.end - one.start), number(one.top_score), one.top_channel)
    console.print(table)
    if len(episodes) > _MOST_EPISODES:
        echo(console, f"and {len(episodes) - _MOST_EPISODES} more")
