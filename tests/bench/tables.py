"""What a benchmark prints."""

import os
from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path


def machine() -> str:
    """The processor and how many there are of it."""
    names = [
        line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith(("model name", "Model"))
    ]
    return f"{names[0].split(':')[1].strip() if names else 'unknown processor'}, {os.cpu_count()} processors"


def is_ours(kind: str) -> bool:
    """Whether a file kind is a variant of ours."""
    return not kind.startswith("ort-")


def best(figures: Mapping[str, float], ours: bool) -> str:
    """The kind with the lowest figure, of ours or of ONNX Runtime's.

    >>> best({"float32": 2.0, "int8": 1.0, "ort-float32": 1.5}, ours=True)
    'int8'
    """
    return min((kind for kind in figures if is_ours(kind) == ours), key=figures.__getitem__)


def ratio(figures: Mapping[str, float]) -> float:
    """Our best over ONNX Runtime's best."""
    return figures[best(figures, ours=True)] / figures[best(figures, ours=False)]


def geometric_mean(values: Sequence[float]) -> float:
    """
    >>> geometric_mean([0.5, 2.0])
    1.0
    """
    return float(prod(values) ** (1 / len(values)))


def print_table(title: str, rows: Mapping[str, Mapping[str, float]], digits: int) -> None:
    """A row for each key with a column for each kind, and what our best is of ONNX Runtime's best."""
    kinds = sorted({kind for figures in rows.values() for kind in figures}, key=lambda kind: (not is_ours(kind), kind))
    compared = any(not is_ours(kind) for kind in kinds) and any(map(is_ours, kinds))
    print(title)
    print(" " * 14 + "".join(f"{kind:>14}" for kind in kinds) + ("  ours/ort" if compared else ""))
    for name, figures in rows.items():
        cells = "".join(f"{figures[kind]:14.{digits}f}" if kind in figures else " " * 13 + "-" for kind in kinds)
        print(f"{name:14}{cells}" + (f"{ratio(figures):10.2f}  {best(figures, ours=True)}" if compared else ""))
    if compared:
        print(
            f"{'geometric mean':14}{' ' * 14 * len(kinds)}{geometric_mean([ratio(one) for one in rows.values()]):10.2f}"
        )
    print()
