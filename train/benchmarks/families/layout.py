"""Folders of families: DIR/<family>/<case>/ with normal*.csv, test*.csv and meta.json."""

import argparse
import io
import json
from collections.abc import Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from edge.readings.numbers import NumberStyle
from train.benchmarks.case import Case
from train.benchmarks.families.judging import ANOMALOUS, NORMAL, NOT_JUDGED, Truth
from train.console.errors import DatasetError, FitError
from train.evaluation.evaluation import filled_times
from train.options.fit import add_fit_options, settings_of
from train.options.readings import load_readings, selection_of
from train.read.columns import listed
from train.read.csv_file import read_csv
from train.read.dataset import selected
from train.read.tables import RawTable, ReadOptions, read_table

LABEL_COLUMN = "anomaly"
META = "meta.json"


@dataclass(frozen=True)
class FamilyCase:
    """Recordings that are tried with one model, as a user would."""

    family: str
    name: str
    truths: tuple[Truth, ...]
    """Of each recording."""
    options: tuple[str, ...]
    """Of `fit`."""
    calibrate_rows: int
    """Each recording is commissioned on so many of its first rows; 0 takes the model's calibration."""
    case: Case | None
    """For detectors that are fitted; None where `fit` refuses the normal files."""
    normal: tuple[np.ndarray, ...] = ()
    """(n, channels) rows of the normal files that were chosen, as they are in the files."""
    problem: str = ""
    """Why `fit` refuses."""

    @property
    def full_name(self) -> str:
        """Family and case."""
        return f"{self.family}/{self.name}"


def read_families(
    folder: Path, families: Sequence[str] = (), options: Sequence[str] = ()
) -> dict[str, list[FamilyCase]]:
    """All cases of these families, or of all; `options` of `fit` come after those of each case.

    Raises:
        DatasetError: something is not laid out as it should be.
    """
    found = _folders(folder, "families")
    unknown = sorted(set(families) - {one.name for one in found})
    if unknown:
        raise DatasetError(f"{folder}: no family {unknown[0]!r}; there are {', '.join(one.name for one in found)}")
    chosen = [one for one in found if not families or one.name in families]
    return {family.name: [_case(one, options) for one in _folders(family, "cases")] for family in chosen}


def _folders(folder: Path, what: str) -> list[Path]:
    found = sorted(one for one in folder.iterdir() if one.is_dir()) if folder.is_dir() else []
    if not found:
        raise DatasetError(f"{folder}: no folders of {what} in it; wanted <family>/<case>/ with normal*.csv, test*.csv")
    return found


def _case(folder: Path, more: Sequence[str]) -> FamilyCase:
    normal, tests = (sorted(folder.glob(pattern)) for pattern in ("normal*.csv", "test*.csv"))
    if not normal or not tests:
        raise DatasetError(
            f"{folder}: {len(normal)} normal*.csv and {len(tests)} test*.csv; wanted one of each or more"
        )
    options, rows = _meta(folder / META)
    family = folder.parent.name
    options += more
    args = _arguments(folder / META, ["--out", f"{family}-{folder.name}", *options], normal)
    reading = ReadOptions(args.channels, args.time_column, LABEL_COLUMN, args.timezone)
    blank = FamilyCase(family, folder.name, (), tuple(options), rows, None)
    try:
        filled = _with_model(blank, args)
    except (DatasetError, FitError) as error:
        tables = [read_table(path, reading) for path in tests]
        return replace(blank, truths=_truths(tests, tables, rows), problem=str(error))
    case = filled.case
    assert case is not None, "_with_model gives one"
    tables = [read_table(path, replace(reading, channels=case.model.channels)) for path in tests]
    return replace(filled, truths=_truths(tests, tables, rows), case=replace(case, tables=tables))


def _meta(path: Path) -> tuple[list[str], int]:
    """Options of `fit`, and the rows to commission on."""
    try:
        body = json.loads(path.read_text("utf-8"))
        options, rows = body.get("fit", []), body.get("calibrate_rows", 0)
    except (OSError, ValueError, AttributeError) as error:
        raise DatasetError(f"{path}: cannot be read ({error}); wanted an object with fit and calibrate_rows") from error
    if not isinstance(options, list) or not all(isinstance(one, str) for one in options):
        raise DatasetError(f'{path}: fit wants a list of options, such as ["--window", "20"]; found {options!r}')
    if type(rows) is not int or rows < 0:
        raise DatasetError(f"{path}: calibrate_rows wants a whole number from 0 on, found {rows!r}")
    return options, rows


def _arguments(path: Path, options: Sequence[str], files: Sequence[Path]) -> argparse.Namespace:
    """What the parser of `fit` makes of these options."""
    parser = argparse.ArgumentParser("offbeat-train fit")
    add_fit_options(parser)
    said = io.StringIO()
    try:
        with redirect_stderr(said):
            return parser.parse_args([*map(str, files), *options])
    except SystemExit as error:
        reason = (said.getvalue().strip().splitlines() or ["it only asks for help"])[-1].partition("error: ")
        raise DatasetError(f"{path}: fit refuses its options: {reason[2] or reason[0]}") from error


def _with_model(blank: FamilyCase, args: argparse.Namespace) -> FamilyCase:
    """With what the command `fit` would fit on, and how."""
    console = Console(quiet=True)
    readings = load_readings(args, console)
    settings = settings_of(args, readings)
    if args.search is not None:
        from train.fitting.search import searched

        settings = searched(readings.runs, settings, args.search, console)
    selection = selection_of(args)
    normal = tuple(table.values[selected(table, selection)] for table in readings.tables)
    name = f"{blank.family}-{blank.name}"
    case = Case(name, readings.runs, settings, (), calibrate_rows=blank.calibrate_rows, may_fail=True)
    return replace(blank, normal=normal, case=case)


def _truths(paths: Sequence[Path], tables: Sequence[RawTable], first: int) -> tuple[Truth, ...]:
    return tuple(
        Truth(filled_times(table.times), _labels(path, first), first) for path, table in zip(paths, tables, strict=True)
    )


def _labels(path: Path, first: int) -> np.ndarray:
    """(n,) labels of a recording."""
    file = read_csv(path)
    if LABEL_COLUMN not in file.header:
        raise DatasetError(f"{path}: label column {LABEL_COLUMN!r} is not in the file; it has {listed(file.header)}")
    style = NumberStyle()
    numbers: Any = np.array([style.read(cell) for cell in file.column(LABEL_COLUMN).tolist()])
    if not np.isin(numbers, (ANOMALOUS, NORMAL, NOT_JUDGED)).all():
        wrong = file.column(LABEL_COLUMN)[int(np.argmin(np.isin(numbers, (ANOMALOUS, NORMAL, NOT_JUDGED))))]
        raise DatasetError(f"{path}: {LABEL_COLUMN} holds {wrong!r}; wanted 1 anomalous, 0 normal, -1 not judged")
    if (numbers[:first] == ANOMALOUS).any():
        raise DatasetError(f"{path}: an anomaly among the {first} rows to commission on")
    return numbers.astype(int)
