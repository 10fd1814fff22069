"""`python -m tests.soak.normal`: after one "that was normal", how often does the same pattern alert, what is missed?

The simulated pump is flushed once an hour or so: flow and pressure fall, the motor works more. The first flush alerts
and is called normal. Then days of the pump are played side by side, each with flushes and with faults, once with and
once without what was said.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge.detector.bundle.files import load_bundle
from edge.detector.group import StreamGroup, StreamSettings
from edge.detector.rows.row import Row
from edge.detector.score.runtime import load_model
from firmware_sim.board.simulation import SimulationSettings, record
from firmware_sim.machine.channels import INDEX
from firmware_sim.machine.faults import KINDS, Fault, make_fault

ROOT = Path(__file__).resolve().parents[2]
START = 1_767_571_200.0
FLUSH = {"flow": -10.0, "pressure": -0.6, "motor_current": 2.0}
"""What a flush adds at its height, in the channels' units."""
FLUSH_ROWS, RAMP_ROWS = 40, 4
AMPLITUDE = 0.05
"""By how much flushes differ, as a part, sd."""
APART_S = (2400, 4800)
FAULT_S, FAULT_APART_S = (480, 900), (5400, 9000)
_KINDS = [kind for kind, about in KINDS.items() if kind != "slow_bearing_wear" and about.group]
COMMISSION_ROWS = 14_400
_LATE_S = 60.0
"""An alert so long after a flush is still the flush's."""


@dataclass(frozen=True)
class Day:
    """One stretch of the pump."""

    rows: Sequence[Row]
    flushes: Sequence[float]
    """When they begin, Unix seconds."""
    faults: Sequence[Fault]


@dataclass(frozen=True)
class Count:
    """What a run alerted on."""

    flushes: int
    flush_alerts: int
    faults: int
    found: int
    others: int
    """Alerts on neither."""
    missed: Counter[str]
    """Faults not found, by kind."""


def day(seed: int, rows: int, flushes: bool = True) -> Day:
    """Flushes and faults of a stretch, drawn; the same faults also where it is to have no `flushes`."""
    chance = np.random.default_rng(seed)
    faults, at = [], float(chance.uniform(*FAULT_APART_S))
    while at + FAULT_S[1] < rows:
        length = float(chance.uniform(*FAULT_S))
        faults.append(make_fault(str(chance.choice(_KINDS)), START + at, START + at + length))
        at += length + float(chance.uniform(*FAULT_APART_S))
    block = record(SimulationSettings(START, float(rows), seed=seed), 1, tuple(faults))
    begun, at = [], float(chance.uniform(300, APART_S[0]))
    while flushes and at + 2 * FLUSH_ROWS < rows:
        first, height = int(at), 1 + AMPLITUDE * chance.normal()
        begin, at = START + first, at + float(chance.uniform(*APART_S))
        if any(one.start - 300 < begin < one.end + 300 for one in faults):
            continue  # an alert on a flush within a fault would count as the fault's
        shape = np.clip(np.minimum(np.arange(1, FLUSH_ROWS + 1), np.arange(FLUSH_ROWS, 0, -1)) / RAMP_ROWS, 0, 1)
        for name, size in FLUSH.items():
            block.values[first : first + FLUSH_ROWS, INDEX[name]] += height * size * shape
        begun.append(begin)
    told = [
        Row(when, values, number == 0)
        for number, (when, values) in enumerate(zip(block.times.tolist(), block.values, strict=True))
    ]
    return Day(told, begun, faults)


def play(group: StreamGroup, days: Sequence[Day]) -> Count:
    """All days side by side, each a stream."""
    starts: list[list[tuple[float, float]]] = [[] for _ in days]
    for number in range(len(days[0].rows)):
        for outcome in group.process([(stream, one.rows[number]) for stream, one in enumerate(days)]):
            for event in outcome.events:
                if event.event_type == "new" and event.kind == "anomaly":
                    starts[outcome.stream].append((event.start_time, event.time))
    flush_alerts = found = others = 0
    missed: list[Counter[str]] = []
    for one, alerts in zip(days, starts, strict=True):
        hit = {fault for fault in one.faults for _, when in alerts if fault.start <= when < fault.end + _LATE_S}
        found += len(hit)
        missed.append(Counter(fault.kind for fault in one.faults if fault not in hit))
        for _, when in alerts:
            if any(fault.start <= when < fault.end + 300 for fault in one.faults):
                continue
            flush = any(0 <= when - begin < FLUSH_ROWS + _LATE_S for begin in one.flushes)
            flush_alerts, others = flush_alerts + flush, others + (not flush)
    total = (sum(len(one.flushes) for one in days), sum(len(one.faults) for one in days))
    return Count(total[0], flush_alerts, total[1], found, others, sum(missed, Counter()))


def taught(group: StreamGroup, seed: int) -> dict[str, Any]:
    """The state of a stream that has commissioned itself, once the first flush that alerted has been called normal."""
    block = record(SimulationSettings(START - COMMISSION_ROWS, float(COMMISSION_ROWS), seed=seed))
    first = day(seed, 7200)
    for number, (when, values) in enumerate(zip(block.times.tolist(), block.values, strict=True)):
        group.process([(0, Row(when, values, number == 0))])
    for row in first.rows:
        group.process([(0, row)])
        if row.time - 200 in first.flushes and (known := group.normal.known(0)):
            group.call_normal(0, known[-1], "soak")
            return group.snapshot(0)
    raise SystemExit(f"none of {len(first.flushes)} flushes alerted in two hours with seed {seed}; try another --seed")


def run(days: int, hours: float, seed: int) -> tuple[Count, Count]:
    """Without and with what was said."""
    bundle = load_bundle(ROOT / "models" / "pump")
    variant, model = load_model(bundle, "auto")
    settings = [StreamSettings(f"p{number}", calibrate_rows=COMMISSION_ROWS) for number in range(days)]
    teacher = StreamGroup(bundle, variant, model, settings[:1])
    teacher.keep_looks()
    state = taught(teacher, seed)
    every = [day(seed + 1 + number, round(hours * 3600)) for number in range(days)]
    counts = []
    for said in ({}, state["normal"]):
        group = StreamGroup(bundle, variant, model, settings)
        group.keep_looks()
        for stream in range(days):
            group.restore(stream, {**state, "open": {}, "normal": said})
        counts.append(play(group, every))
    return counts[0], counts[1]


def main() -> int:
    """Print both runs."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.normal", description=__doc__)
    parser.add_argument("--days", type=int, default=30, help="stretches, side by side (30)")
    parser.add_argument("--hours", type=float, default=24.0, help="of each (24)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began = time.monotonic()
    before, after = run(options.days, options.hours, options.seed)
    print(f"{options.days * options.hours / 24:.1f} simulated days, {before.flushes} flushes, {before.faults} faults")
    for name, count in (("nothing said", before), ("said once", after)):
        missed = [f"{kind} {number}" for kind, number in count.missed.items()] or ["none"]
        print(f"{name:13} {count.flush_alerts} alerts on flushes, {count.others} others, {count.found} faults found")
        print(f"{'':13} missed:", *missed)
    print(f"{time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
