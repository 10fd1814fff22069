"""What was understood of a file, as a table: most wrong models begin with a file that was read otherwise than meant."""

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from edge.readings.cells import shown
from edge.readings.layout import Column, Layout
from train.console.terminal import echo

_MEANINGS = {"row number": "row number: left out", "label": "labels: no channel", "text": "text: left out",
             "empty": "empty: left out", "another time": "another time: left out",
             "part of the time": "part of the time: left out"}  # fmt: skip


def print_understood(layout: Layout, name: str, chosen: tuple[str, ...] | None, console: Console) -> None:
    """A line a column: what it is taken for, its unit, a cell as it stands in the file, and how many are missing.

    `chosen` are the channels where the user named them.
    """
    table = Table(title=escape(f"{name}: {_how(layout)}"), title_justify="left", box=box.SIMPLE_HEAD)
    for heading in ("column", "meaning", "unit", "example", "missing"):
        table.add_column(heading, justify="right" if heading == "missing" else "left", overflow="fold")
    for column in layout.columns:
        rows = column.evidence.rows
        part = f"{100 * column.evidence.missing / rows:.1f} %" if rows and column.evidence.missing else "-"
        label = column.name if column.channel == column.name else f"{column.name} = {column.channel}"
        cells = (label, _meaning(column, layout, chosen), column.unit, column.evidence.example[:40], part)
        table.add_row(*(escape("".join(mark if mark.isprintable() else "?" for mark in cell)) for cell in cells))
    console.print(table)
    for note in layout.notes:
        echo(console, f"{name}: {note}")


def _how(layout: Layout) -> str:
    parts = [f"{layout.rows} rows", layout.packing, layout.encoding]
    parts.append("JSON lines" if layout.shape.json else f"separator {shown(layout.shape.separator)}")
    if not layout.shape.json and layout.shape.head.named:
        parts.append(f"readings from line {layout.shape.head.first}")
    return ", ".join(part for part in parts if part)


def _meaning(column: Column, layout: Layout, chosen: tuple[str, ...] | None) -> str:
    if column.meaning == "time":
        time = layout.time
        order = (
            {"dmy": ", day first", "mdy": ", month first"}.get(time.order, "") if time.kind in ("text", "parts") else ""
        )
        zone = "" if time.relative or (time.number is not None and not time.number.local) else f", {time.zone}"
        return f"time: {time.shown}{order}{zone}"
    if column.error is not None:
        return "not clear: see below"
    states = ", on is 1 and off 0" if column.style is not None and column.style.states else ""
    if chosen is not None and column.channel in chosen:
        return f"channel{states}"
    if column.meaning == "channel":
        return f"channel{states}" if chosen is None else "not asked for"
    return _MEANINGS.get(column.meaning, column.meaning)
