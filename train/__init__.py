"""The desktop side: from normal readings to a calibrated, quantized bundle.

The front door for notebooks: `read_table` reads a CSV file, `fit` makes a bundle, `evaluate` says how
good it is on recordings. The commands offer more. A name is imported when it is first asked for:
`import train` loads no tensorflow.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from train.console.errors import DatasetError, FitError
    from train.fitting.fit import FitSettings
    from train.front import evaluate, fit
    from train.network.training import TrainingSettings
    from train.read.dataset import Selection
    from train.read.tables import ReadOptions, read_table

__all__ = [
    "DatasetError",
    "FitError",
    "FitSettings",
    "ReadOptions",
    "Selection",
    "TrainingSettings",
    "evaluate",
    "fit",
    "read_table",
]

_FROM = {
    "DatasetError": "train.console.errors",
    "FitError": "train.console.errors",
    "FitSettings": "train.fitting.fit",
    "ReadOptions": "train.read.tables",
    "Selection": "train.read.dataset",
    "TrainingSettings": "train.network.training",
    "evaluate": "train.front",
    "fit": "train.front",
    "read_table": "train.read.tables",
}


if not TYPE_CHECKING:  # to a type checker a name that is not there is an error

    def __getattr__(name: str) -> Any:
        if name not in _FROM:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(_FROM[name]), name)
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
