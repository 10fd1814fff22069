"""CSV: one file a board, a row an instant, written as fast as the disk takes it."""

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, TextIO

import numpy as np

from firmware_sim.board.board import Sent
from firmware_sim.board.fleet import BoardRun, sent_by
from firmware_sim.machine.channels import CHANNELS, Channel

TimeFormat = Literal["iso", "unix"]


def header(labels: bool, channels: Sequence[Channel] = CHANNELS) -> str:
    """The first line, without its end."""
    return ",".join(["time", *(channel.name for channel in channels), *(["anomaly"] if labels else [])])


def csv_lines(
    sent: Sent, time_format: TimeFormat, labels: bool, channels: Sequence[Channel] = CHANNELS
) -> Iterator[str]:
    """One line a row, with its end; a missing value is an empty cell."""
    columns = [_time_texts(sent.times, time_format)]
    columns += [_texts(sent.values[:, place], f"%.{one.decimals}f") for place, one in enumerate(channels)]
    if labels:
        columns.append(["1" if anomaly else "0" for anomaly in sent.anomaly.tolist()])
    for cells in zip(*columns, strict=True):
        yield ",".join(cells) + "\n"


def _texts(values: np.ndarray, pattern: str) -> list[str]:
    # value != value: NaN, the one number unequal to itself
    return ["" if value != value else pattern % value for value in values.tolist()]


def _time_texts(times: np.ndarray, time_format: TimeFormat) -> list[str]:
    """ISO 8601 in UTC, or Unix seconds; milliseconds only where there are any."""
    thousandths = np.rint(times * 1000.0).astype(np.int64)
    whole = not np.any(thousandths % 1000)
    if time_format == "unix":
        return [str(time) for time in (thousandths // 1000 if whole else thousandths / 1000).tolist()]
    moments = thousandths.astype("datetime64[ms]")
    texts = np.datetime_as_string(moments, unit="s" if whole else "ms")
    return [f"{text}Z" for text in texts.tolist()]


def write_csv(
    run: BoardRun, number: int, out: TextIO, time_format: TimeFormat, labels: bool, stop: threading.Event
) -> int:
    """Write the rows of board `number` to `out` until the end or `stop`; the number of rows written."""
    rows = 0
    out.write(header(labels, run.model.channels) + "\n")
    for sent in sent_by(run, number):
        out.writelines(csv_lines(sent, time_format, labels, run.model.channels))
        rows += len(sent.times)
        if stop.is_set():
            break
    return rows


def file_of(pattern: str, board: str) -> Path:
    """The file of one board: `{board}` in the pattern is replaced by its name."""
    return Path(pattern.replace("{board}", board))
