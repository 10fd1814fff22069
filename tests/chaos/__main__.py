"""`make chaos`: faults made on purpose, and whether an alert was lost."""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.chaos import figures, isolation, opening, outage, trial
from tests.helpers.mosquitto import executable

_SCENARIOS: dict[str, Any] = {"outage": outage, "isolation": isolation, "opening": opening}


def main() -> int:
    """Run the trials; 1 when something was lost, out of order, orphaned, late or sent twice without saying so."""
    arguments = _arguments()
    if executable() is None:
        print("chaos: mosquitto is missing (Debian: apt-get install mosquitto)", file=sys.stderr)
        return 2
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="offbeat-chaos-") as folder:
        lines, good = _trials(arguments, Path(folder))
        scenarios, also_good = _scenarios(arguments, Path(folder))
    print()
    if lines:
        print(figures.table(lines))
    print(*scenarios, sep="\n")
    verdict = "nothing lost" if good and also_good else "NOT GOOD"
    print(f"{verdict}; seed {arguments.seed}, {time.monotonic() - began:.0f} s, ", end="")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    return 0 if good and also_good else 1


def _scenarios(arguments: argparse.Namespace, folder: Path) -> tuple[list[str], bool]:
    """What each scenario came to, and whether all were good."""
    texts, good = [], True
    for name, scenario in _SCENARIOS.items():
        if arguments.only not in name:
            continue
        print(f"{name}: ", end="", flush=True)
        try:
            outcome = scenario.run(folder / name, arguments.seed)
        except AssertionError as error:
            print(f"NOT GOOD: {error}", flush=True)
            good = False
            continue
        print("good" if outcome.faultless else "NOT GOOD", flush=True)
        texts.append(str(outcome))
        good = good and outcome.faultless
    return texts, good


def _trials(arguments: argparse.Namespace, folder: Path) -> tuple[list[figures.Figures], bool]:
    """The lines of the table, and whether all were good."""
    lines, good = [], True
    for kind in (kind for kind in trial.KINDS if arguments.only in kind.name):
        if reason := trial.unable(kind):
            print(f"skipped: {kind.name}: {reason}", flush=True)
            continue
        times = max(1, round(kind.times * arguments.rounds))
        print(f"{kind.name}, {times} times: ", end="", flush=True)
        began = time.monotonic()
        try:
            line, resident_mb = trial.run(kind, folder / kind.name.replace(" ", "-"), arguments.seed, times)
        except AssertionError as error:  # something stood still or fell over; the other trials tell more
            print(f"NOT GOOD: {error}", flush=True)
            good = False
            continue
        good = good and line.faultless
        verdict = "good" if line.faultless else "NOT GOOD"
        print(f"{verdict}, {line.committed} events in {time.monotonic() - began:.0f} s, ", end="")
        print(f"agent at most {resident_mb:.1f} MB", flush=True)
        lines.append(line)
    return lines, good


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of the faults' moments and the recording (1)")
    parser.add_argument("--rounds", type=float, default=1.0, help="times the usual number of injections (1)")
    parser.add_argument(
        "--only", default="", metavar="TEXT", help="trials whose name has this text; outage, isolation, opening"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
