"""What `offbeat-train evaluate` says of the live run: its report, and the baseline that stands beside the verdict."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from firmware_sim.demo.plan import Plan
from firmware_sim.demo.processes import DemoError, module, run
from firmware_sim.machine.faults import Fault


@dataclass(frozen=True)
class Baseline:
    """How fixed limits of mean +- 3 sd on each channel did in the same run."""

    found: tuple[bool, ...]
    """Of each fault, in the order of time."""
    false: int
    """Episodes outside every fault."""


def evaluate(plan: Plan, faults: Sequence[Fault]) -> Baseline:
    """Evaluate the readings that were heard, beside the truth. Leaves labels.json, figures.json and report.html.

    Raises:
        DemoError: the program failed.
    """
    plan.labels.write_text(json.dumps([[fault.start, fault.end] for fault in faults]) + "\n", "utf-8")
    run(
        module(
            "train", "evaluate", plan.bundle, plan.readings_csv,
            "--labels", plan.labels, "--json", plan.figures, "--report", plan.report,
        ),
        plan.folder / "evaluate.log",
    )  # fmt: skip
    return read_baseline(plan.figures)


def read_baseline(figures: Path) -> Baseline:
    """The baseline in what `evaluate --json` wrote.

    Raises:
        DemoError: it is not in it, since the bundle is older than mean and sd in bundles.
    """
    limits = json.loads(figures.read_text("utf-8"))["detectors"].get("limits")
    if limits is None:
        raise DemoError("the model of an earlier demo is too old for mean ± 3 sd; leave --again out once")
    return Baseline(tuple(one["found_at"] is not None for one in limits["findings"]), limits["false_episodes"])
