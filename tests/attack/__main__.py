"""`make attack`: whatever an attacker or a month of chores would do, against a real agent; does it serve afterwards?"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.attack import bundles, flips, flood, lossless_reader, storms
from tests.attack.registry import Attack, Outcome, Runner, attacks
from tests.helpers.mosquitto import executable

_LONG = {
    "bundles": bundles.run,
    "flips": flips.run,
    "flood": flood.run,
    "lossless": lossless_reader.run,
    "storms": storms.run,
}


def main() -> int:
    """Run all; 1 where one does not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.attack", description=__doc__)
    parser.add_argument("--rounds", type=float, default=1.0, help="of what takes minutes (1)")
    parser.add_argument("--only", default="", metavar="TEXT", help="part of a name, or kind; " + ", ".join(_LONG))
    parser.add_argument("--list", action="store_true", help="print the names")
    options = parser.parse_args()
    chosen = [one for one in attacks() if options.only in one.name or options.only == one.kind]
    if options.list:
        print(*(f"{one.kind:13}{one.name}" for one in chosen), sep="\n")
        return 0
    if executable() is None:
        print("attack: mosquitto is missing (Debian: apt-get install mosquitto)", file=sys.stderr)
        return 2
    began = time.monotonic()
    outcomes = _each(chosen)
    long = _long([name for name in _LONG if options.only in name], options.rounds)
    held = sum(not outcome.failure for outcome in outcomes)
    slowest = max((outcome.served_s or 0.0 for outcome in outcomes), default=0.0)
    print(f"{held} of {len(outcomes)} held; serving again after {slowest:.1f} s at most; ", end="")
    print(f"{sum(long)} of {len(long)} long ones held; {time.monotonic() - began:.0f} s")
    return 0 if held == len(outcomes) and all(long) else 1


def _each(chosen: Sequence[Attack]) -> list[Outcome]:
    runner, outcomes, width = Runner(), [], max((len(one.name) for one in chosen), default=0)
    print(f"{'kind':13}{'attack or fault':{width}}  {'':8}{'s':>7}{'serving again, s':>19}")
    try:
        for one in chosen:
            outcome = runner.run(one)
            outcomes.append(outcome)
            served = "" if outcome.served_s is None else f"{outcome.served_s:.1f}"
            said = "FAILED" if outcome.failure else "held"
            print(f"{one.kind:13}{one.name:{width}}  {said:8}{outcome.seconds:7.1f}{served:>19}", flush=True)
            if outcome.failure:
                print(f"{'':13}{outcome.failure}", flush=True)
    finally:
        runner.close()
    return outcomes


def _long(names: Sequence[str], rounds: float) -> list[bool]:
    results = []
    with tempfile.TemporaryDirectory(prefix="offbeat-attack-") as folder:
        for name in names:
            held, told = _LONG[name](Path(folder) / name, rounds)
            print(f"{name}: {'held' if held else 'FAILED'}: {told}", flush=True)
            results.append(held)
    return results


if __name__ == "__main__":
    sys.exit(main())
