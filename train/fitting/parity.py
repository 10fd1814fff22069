"""How far each model file is from the network that was trained, and where it runs: the parity table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.table import Table

from train.console.terminal import echo
from train.fitting.trials import CRASHES_ELSEWHERE, Interpreter, Trial, try_variant
from train.network.variants import precision

PARITY_WINDOWS = 256
"""Held-out windows that the variants are compared on."""
_RIGHT_WITHIN = {"float32": 1e-4, "dynamic": 0.15, "int8": 0.3}
"""RMSE over the reconstruction's own spread up to which a result counts as right. Rounding stays far below;
a runtime that computes something else lands above 0.5."""


@dataclass(frozen=True)
class Parity:
    """One variant's line of the table."""

    variant: str
    size_bytes: int
    rmse_to_float32: float | None
    """Of the reconstruction on held-out windows, z-units; None where it ran nowhere."""
    runtimes: tuple[str, ...]
    """Where it really ran, with the right result at every batch size."""
    trials: tuple[Trial, ...]
    """All that was tried."""
    problems: tuple[str, ...]
    """Runtime and reason for each trial that does not count."""
    score_agreement: float | None = None
    """Part of held-out rows on which variant and float32 agree about the alarm; filled in after calibration."""


def compare(
    variants: Mapping[str, bytes], interpreters: Sequence[Interpreter], windows: np.ndarray, wanted: np.ndarray
) -> list[Parity]:
    """Try every variant in every interpreter; `wanted` is what Keras makes of `windows`, (n, window, channels) both."""
    windows, wanted = windows[:PARITY_WINDOWS], wanted[:PARITY_WINDOWS]
    return [
        _parity(name, model, [try_variant(name, model, interpreter, windows) for interpreter in interpreters], wanted)
        for name, model in variants.items()
    ]


def _parity(name: str, model: bytes, trials: Sequence[Trial], wanted: np.ndarray) -> Parity:
    spread = max(float(wanted.std()), 0.1)  # an untrained network is flat, and still has to agree
    problems: list[str] = []
    errors: dict[str, float] = {}
    for trial in trials:
        problem, rmse = _judge(trial, wanted, spread)
        if problem:
            problems.append(f"{trial.runtime}: {problem}")
        else:
            errors.setdefault(trial.runtime, rmse)
    return Parity(
        variant=name,
        size_bytes=len(model),
        rmse_to_float32=next(iter(errors.values()), None),
        runtimes=tuple(errors),
        trials=tuple(trials),
        problems=tuple(problems),
    )


def _judge(trial: Trial, wanted: np.ndarray, spread: float) -> tuple[str | None, float]:
    """Why a trial does not count, or None and its RMSE at the batch size that is furthest off."""
    if trial.problem:
        return trial.problem, np.nan
    if (precision(trial.variant), trial.runtime) in CRASHES_ELSEWHERE:
        return "runs here, but is known to crash on ARM", np.nan
    rmse = max(float(np.sqrt(np.square(output - wanted).mean())) for output in trial.outputs.values())
    if not rmse <= _RIGHT_WITHIN[precision(trial.variant)] * spread:  # NaN too
        return f"wrong result (RMSE {rmse:.3g} z-units against Keras)", rmse
    return None, rmse


def print_parity(rows: Sequence[Parity], correlations: Mapping[str, float], console: Console) -> None:
    """The table, with microseconds a window at batch 1 and 32.

    `correlations` maps a variant to the correlation of its scores with float32's.
    """
    table = Table(title="Variants", title_justify="left")
    table.add_column("variant")
    for name in ("size", "RMSE to float32", "same alarms", "score corr.", "us a window, batch 1", "batch 32"):
        table.add_column(name, justify="right")
    table.add_column("runs in")
    for row in rows:
        ran = next((trial for trial in row.trials if trial.runtime in row.runtimes), None)
        times = [f"{ran.us_per_window[batch]:.0f}" if ran else "-" for batch in (1, 32)]
        rmse = "-" if row.rmse_to_float32 is None else f"{row.rmse_to_float32:.2g}"
        alarms = "-" if row.score_agreement is None else f"{row.score_agreement:.2%}"
        same = f"{correlations[row.variant]:.4f}" if row.variant in correlations else "-"
        where = ", ".join(row.runtimes) or "nowhere"
        table.add_row(row.variant, f"{row.size_bytes / 1000:.0f} kB", rmse, alarms, same, *times, where)
    console.print(table)
    for row in rows:
        for problem in row.problems:
            echo(console, f"{row.variant} not in {problem}")
