"""The page that a report is: one HTML file that needs nothing beside it."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources
from pathlib import Path

from matplotlib.figure import Figure

from train.console.errors import DatasetError
from train.plots.style import NARROW, WIDE, Size, to_svg

_MOST_BESIDE = 4
"""Columns of a table that a phone has room for."""
_NO_NAME = '<span class="unseen">of what</span>'


@dataclass(frozen=True)
class Fact:
    """One number that a reader should see first."""

    name: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Section:
    """A heading, what it means in plain words, and its content as HTML."""

    title: str
    text: str
    """Plain text, escaped on the page; an empty line starts a paragraph."""
    parts: tuple[str, ...] = ()


def write_page(path: str | Path, title: str, subtitle: str, facts: Sequence[Fact], sections: Sequence[Section]) -> None:
    """Write the page.

    Raises:
        DatasetError: the file cannot be written.
    """
    try:
        Path(path).write_text(page(title, subtitle, facts, sections), encoding="utf-8")
    except OSError as error:
        raise DatasetError(f"{path}: cannot write the report ({error.strerror})") from error


def page(title: str, subtitle: str, facts: Sequence[Fact], sections: Sequence[Section]) -> str:
    """The whole page as text."""
    style = resources.files("train.report").joinpath("report.css").read_text("utf-8")
    body = "\n".join(_section(one) for one in sections)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n"
        f"<header><h1>{escape(title)}</h1><p>{escape(subtitle)}</p></header>\n"
        f"{_facts(facts)}\n{body}\n<footer>Written by offbeat-train.</footer>\n</main>\n</body>\n</html>\n"
    )


def picture(draw: Callable[[Size], Figure], label: str, caption: str = "") -> str:
    """A figure as part of a section, drawn for a desk and for a phone; `label` says in words what it shows."""
    below = f"<figcaption>{caption}</figcaption>" if caption else ""
    drawn = "".join(to_svg(draw(size), label, size) for size in (WIDE, NARROW))
    return f"<figure>{drawn}{below}</figure>"


def table(
    header: Sequence[str], rows: Sequence[Sequence[str]], own: int | None = None, stacked: bool | None = None
) -> str:
    """Rows of text as a table; columns whose cells are numbers stand to the right, row `own` is set off.

    On a phone each row is a block of lines, name and cell, where it is `stacked`: by itself
    from five columns on.
    """
    columns = [[row[column] for row in rows] for column in range(len(header))]
    right = [any(cells) and all(map(_is_number, cells)) for cells in columns]
    stacked = len(header) > _MOST_BESIDE if stacked is None else stacked
    head = "".join(
        f'<th role="columnheader" scope="col"{" class=number" if number else ""}>{escape(name) or _NO_NAME}</th>'
        for name, number in zip(header, right, strict=True)
    )

    def line(cells: Sequence[str]) -> str:
        return "".join(
            f'<td role="cell"{" class=number" if number else ""} data-name="{escape(name)}">{escape(cell)}</td>'
            for name, cell, number in zip(header, cells, right, strict=True)
        )

    body = "\n".join(
        f'<tr role="row"{" class=own" if number == own else ""}>{line(row)}</tr>' for number, row in enumerate(rows)
    )
    # The roles stand there since blocks and grids in place of rows take them away.
    return (
        f'<table role="table"{" class=stacked" if stacked else ""}><thead role="rowgroup"><tr role="row">{head}</tr>'
        f'</thead>\n<tbody role="rowgroup">{body}</tbody></table>'
    )


def paragraph(text: str, note: bool = False) -> str:
    """Plain text as a paragraph; a `note` catches the eye."""
    return f"<p{' class=note' if note else ''}>{escape(text)}</p>"


def heading(text: str) -> str:
    """A heading inside a section."""
    return f"<h3>{escape(text)}</h3>"


def keys(entries: Sequence[tuple[str, str]]) -> str:
    """What the shades of a figure mean: (colour's role, meaning)."""
    shown = (
        f'<span><span class="key" style="background: color-mix(in srgb, var(--{color}) 35%, transparent)"></span>'
        f"{escape(meaning)}</span>"
        for color, meaning in entries
    )
    return " ".join(shown)


def _section(section: Section) -> str:
    text = "".join(paragraph(part) for part in section.text.split("\n\n") if part)
    return f"<section><h2>{escape(section.title)}</h2>{text}{''.join(section.parts)}</section>"


def _facts(facts: Sequence[Fact]) -> str:
    if not facts:
        return ""
    cells = (
        f"<div><dt>{escape(one.name)}</dt><dd>{escape(one.value)}"
        f"{f'<small>{escape(one.note)}</small>' if one.note else ''}</dd></div>"
        for one in facts
    )
    return f'<dl class="facts">{"".join(cells)}</dl>'


def _is_number(cell: str) -> bool:
    """Whether a cell is a number, with a unit perhaps, or stands for none."""
    return re.fullmatch(r"-?|[+-]?[\d.,]+(e[+-]?\d+)?( (%|[a-zµ]+|of \d+))?", cell) is not None
