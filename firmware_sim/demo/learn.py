"""The first half of the demo: normal operation, and a model of it."""

from firmware_sim.demo.plan import TRAINING_SEED, Plan
from firmware_sim.demo.processes import DemoError, module, run
from firmware_sim.machine.channels import CHANNELS


def learn(plan: Plan) -> None:
    """Simulate normal operation and train on it: normal.csv, and a bundle with its report.

    Raises:
        DemoError: a program failed, or a model is to be used again and there is none.
    """
    if plan.again:
        if not (plan.bundle / "manifest.json").exists():
            raise DemoError(f"{plan.folder} holds no model of an earlier demo; leave --again out once")
        return
    run(
        module(
            "firmware_sim", "csv", "--out", plan.normal_csv,
            "--start", plan.normal_start, "--hours", plan.normal_hours, "--seed", TRAINING_SEED,
        )
    )  # fmt: skip
    units = [part for channel in CHANNELS for part in ("--unit", f"{channel.name}={channel.unit}")]
    run(module("train", "fit", plan.normal_csv, "--out", plan.bundle, "--name", "pump", *units))
