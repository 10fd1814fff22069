"""`make soak`: simulated days at high speed; does the agent's memory, its files or its handles grow?"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from tests.helpers.mosquitto import executable
from tests.soak import samples, soak

MOST_GROWTH_MB = 2.0


def main() -> int:
    """Run a soak; 1 when memory or handles grew, or an episode is missing."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--hours", type=float, default=720.0, help="simulated (720, 30 days)")
    parser.add_argument("--seed", type=int, default=1, help="of the recording (1)")
    arguments = parser.parse_args()
    if executable() is None:
        print("soak: mosquitto is missing (Debian: apt-get install mosquitto)", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="offbeat-soak-") as folder:
        done = soak.run(Path(folder), arguments.seed, round(arguments.hours * 3600))
    start, end = samples.stretches(done.samples)
    days = done.rows / 86400
    print(f"{days:g} simulated days, {done.scored:,} of {done.rows:,} rows scored in {done.seconds:.0f} s", end="; ")
    print(f"{done.episodes} of {done.faults} known episodes received whole")
    print(samples.table(start, end))
    written = end[-1].written_mb - start[0].written_mb
    print(f"written: {written / ((end[-1].rows - start[0].rows) / 86400):.1f} MB a simulated day, ", end="")
    print(f"{done.faults / days:.0f} episodes a day; load {os.getloadavg()[0]:.1f}")
    memory, handles = (samples.change(start, end, name) for name in ("resident_mb", "handles"))
    grown = memory[1] - memory[0] >= MOST_GROWTH_MB or handles[1] > handles[0]
    return 0 if done.complete and not grown else 1


if __name__ == "__main__":
    sys.exit(main())
