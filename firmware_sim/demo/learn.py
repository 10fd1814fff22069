"""The first half of the demo: normal operation, and a model of it."""

from firmware_sim.channels import CHANNELS
from firmware_sim.demo.plan import TRAINING_SEED, Plan
from firmware_sim.demo.processes import module, run


def learn(plan: Plan) -> None:
    """Simulate normal operation and train on it: normal.csv, and a bundle with its report."""
    run(
        module(
            "firmware_sim", "csv", "--out", plan.normal_csv,
            "--start", plan.normal_start, "--hours", plan.normal_hours, "--seed", TRAINING_SEED,
        )
    )  # fmt: skip
    units = [part for channel in CHANNELS for part in ("--unit", f"{channel.name}={channel.unit}")]
    run(module("train", "fit", plan.normal_csv, "--out", plan.bundle, "--name", "pump", *units))
