"""Files through the device's own pipeline: what `score` and `evaluate` have in common."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edge.detector import replay as replaying
from edge.detector.bundle.calibration import Calibration
from edge.detector.bundle.files import Bundle, Variant
from edge.detector.events.episode import episode_id
from edge.detector.group import StreamGroup, StreamSettings
from edge.detector.learn.commissioning import commission
from edge.detector.members.tuning import DEFAULT, Tuning
from edge.detector.replay import Recording, Replay, grid_rows
from edge.detector.rows.aligner import AlignerSettings
from edge.detector.score.runtime import Network
from train.console.errors import DatasetError
from train.evaluation.said_normal import SaidNormal
from train.read.dataset import Selection, align
from train.read.row_hashes import refuse_fitted
from train.read.tables import RawTable, ReadOptions, read_tables

ALL_ROWS = slice(None)


@dataclass(frozen=True)
class Played:
    """One file and what the device would have said of it."""

    table: RawTable
    """As read, but with rates in place of counters and nothing in place of codes for it, as they were scored."""
    replay: Replay
    calibration: Calibration
    """What its scores rest on: the bundle's, or its own where it was commissioned on its first rows."""
    first: int
    """The first file row after those that commissioned it."""


def read_for(
    bundle: Bundle, paths: Sequence[str | Path], options: ReadOptions, rows: slice = ALL_ROWS
) -> list[RawTable]:
    """Files with the bundle's channels, these `rows` of each; other columns are passed over. Their names are made
    to differ.

    Raises:
        DatasetError: a file cannot be read, lacks a channel, or has none of the rows.
    """
    every = read_tables(paths, replace(options, channels=bundle.channel_names))
    tables = [table.part(rows) for table in every]
    names = [table.name for table in tables]
    if len(set(names)) < len(names):
        return [replace(table, name=str(path)) for table, path in zip(tables, paths, strict=True)]
    return tables


def play(
    bundle: Bundle,
    variant: Variant,
    network: Network,
    tables: Sequence[RawTable],
    calibrate_rows: int = 0,
    progress: Callable[[int, int], None] | None = None,
    tuning: Tuning = DEFAULT,
    explained: bool = False,
    said: SaidNormal | None = None,
) -> list[Played]:
    """All files in lockstep, each a stream of one group, every row of a file in its order.

    With `calibrate_rows` each is commissioned on so many of its own first rows. `progress` is told grid rows done and
    in all. `explained`: with what was expected of every row. `said`: what is called normal on the way.

    Raises:
        DatasetError: first rows cannot commission, or the network was fitted on them; or what was `said` cannot be.
    """
    settings = bundle.aligner
    _require_unfitted(bundle, tables, calibrate_rows)
    wanted = [grid_rows_before(table, calibrate_rows, settings) for table in tables]
    streams = [StreamSettings(id=f"file{number}", calibrate_rows=rows) for number, rows in enumerate(wanted)]
    group = StreamGroup(bundle, variant, network, streams, _repeatable_ids(), tuning)

    def watch(done: int, total: int) -> None:
        for number, rows in enumerate(wanted):
            if rows == done and group.calibration(number) is None:
                _refuse(bundle, network, tables[number], calibrate_rows, settings)
        if progress is not None:
            progress(done, total)

    after = None if said is None else said.begin(group)
    replays = replaying.replay(group, [_recording(one) for one in tables], settings, watch, explained, after)
    if said is not None:
        said.require_all([event for one in replays for event in one.events])
    return [
        Played(_as_scored(bundle, table), one, _calibration(group, number, table), calibrate_rows)
        for number, (table, one) in enumerate(zip(tables, replays, strict=True))
    ]


def _require_unfitted(bundle: Bundle, tables: Sequence[RawTable], calibrate_rows: int) -> None:
    for table in tables if calibrate_rows else ():
        refuse_fitted([align(table, Selection(slice(0, calibrate_rows)), bundle.aligner)], bundle)


def _recording(table: RawTable) -> Recording:
    return Recording(table.times, table.values)


def oddities(played: Played) -> list[str]:
    """A line for each thing in a file that a user should know of, who wonders about missing scores."""
    table = played.table
    timeless = int(np.isnan(table.times).sum())
    late = int((played.replay.aligned < 0).sum()) - timeless
    counts = (
        (timeless, "rows without a readable time: no score"),
        (late, "rows lie before a row above them, and came too late for the grid: no score; sort the file by time"),
        (table.text_cells, "cells hold text where a number was wanted: missing"),
        (table.ragged, "lines with more or fewer cells than the header"),
    )
    return [f"{table.name}: {number} {what}" for number, what in counts if number]


def _as_scored(bundle: Bundle, table: RawTable) -> RawTable:
    """The table with the values that the network is given of it; NaN in rows that came too late for the grid."""
    if not bundle.rates and not bundle.missing:
        return table
    rows, place = grid_rows(_recording(table), bundle.channel_names, bundle.aligner)
    values = np.array([row.values for row in rows] + [np.full(len(bundle.channels), np.nan)])
    return replace(table, values=values[place])


def _calibration(group: StreamGroup, stream: int, table: RawTable) -> Calibration:
    found = group.calibration(stream)
    if found is None:
        raise DatasetError(f"{table.name}: too few rows with times to commission on")
    return found


def grid_rows_before(table: RawTable, file_rows: int, settings: AlignerSettings) -> int:
    """Grid rows that come of a file's first rows: more where the clock skipped, fewer where rows share one.

    A grid row that the row after them reaches into is left out.

    Raises:
        DatasetError: the file has no row after them.
    """
    if file_rows == 0:
        return 0
    if file_rows >= len(table.times):
        raise DatasetError(
            f"{table.name}: commissioning wants {file_rows} rows and some to score, the file has {len(table.times)}; "
            "give a smaller --calibrate-rows"
        )
    later = table.times[file_rows:]
    later = later[np.isfinite(later)]
    rows, _ = grid_rows(Recording(table.times[:file_rows], table.values[:file_rows]), table.channels, settings)
    return max(1, sum(row.time < later[0] for row in rows)) if len(later) else len(rows)


def _refuse(bundle: Bundle, network: Network, table: RawTable, file_rows: int, settings: AlignerSettings) -> None:
    """Say why the first rows did not commission the stream; the device would go on collecting, a file must not."""
    part = Recording(table.times[:file_rows], table.values[:file_rows])
    rows, _ = grid_rows(part, bundle.channel_names, settings)
    try:
        commission(bundle, network, rows, DEFAULT)
    except ValueError as error:
        raise DatasetError(f"{table.name}: cannot commission on its first {file_rows} rows: {error}") from error


def _repeatable_ids() -> Callable[[float], str]:
    """Episode ids that are the same each time the same files are played."""
    source = random.Random(0)
    return lambda time: episode_id(time, source.randbytes(10))
