"""Inside the namespaces: each userland in turn, and the table."""

import argparse
import shutil
import sys
import time
from dataclasses import dataclass, field
from math import isnan
from pathlib import Path

from release.__main__ import release
from release.platforms import platform
from release.wheels import ReleaseError
from tests.arm.userlands import checked, namespace
from tests.arm.userlands.gateway import Gateway, make_broker
from tests.arm.userlands.kinds import HOME, Userland
from tests.arm.userlands.options import parse
from tests.arm.userlands.root import Root, UserlandError

MOST_COMMANDS = 9
"""From a fresh system to the first event."""


@dataclass
class Row:
    """What came of a userland."""

    userland: Userland
    commands: list[tuple[str, float]] = field(default_factory=list)
    """Those of the how-to, in turn, with the seconds each took."""
    installed_s: float = float("nan")
    mb: float = float("nan")
    tests: str = "-"
    differences: dict[str, float] = field(default_factory=dict)
    event_s: float = float("nan")
    total_s: float = 0.0
    problem: str = ""
    """Why it is not as promised; empty where it is."""

    def cells(self) -> list[str]:
        """As the table has them."""
        said = {name: "refused" if isnan(value) else f"{value:.1g}" for name, value in self.differences.items()}
        off = " ".join(f"{name} {value}" for name, value in said.items())
        figures = [str(len(self.commands)), f"{self.installed_s:.0f} s", _figure(self.mb, "MB"), self.tests, off or "-"]
        return [self.userland.name, *figures, _figure(self.event_s, "s"), f"{self.total_s:.0f} s", self.problem or "ok"]


def _figure(value: float, unit: str) -> str:
    return "-" if isnan(value) else f"{value:.0f} {unit}"


HEADINGS = [
    "userland", "commands", "installed in", "edge set", "tests", "scores differ by", "event after", "total", "result",
]  # fmt: skip


def table(rows: list[Row]) -> str:
    """Aligned, a line each."""
    lines = [HEADINGS, *(row.cells() for row in rows)]
    widths = [max(len(line[number]) for line in lines) for number in range(len(HEADINGS) - 1)]
    return "\n".join("  ".join([*map(str.ljust, line, widths), line[-1].splitlines()[0]]) for line in lines)


def commands_table(rows: list[Row]) -> str:
    """Every command of every userland, in Markdown."""
    lines = ["| system | command | seconds |", "|---|---|---|"]
    lines += [f"| {row.userland.name} | `{what}` | {took:.0f} |" for row in rows for what, took in row.commands]
    return "\n".join(lines)


def try_userland(userland: Userland, work: Path, options: argparse.Namespace) -> Row:
    """Everything on one; what is not as promised is the row's `problem`."""
    row, began = Row(userland), time.monotonic()
    work.mkdir(parents=True)
    broker = make_broker(work / "broker")
    try:
        root = Root(userland, work / "root", options.cache.resolve())
        _said("a fresh system", began)
        for file in options.release.iterdir():
            shutil.copy2(file, root.path(HOME))
        _fill(row, Gateway(root, broker, work, row.commands), work, options)
    except (UserlandError, ReleaseError) as error:
        row.problem = str(error)
        print(f"!!! {userland.name}: {error}", flush=True)
    finally:
        broker.kill()
    row.total_s = time.monotonic() - began
    return row


def _fill(row: Row, made: Gateway, work: Path, options: argparse.Namespace) -> None:
    root, log, began = made.root, work / "said.log", time.monotonic()
    try:
        made.install(_version(options.release))
    except UserlandError as error:
        if not row.userland.refused:
            raise
        print(f"    refused, as it must be: {checked.refusal(row.userland, str(error))}", flush=True)
        row.tests = "refused"
        row.installed_s = time.monotonic() - began
        return
    if row.userland.refused:
        raise UserlandError("it can be installed where it cannot run")
    row.installed_s = time.monotonic() - began
    row.mb = checked.installed_mb(root, log)
    _said(f"{row.mb:.0f} MB installed", began)
    made.first_event(_version(options.release))
    row.event_s = made.event_s
    _said(f"an event {made.event_s:.0f} s after the simulated board's start", began)
    checked.copy_tests(root, options.cache.resolve(), not options.all)
    row.differences = checked.score_differences(root, log)
    _said(f"scores differ by {row.differences}", began)
    row.tests = checked.run_tests(root, log, not options.all)
    _said(row.tests, began)
    if row.mb > row.userland.most_mb:
        raise UserlandError(f"the edge set takes {row.mb:.0f} MB, wanted {row.userland.most_mb:.0f} at most")
    if len(row.commands) > MOST_COMMANDS:
        raise UserlandError(f"{len(row.commands)} commands to the first event, wanted {MOST_COMMANDS} at most")


def _said(what: str, began: float) -> None:
    print(f"    {what} ({time.monotonic() - began:.0f} s)", flush=True)


def _version(folder: Path) -> str:
    """Of the Debian package, which is what the how-to's VERSION stands for."""
    return next(folder.glob("offbeat_*.deb")).name.split("_")[1]


def _build(options: argparse.Namespace, work: Path) -> Path:
    """The release for the machines asked for."""
    dist = work / "dist"
    targets = {platform(userland.architecture).machine: None for userland in options.only}
    release(dist, None, [platform(machine) for machine in targets], work / "release")
    return dist


def main() -> int:
    """Exit status 0 where all is as promised, else 1."""
    work, options = Path(sys.argv[1]), parse(sys.argv[2:])
    namespace.end_with_parent()
    namespace.register_emulators()
    work.mkdir(parents=True)
    rows: list[Row] = []
    if options.release is None:
        try:
            options.release = _build(options, work)
        except ReleaseError as error:
            print(f"test-arm: {error}", file=sys.stderr)
            return 1
    for number, userland in enumerate(options.only):
        print(f"--- {userland.name}", flush=True)
        rows.append(try_userland(userland, work / str(number), options))
    print(table(rows))
    print(f"\n{commands_table(rows)}")
    return int(any(row.problem for row in rows))


if __name__ == "__main__":
    sys.exit(main())
