"""A folder or an archive as one table: files side by side, parts one after another, components in folders of their own.

Layouts: a file a sensor; Azure Anomaly Detector's MultiTable, a CSV a variable with `timestamp` and `value`, in a
folder or a zip; AWS Lookout for Equipment's dataset, a folder a component with CSVs of `Timestamp` and sensors.
"""

import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from train.console.errors import DatasetError
from train.read.columns import ReadOptions, require_printable
from train.read.intervals import inside, is_intervals, read_intervals
from train.read.tables import RawTable, read_table

_SUFFIXES = (".csv", ".txt", ".tsv", ".gz", ".json", ".jsonl", ".ndjson", ".parquet", ".xlsx", ".dat")
_SAYS_NOTHING = frozenset(("value", "values", "state", "reading", "v"))
"""Columns that are called so whatever they hold: there, the file's name says what it is."""
_MOST_UNPACKED = 20_000_000_000
"""Bytes that an archive may unpack to."""


def is_folder(path: Path) -> bool:
    """Whether a path is a folder, or an archive of several files."""
    if path.is_dir():
        return True
    if path.suffix.lower() != ".zip" or not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return len(_members(archive)) > 1


def read_folder(path: Path, options: ReadOptions) -> RawTable:
    """The files of a folder or an archive as one table, by time.

    Files with one channel each are called as they are; where folders lie within, what is in each is a component, and
    channels are `component.channel`. Files of a component with the same channels are parts of it, one after another.

    Raises:
        DatasetError: there is none, one cannot be read, or parts overlap in time.
    """
    with unpacked(path) as folder:
        each = replace(options, channels=None)
        components = [one for one in sorted(folder.iterdir()) if one.is_dir() and _files(one, deep=True)]
        found = [(one.name, _files(one, deep=True)) for one in components]
        if direct := _files(folder, deep=False):
            found.insert(0, ("", direct))
        if not found:
            raise DatasetError(f"{path}: no recordings in it; wanted files such as .csv")
        alone = len(found) == 1
        tables = [_component("" if alone or not name else f"{name}.", path, name, files, each) for name, files in found]
        labels = label_file(folder, options)
        windows = None if labels is None else (labels.name, read_intervals(labels, options))
    return _labelled(_joined(path, tables, options.channels), windows)


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """The folder itself, or one with what is in an archive, which is gone afterwards.

    Raises:
        DatasetError: the archive is damaged, or unpacks to more than a disk should be asked for.
    """
    if path.is_dir():
        yield path
        return
    with tempfile.TemporaryDirectory() as place:
        try:
            with zipfile.ZipFile(path) as archive:
                members = _members(archive)
                if sum(archive.getinfo(name).file_size for name in members) > _MOST_UNPACKED:
                    raise DatasetError(f"{path}: it unpacks to more than 20 GB; unpack it and give the folder")
                for name in members:
                    archive.extract(name, place)  # it keeps names with .. in them inside
        except (zipfile.BadZipFile, OSError, RuntimeError) as error:  # RuntimeError: it wants a password
            raise DatasetError(f"{path}: cannot unpack it ({error})") from error
        folder = Path(place)
        while not _files(folder, deep=False) and len(inside := [one for one in folder.iterdir() if one.is_dir()]) == 1:
            folder = inside[0]
        yield folder


def label_file(path: Path, options: ReadOptions) -> Path | None:
    """The file of label windows in a folder, by its name and by what is in it; None where there is none."""
    return next((one for one in _every(path) if _is_labels(one, options)), None)


def _members(archive: zipfile.ZipFile) -> list[str]:
    hidden = ("__MACOSX", ".")
    return [name for name in archive.namelist() if not name.endswith("/") and not name.startswith(hidden)]


def _every(folder: Path) -> list[Path]:
    found = sorted(one for one in folder.rglob("*") if one.is_file() and one.suffix.lower() in _SUFFIXES)
    return [one for one in found if not one.name.startswith(".")]


def _files(folder: Path, deep: bool) -> list[Path]:
    """Files with readings; those with label windows are none."""
    return [one for one in _every(folder) if (deep or one.parent == folder) and not _is_labels(one, ReadOptions())]


def _is_labels(file: Path, options: ReadOptions) -> bool:
    named = any("label" in part.lower() for part in (file.parent.name, file.name))
    return named and is_intervals(file, options)


def _component(front: str, path: Path, name: str, files: Sequence[Path], options: ReadOptions) -> RawTable:
    tables = [read_table(file, options) for file in files]
    where = path / name if name else path
    if _sensor_each(files, tables):
        tables = [replace(table, channels=(table.name,)) for table in tables]
        groups = {table.channels: [table] for table in tables}
    else:
        groups = {}
        for table in tables:
            groups.setdefault(table.channels, []).append(table)
    parts = [_one_after_another(where, group) for group in groups.values()]
    joined = _side_by_side(where, parts)
    for channel in joined.channels:
        require_printable(str(where), front + channel)
    return replace(joined, channels=tuple(front + channel for channel in joined.channels),
                   units={front + channel: unit for channel, unit in joined.units.items()})  # fmt: skip


def _sensor_each(files: Sequence[Path], tables: Sequence[RawTable]) -> bool:
    """Whether each file is a sensor: one channel, and not the same one, by a name of its own, at other times."""
    if any(len(table.channels) > 1 for table in tables) or len({file.stem for file in files}) < len(files):
        return False
    names = {table.channels[0] for table in tables}
    return len(names) > 1 or len(tables) == 1 or bool(names & _SAYS_NOTHING) or _overlap(tables) is not None


def _overlap(parts: Sequence[RawTable]) -> tuple[str, str] | None:
    """Names of two tables that have readings of the same time."""
    ends = [(float(np.nanmin(one.times)), float(np.nanmax(one.times)), one.name) for one in parts]
    both = ((one[2], other[2]) for one, other in pairwise(sorted(ends)) if other[0] <= one[1])
    return next(both, None)


def _one_after_another(where: Path, parts: Sequence[RawTable]) -> RawTable:
    """Parts of a recording, by time."""
    if len(parts) == 1:
        return parts[0]
    if (both := _overlap(parts)) is not None:
        raise DatasetError(
            f"{where}: {both[0]} and {both[1]} have the same {len(parts[0].channels)} channels at the same times: "
            "parts of one recording follow each other; if they are devices of their own, give the files themselves"
        )
    ordered = sorted(parts, key=lambda one: float(np.nanmin(one.times)))
    return replace(
        ordered[0],
        time_text=np.concatenate([one.time_text for one in ordered]),
        times=np.concatenate([one.times for one in ordered]),
        values=np.concatenate([one.values for one in ordered]),
        labels=None if any(one.labels is None for one in ordered) else np.concatenate([one.labels for one in ordered]),  # type: ignore[misc]
        unjudged=None,
        text_cells=sum(one.text_cells for one in ordered),
        ragged=sum(one.ragged for one in ordered),
    )


def _side_by_side(where: Path, tables: Sequence[RawTable]) -> RawTable:
    """Tables with channels of their own, a row for each time of any."""
    names = [name for table in tables for name in table.channels]
    double = next((name for name in names if names.count(name) > 1), None)
    if double is not None:
        raise DatasetError(
            f"{where}: several files have a channel {double!r} beside others: which is meant cannot be told; give the "
            "files themselves, each is a recording then"
        )
    times = np.unique(np.concatenate([table.times[np.isfinite(table.times)] for table in tables]))
    values = np.full((len(times), len(names)), np.nan)
    place = 0
    for table in tables:
        for column in table.values.T:
            known = np.isfinite(table.times) & np.isfinite(column)
            values[np.searchsorted(times, table.times[known]), place] = column[known]
            place += 1
    return RawTable(
        name=where.name,
        time_text=np.array([repr(time) for time in times.tolist()], object),
        times=times,
        channels=tuple(names),
        values=values,
        labels=None,
        text_cells=sum(table.text_cells for table in tables),
        ragged=sum(table.ragged for table in tables),
        units=_units(tables),
    )


def _labelled(table: RawTable, windows: tuple[str, np.ndarray] | None) -> RawTable:
    """With the labels of a file of windows in the folder."""
    if windows is None:
        return table
    name, intervals = windows
    labels = inside(table.times, intervals)
    rows = f"{int(labels.sum())} of {len(labels)} rows lie in them, and are anomalous"
    note = f"{name}: {len(intervals)} label windows; {rows}"
    return replace(table, labels=labels, notes=(*table.notes, note))


def _units(tables: Sequence[RawTable]) -> dict[str, str]:
    """Units by channel; a table with one channel may have another name than its column."""
    units: dict[str, str] = {}
    for table in tables:
        if len(table.channels) == 1:
            units.update(dict.fromkeys(table.channels, unit) if (unit := next(iter(table.units.values()), "")) else {})
        else:
            units.update(table.units)
    return units


def _joined(path: Path, tables: Sequence[RawTable], channels: tuple[str, ...] | None) -> RawTable:
    found = _side_by_side(path, tables)
    lost = [name for name in channels or () if name not in found.channels]
    if lost:
        raise DatasetError(f"{path}: no file for channel {lost[0]!r}; it has {', '.join(found.channels)}")
    what = "a folder with a file a sensor" if len(tables) == 1 else f"a folder with {len(tables)} components"
    note = f"{what}: {len(found.channels)} channels, {', '.join(found.channels[:8])}"
    found = replace(found, name=path.stem if path.is_file() else path.name, notes=(note,))
    return found if channels is None else found.only(channels)
