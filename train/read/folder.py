"""A folder with a file a sensor as one table: the files' values side by side, by time."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from train.console.errors import DatasetError
from train.read.columns import ReadOptions, require_printable
from train.read.tables import RawTable, read_table

_SUFFIXES = (".csv", ".txt", ".tsv", ".gz", ".json", ".jsonl", ".ndjson", ".parquet", ".xlsx", ".dat")


def read_folder(folder: Path, options: ReadOptions) -> RawTable:
    """The files of a folder, each with the values of one sensor, which is called as the file is.

    Raises:
        DatasetError: there is none, one cannot be read, or one has several channels.
    """
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in _SUFFIXES)
    if not files:
        raise DatasetError(f"{folder}: no recordings in it; wanted files such as .csv")
    each = replace(options, channels=None)
    tables = [read_table(file, each) for file in files]
    for file, table in zip(files, tables, strict=True):
        if len(table.channels) != 1:
            names = ", ".join(table.channels[:4])
            raise DatasetError(
                f"{file}: it has {len(table.channels)} channels ({names}); files of a folder are joined where each has "
                "one: give the files themselves, each is a recording then"
            )
    return _joined(folder, tables, options.channels)


def _joined(folder: Path, tables: Sequence[RawTable], channels: tuple[str, ...] | None) -> RawTable:
    names = tuple(table.name for table in tables)
    lost = [name for name in channels or () if name not in names]
    if lost:
        raise DatasetError(f"{folder}: no file for channel {lost[0]!r}; it has {', '.join(names)}")
    for name in names:
        require_printable(str(folder), name)
    times = np.unique(np.concatenate([table.times[np.isfinite(table.times)] for table in tables]))
    values = np.full((len(times), len(tables)), np.nan)
    for place, table in enumerate(tables):
        known = np.isfinite(table.times) & np.isfinite(table.values[:, 0])
        values[np.searchsorted(times, table.times[known]), place] = table.values[known, 0]
    found = RawTable(
        name=folder.name,
        time_text=np.array([repr(time) for time in times.tolist()], object),
        times=times,
        channels=names,
        values=values,
        labels=None,
        text_cells=sum(table.text_cells for table in tables),
        ragged=sum(table.ragged for table in tables),
        units={table.name: unit for table in tables for unit in table.units.values()},
        notes=(f"a folder with a file a sensor: {len(names)} channels, named by their files",),
    )
    return found if channels is None else found.only(channels)
