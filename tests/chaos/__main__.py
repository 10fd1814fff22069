"""`make chaos`: faults made on purpose, and whether an alert was lost."""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.chaos import figures, isolation, outage, trial
from tests.chaos.vitals import Vitals
from tests.mosquitto import executable


def main() -> int:
    """Run the trials; 1 when something was lost, out of order, orphaned, late or sent twice without saying so."""
    arguments = _arguments()
    if executable() is None:
        print("chaos: mosquitto is missing (Debian: apt-get install mosquitto)", file=sys.stderr)
        return 2
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="offbeat-chaos-") as name:
        folder = Path(name)
        lines, vitals, broken = _trials(arguments, folder)
        scenarios: list[outage.Outage | isolation.Isolation] = []
        if arguments.only in "outage":
            scenarios.append(outage.run(folder / "outage", arguments.seed))
        if arguments.only in "isolation":
            scenarios.append(isolation.run(folder / "isolation", arguments.seed))
    print()
    if lines:
        print(figures.table(lines), _commits(vitals), sep="\n")
    for scenario in scenarios:
        print(scenario)
    good = not broken and all(line.faultless for line in lines) and all(scenario.faultless for scenario in scenarios)
    print(
        f"{'nothing lost' if good else 'NOT GOOD'}; seed {arguments.seed}, {time.monotonic() - began:.0f} s, ", end=""
    )
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    return 0 if good else 1


def _trials(arguments: argparse.Namespace, folder: Path) -> tuple[list[figures.Figures], list[Vitals], list[str]]:
    lines, vitals, broken = [], [], []
    for kind in (kind for kind in trial.KINDS if arguments.only in kind.name):
        if reason := trial.unable(kind):
            print(f"skipped: {kind.name}: {reason}", flush=True)
            continue
        times = max(1, round(kind.times * arguments.rounds))
        print(f"{kind.name}, {times} times: ", end="", flush=True)
        began = time.monotonic()
        try:
            line, health = trial.run(kind, folder / kind.name.replace(" ", "-"), arguments.seed, times)
        except AssertionError as error:  # something stood still or fell over; the other trials tell more
            print(f"NOT GOOD: {error}", flush=True)
            broken.append(kind.name)
            continue
        verdict = "good" if line.faultless else "NOT GOOD"
        print(f"{verdict}, {line.committed} events in {time.monotonic() - began:.0f} s, ", end="")
        print(f"agent at most {health.resident_mb:.1f} MB", flush=True)
        lines.append(line)
        vitals.append(health)
    return lines, vitals, broken


def _commits(vitals: Sequence[Vitals]) -> str:
    p50 = [each.commit_p50_ms for each in vitals if each.commit_p50_ms is not None]
    p99 = [each.commit_p99_ms for each in vitals if each.commit_p99_ms is not None]
    if not p50:
        return "no event was committed"
    return (
        f"from an event to its COMMIT's return: median {statistics.median(p50):.1f} ms, "
        f"99th percentile {statistics.median(p99):.1f} ms (medians over the trials)"
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of the faults' moments and the recording (1)")
    parser.add_argument("--rounds", type=float, default=1.0, help="times the usual number of injections (1)")
    parser.add_argument("--only", default="", metavar="TEXT", help="trials whose name has this text; outage, isolation")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
