"""`python -m tests.soak.commissioning`: how long must a device commission itself to find what its bundle's limits do?

Days of the simulated pump with faults are played side by side, judged by models/pump's own calibration and by
calibrations that a device makes of so many hours before. No flushes: nothing unusual happens but the faults.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from edge.detector.bundle.files import load_bundle
from edge.detector.group import StreamGroup, StreamSettings
from edge.detector.rows.row import Row
from edge.detector.score.runtime import load_model
from firmware_sim.board.simulation import SimulationSettings, record
from tests.soak.normal import ROOT, START, Count, Day, day, play


def judged(folder: Path, days: Sequence[Day], hours: float, seed: int) -> Count:
    """What is found after so many hours of commissioning; by the bundle's calibration where these are none."""
    bundle, rows = load_bundle(folder), round(3600 * hours)
    variant, model = load_model(bundle, "auto")
    settings = [StreamSettings(f"p{number}", calibrate_rows=rows) for number in range(len(days))]
    group = StreamGroup(bundle, variant, model, settings)
    if rows:
        block = record(SimulationSettings(START - rows, float(rows), seed=seed))
        for number, (when, values) in enumerate(zip(block.times.tolist(), block.values, strict=True)):
            group.process([(stream, Row(when, values, number == 0)) for stream in range(len(days))])
    return play(group, days)


def main() -> None:
    """Print a line for each length of commissioning, one drawing of faults for all."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.commissioning", description=__doc__)
    parser.add_argument(
        "--bundle", type=Path, action="append", help="to judge with; several are compared (models/pump)"
    )
    parser.add_argument("--hours", type=float, nargs="+", default=[0.0, 0.25, 1.0, 4.0], help="of commissioning")
    parser.add_argument("--days", type=int, default=4, help="of 24 hours, side by side (4)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    days = [day(options.seed + 1 + number, 86_400, flushes=False) for number in range(options.days)]
    print(f"seed {options.seed}, {options.days} days, {sum(len(one.faults) for one in days)} faults")
    for folder in options.bundle or [ROOT / "models" / "pump"]:
        for hours in options.hours:
            count = judged(folder, days, hours, options.seed)
            name = f"commissioned on {hours:g} h" if hours else "the bundle's calibration"
            missed = ", ".join(f"{kind} {number}" for kind, number in count.missed.items()) or "none"
            print(
                f"{folder.name:12} {name:26} {count.found:3} found {count.others:3} false   missed: {missed}",
                flush=True,
            )


if __name__ == "__main__":
    main()
