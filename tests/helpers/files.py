"""CSV files that tests write."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np


def write_lines(path: Path, *lines: str) -> Path:
    """A file of these lines."""
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_machine(
    path: Path, rows: int = 900, seed: int = 0, start: float = 1_700_000_000, odd: slice | None = None
) -> Path:
    """A machine with two coupled channels that swing slowly; in the rows `odd` the coupling is lost."""
    noise = np.random.default_rng(seed)
    phase = 2 * np.pi * np.arange(rows) / 40
    load = np.sin(phase) + noise.normal(0, 0.05, rows)
    heat = 0.5 * np.sin(phase - 0.8) + 3 + noise.normal(0, 0.05, rows)
    if odd is not None:
        heat[odd] = 3 - 0.5 * np.sin(phase[odd] - 0.8)
    lines = [f"{start + row:.0f},{load[row]:.4f},{heat[row]:.4f}" for row in range(rows)]
    return write_lines(path, "time,load,heat", *lines)


def column(values: Sequence[float]) -> np.ndarray:
    """(n, 1) of n values."""
    return np.array(values, float)[:, None]
