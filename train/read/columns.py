"""Which columns of a file are channels and which are not; what is left out is listed."""

import difflib
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from edge.readings.labels import label_of, outliers_are_minus_one
from edge.readings.layout import Column, Layout
from edge.readings.options import FileOptions
from train.console.errors import DatasetError

_SILENT = ("time", "id", "value", "quality", "unit", "board", "seq")
"""Columns that have a part of their own and are not listed among those left out."""


@dataclass(frozen=True)
class ReadOptions:
    """What the user said about the files; None is found out."""

    channels: tuple[str, ...] | None = None
    time_column: str | None = None
    label_column: str | None = None
    timezone: str | None = None
    keep: tuple[str, ...] = ()
    """Columns that are channels whatever they look like."""
    drop: tuple[str, ...] = ()
    """Columns that are none."""
    more: FileOptions = field(default_factory=FileOptions)
    """Everything else about how files are read."""

    @property
    def file(self) -> FileOptions:
        """All that the reader of files is told."""
        return replace(self.more, time_column=self.time_column, label_column=self.label_column, timezone=self.timezone)

    @property
    def zone(self) -> str:
        """Zone of times that name none."""
        return self.timezone or "UTC"


@dataclass(frozen=True)
class LeftOut:
    """A column that is no channel."""

    name: str
    found: str
    """What it looks like."""
    option: str
    """What would make it a channel, or use it otherwise; empty where nothing does."""


def choose(layout: Layout, options: ReadOptions) -> tuple[Column, ...]:
    """The columns that are channels: those named, or all that hold numbers.

    Raises:
        DatasetError: a named column is not there or holds no number, one can be read in two ways, or there is none.
    """
    where = layout.shape.where
    label = options.label_column
    require(where, layout, [] if label is None else [label], "label column")
    require(where, layout, [*options.keep, *options.drop], "column")
    if options.channels is not None:
        require(where, layout, options.channels, "channel")
        names = dict.fromkeys([*options.channels, *options.keep])
        wanted = [_column(layout, name) for name in names if name not in options.drop]
    else:
        keep = set(options.keep)
        wanted = [
            one
            for one in layout.columns
            if (one.meaning == "channel" or keep & {one.channel, one.name})
            and not {one.channel, one.name} & set(options.drop)
            and one.meaning not in ("time", "id", "value")
        ]
    return tuple(_usable(where, one) for one in wanted)


def _column(layout: Layout, name: str) -> Column:
    found = layout.column(name)
    assert found is not None
    return found


def _usable(where: str, column: Column) -> Column:
    if column.error is not None:
        raise DatasetError(str(column.error)) from column.error
    if column.style is None:
        seen = f", such as {column.evidence.example!r}" if column.evidence.example else ""
        raise DatasetError(f"{where}: no usable rows: column {column.name!r} holds no number{seen}")
    require_printable(where, column.channel)
    return column


def require_printable(where: str, channel: str) -> None:
    """Channels are named in alerts and logs, which a control or bidirectional mark would forge.

    Raises:
        DatasetError: the name holds one.
    """
    strange = next((mark for mark in channel if not mark.isprintable()), None)
    if strange is not None:
        raise DatasetError(
            f"{where}: the channel {channel[:80]!r} holds a mark that cannot be printed, U+{ord(strange):04X}; "
            "give it another name in the file's header, or leave it out with --drop"
        )


def require(where: str, layout: Layout, names: Sequence[str], what: str) -> None:
    """Check that a file has these columns.

    Raises:
        DatasetError: it lacks one; the message gives the nearest names.
    """
    have = [one.channel for one in layout.columns]
    for name in names:
        if layout.column(name) is None:
            near = difflib.get_close_matches(name, have, n=3, cutoff=0.5)
            hint = f"nearest: {', '.join(near)}" if near else f"it has {listed(have)}"
            raise DatasetError(f"{where}: {what} {name!r} is not in the file; {hint}")


def listed(names: Sequence[str]) -> str:
    """Names of columns, the first twelve."""
    return ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")


def left_out(
    layout: Layout, chosen: Sequence[Column], options: ReadOptions, labelled: tuple[str | None, Sequence[str]]
) -> list[LeftOut]:
    """The columns that are no channels, each with the reason; `labelled` are a column of labels and its cells."""
    if options.channels is not None:
        return []
    names = {one.name for one in chosen}
    found = []
    for one in layout.columns:
        if one.name in names or one.meaning in _SILENT or one.name == options.label_column:
            continue
        found.append(_left_out(one, options, labelled[1] if one.name == labelled[0] else ()))
    return found


def _left_out(one: Column, options: ReadOptions, labels: Sequence[str]) -> LeftOut:
    name = shlex.quote(one.channel)
    if {one.name, one.channel} & set(options.drop):
        return LeftOut(one.channel, "as told", f"--drop {name} leaves it out")
    if one.meaning == "label":
        keep = f", or --keep {name}" if one.style is not None and one.evidence.numbers else ""
        minus = outliers_are_minus_one(labels)
        marked = sum(bool(label_of(cell, minus)) for cell in labels)
        counted = f": {marked} of {len(labels)} rows are marked" if labels else ""
        return LeftOut(one.channel, f"labels, by its name, and not read{counted}", f"--label-column {name}{keep}")
    if one.meaning == "row number":
        what = "has no name and counts the rows" if one.name.startswith("column ") else "counts the rows"
        return LeftOut(one.channel, what, f"--keep {name}")
    if one.meaning == "part of the time":
        return LeftOut(one.channel, "a part of the time", f"--keep {name}")
    if one.meaning == "another time":
        return LeftOut(one.channel, "holds times, too", f"--time-column {name}")
    if one.evidence.numbers:
        return LeftOut(one.channel, "holds text in most cells", "")
    return LeftOut(one.channel, "holds no number", "")


def remedy(layout: Layout, found: Sequence[LeftOut]) -> str:
    """What to do where no channel is left."""
    for one in found:
        if one.option:
            return f"{one.name!r} is left out ({one.found}): {one.option}"
    for column in layout.columns:
        if column.meaning == "text" and column.evidence.example:
            return f"column {column.name!r} holds text such as {column.evidence.example!r}"
    return f"columns are {listed([one.name for one in layout.columns])}"
