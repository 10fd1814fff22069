"""`make results`: docs/results.md from the benchmarks' JSON in docs/results, each with its commit, date and command."""

import argparse
import datetime
import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from docs.generate.markdown import table
from docs.generate.source import ROOT

FOLDER = ROOT / "docs/results"
PAGE = ROOT / "docs/results.md"
_HEAD = """# Results

<!-- Written by `make results`; the figures are in docs/results. -->

What the benchmarks printed, each with the commit that it ran at. Where a later commit changes how rows are scored, the
figures are of the detector before it until somebody runs the command again. What the columns mean, the
[benchmarks' page](how-to/run-the-benchmarks.md) says."""
_RATES, _COUNTS = ("j", "f1", "event_f1", "right_channel", "faults_found", "found_lost_coupling"), ("far", "mar")
_DIGITS = 6
"""That a figure is kept with: more is noise, and a diff of it as well."""


def main() -> None:
    """Take in a benchmark's JSON, if one is given, and write the page."""
    parser = argparse.ArgumentParser("python -m docs.generate.results", description=__doc__)
    parser.add_argument("--add", type=Path, metavar="FILE", help="JSON of `offbeat-train benchmark` or `make bench`")
    parser.add_argument("--command", default="", help="the command line that wrote it")
    parser.add_argument("--commit", help="that it ran at (default: the one that is checked out)")
    parser.add_argument("--date", help="on which (default: today)")
    args = parser.parse_args()
    if args.add:
        add(json.loads(args.add.read_text("utf-8")), args.command, args.commit or _head(), args.date or _today())
    PAGE.write_text(results(), "utf-8")


def add(figures: Mapping[str, Any], command: str, commit: str, date: str, folder: Path = FOLDER) -> None:
    """Keep a benchmark's figures in the place of those that it had before."""
    folder.mkdir(exist_ok=True)
    body = {"commit": commit, "date": date, "command": command, "figures": rounded(figures)}
    (folder / f"{figures.get('benchmark', 'bench')}.json").write_text(json.dumps(body, separators=(",", ":")) + "\n")


def results(folder: Path = FOLDER) -> str:
    """The page of the figures in a folder."""
    return "\n\n".join([_HEAD, *(_section(file) for file in sorted(folder.glob("*.json")))]) + "\n"


def rounded(value: Any) -> Any:
    """JSON with numbers of a few digits; a spread over one seed is none."""
    if isinstance(value, Mapping):
        alone = len(value.get("seeds", ())) == 1
        return {key: rounded(part) for key, part in value.items() if not (alone and key in ("spread", "seeds"))}
    if isinstance(value, list):
        return [rounded(part) for part in value]
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value


def _section(file: Path) -> str:
    body = json.loads(file.read_text("utf-8"))
    show: Callable[[dict[str, Any]], str] = _families if "families" in body["figures"] else _detectors
    if "machine" in body["figures"]:
        show = _speed
    return (
        f"## {file.stem}\n\n`{body['command']}`, commit {body['commit'][:7]}, {body['date']}\n\n{show(body['figures'])}"
    )


def _families(figures: dict[str, Any]) -> str:
    detectors = list(next(iter(figures["families"].values()))["detectors"])
    told = {name: one["detectors"] for name, one in figures["families"].items()} | {"mean": figures["mean"]}
    columns = ("j", "far", "mar", "events_found", "false_episodes", "false_episodes_per_1000_rows")
    rows = [
        (family, name, *(_number(column, of[name], column) for column in columns))
        for family, of in told.items()
        for name in detectors
    ]
    setup = table(["family", "settings"], figures["settings"].items())
    claims = [
        (", ".join(one["families"]), f"{one['claimed']:.1f}", f"{one['seen']:g}", _interval(one["interval"]),
         "yes" if one["holds"] else "no")
        for one in figures["claims"]
    ]  # fmt: skip
    head = ["false episodes of", "claimed", "seen", "95 % interval", "holds"]
    return "\n\n".join([table(["family", "detector", *map(_title, columns)], rows), table(head, claims), setup])


def _detectors(figures: dict[str, Any]) -> str:
    columns = [name for name, value in next(iter(figures["detectors"].values())).items() if _is_number(value)]
    rows = [(name, *(_number(column, one, column) for column in columns)) for name, one in figures["detectors"].items()]
    settings = ", ".join(f"{name} {value}" for name, value in figures["settings"].items())
    return f"{table(['detector', *map(_title, columns)], rows)}\n\n{settings}"


def _speed(figures: dict[str, Any]) -> str:
    head = f"{figures['machine']}, Python {figures['python']}"
    parts = [head]
    for size, batches in figures.get("windows", {}).items():
        kinds = sorted({kind for of in batches.values() for kind in of})
        rows = [(kind, *(f"{of[kind]:.1f}" if kind in of else "" for of in batches.values())) for kind in kinds]
        parts.append(table([f"{size}: us a window", *(f"batch {batch}" for batch in batches)], rows))
    if agent := figures.get("agent"):
        columns = ("streams", "hz", "cpu_share", "us_per_row", "lag_p50_s", "lag_p99_s", "resident_mb", "ready_s")
        rows = [tuple(f"{one[name]:.4g}" if name in one else "" for name in columns) for one in agent]
        parts.append(table(list(columns), rows))
    if instead := figures.get("instead"):
        parts.append(table(["us a row, from values to a score", ""], [(k, f"{us:.0f}") for k, us in instead.items()]))
    return "\n\n".join(parts)


def _number(name: str, of: Mapping[str, Any], column: str) -> str:
    """With its spread, where several seeds were run."""
    value = of.get(name)
    if not _is_number(value):
        return ""
    form = "{:.2f}" if not float(value).is_integer() or column in (*_RATES, *_COUNTS) else "{:g}"
    spread = of.get("spread", {}).get(name)
    found = form.format(value) + (f" ± {spread:.2f}" if spread else "")
    return f"{found} of {of['events']:g}" if name == "events_found" and "events" in of else found


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _interval(ends: Sequence[float]) -> str:
    return f"{ends[0]:.1f} to {ends[1]:.1f}"


def _title(name: str) -> str:
    """As the benchmarks' tables call it.

    >>> _title("far"), _title("false_episodes_per_1000_rows")
    ('FAR', 'false episodes per 1000 rows')
    """
    return {"j": "J", "f1": "F1", "far": "FAR", "mar": "MAR"}.get(name, name.replace("_", " "))


def _head() -> str:
    return subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True).stdout[
        :-1
    ]


def _today() -> str:
    return datetime.datetime.now(datetime.UTC).date().isoformat()


if __name__ == "__main__":
    main()
