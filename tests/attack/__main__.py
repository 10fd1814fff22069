"""`make attack`: the tests that are attacks, then what takes minutes: bundles replaced in use, a flood of payloads."""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.attack import bundles, flood, reader

_SUITE = (
    "tests/edge/agent/test_judged.py", "tests/edge/agent/test_passing_states.py", "tests/edge/agent/test_trial.py",
    "tests/edge/mqtt", "tests/edge/delivery/test_refusals.py", "tests/edge/detector/bundle/test_model_file.py",
    "tests/edge/sources/test_sources_mqtt.py", "tests/edge/state/test_lock.py",
    "tests/edge/watch/test_at_least_once.py", "tests/edge/wire/test_certificates.py",
)  # fmt: skip
_LONG = {"bundles": bundles, "flood": flood, "reader": reader}


def main() -> int:
    """Run all; 1 where one does not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.attack", description=__doc__)
    parser.add_argument("--rounds", type=float, default=1.0, help="times the usual number of injections (1)")
    parser.add_argument("--only", default="", metavar="TEXT", help="suite, bundles, flood or reader")
    options = parser.parse_args()
    good, began = True, time.monotonic()
    if options.only in "suite":
        line = [sys.executable, "-m", "pytest", "-v", "-n", "2", "--dist", "loadfile", *_SUITE]
        good = subprocess.run(line, check=False).returncode == 0
    with tempfile.TemporaryDirectory(prefix="offbeat-attack-") as folder:
        for name, attack in _LONG.items():
            if options.only in name:
                held, told = attack.run(Path(folder) / name, options.rounds)
                print(f"{name}: {'held' if held else 'NOT HELD'}: {told}", flush=True)
                good = good and held
    print(f"{'all held' if good else 'NOT ALL HELD'}, {time.monotonic() - began:.0f} s")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
