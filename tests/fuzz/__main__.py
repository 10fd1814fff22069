"""`make fuzz`: a million inputs that nobody would send, and whether any of them crashes, hangs or bloats a parser."""

import argparse
import logging
import os
import sys
import time
from collections.abc import Sequence

from tests.fuzz.run import Result, fuzz
from tests.fuzz.targets import TARGETS

MOST_GROWTH_BYTES = 10_000_000
"""Of all targets in the second halves of their examples."""


def main() -> int:
    """Fuzz all targets; 1 when a promise was broken or the process grew."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--examples", type=int, default=1_000_000, help="over all targets (1000000)")
    parser.add_argument("--seed", type=int, default=1, help="of the first batch (1)")
    parser.add_argument("--only", default="", metavar="TEXT", help="targets whose name has this text")
    arguments = parser.parse_args()
    logging.getLogger("edge").setLevel(logging.CRITICAL)  # every damaged file is a line in the log
    targets = [target for target in TARGETS if arguments.only in target.name]
    for target in targets:
        fuzz(target, 20, arguments.seed)  # models loaded, files made, caches filled
    began = time.monotonic()
    weights = sum(target.weight for target in targets)
    results = []
    for target in targets:
        results.append(fuzz(target, -(-arguments.examples * target.weight // weights), arguments.seed))
        print(_line(results[-1]), flush=True)
    grown = sum(result.grown_bytes for result in results)
    print(_total(results, time.monotonic() - began, grown, arguments.seed))
    return 0 if grown <= MOST_GROWTH_BYTES else 1


def _line(result: Result) -> str:
    return (
        f"{result.name:26} {result.examples:9,} examples {result.seconds:6.0f} s"
        f"   slowest {result.slowest_s * 1000:7.1f} ms   grown {result.grown_bytes / 1e6:5.1f} MB"
    )


def _total(results: Sequence[Result], seconds: float, grown: int, seed: int) -> str:
    return (
        f"{sum(result.examples for result in results):,} examples in {seconds:.0f} s, none crashed or hung; "
        f"in the second halves the process grew by {grown / 1e6:.1f} MB; seed {seed}, load {os.getloadavg()[0]:.1f}"
    )


if __name__ == "__main__":
    sys.exit(main())
