"""`--labels FILE`: which rows are anomalous, from a file of its own."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from train.read.tables import RawTable, ReadOptions


def add_labels_option(group: "argparse._ActionsContainer", what: str) -> None:
    """`--labels FILE`; `what` says what is done with them."""
    text = f"start and end of what is anomalous, as CSV without or with a header or as JSON, or labels by time: {what}"
    group.add_argument("--labels", type=Path, metavar="FILE", help=text)


def with_labels(
    labels: Path | None, tables: "Sequence[RawTable]", paths: Sequence[Path], options: "ReadOptions"
) -> "list[RawTable]":
    """Tables with the labels of a file; as they are where there is none.

    Raises:
        DatasetError: it cannot be read, or is a recording of its own.
    """
    from dataclasses import replace

    import numpy as np

    from train.console.errors import DatasetError
    from train.evaluation.label_file import labelled_recording

    if labels is None:
        return list(tables)
    found = []
    for table, path in zip(tables, paths, strict=True):
        one = labelled_recording(labels, path, table, options)
        if not np.array_equal(one.times, table.times, equal_nan=True) or one.labels is None:
            raise DatasetError(f"--labels {labels}: its rows are not those of {path}; give it as the recording")
        note = f"{labels.name}: {int(one.labels.sum())} of {len(one.labels)} rows are anomalous"
        found.append(replace(table, labels=one.labels, unjudged=one.unjudged, notes=(*table.notes, note)))
    return found
