"""The page that a report is: one HTML file that needs nothing beside it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources
from pathlib import Path

from matplotlib.figure import Figure

from train.console.errors import DatasetError
from train.plots.style import to_svg


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


def picture(figure: Figure, label: str, caption: str = "") -> str:
    """A figure as part of a section; `label` says in words what it shows."""
    below = f"<figcaption>{caption}</figcaption>" if caption else ""
    return f"<figure>{to_svg(figure, label)}{below}</figure>"


def table(header: Sequence[str], rows: Sequence[Sequence[str]], own: int | None = None) -> str:
    """Rows of text as a table; columns whose cells are numbers stand to the right, row `own` is set off."""
    right = [all(_is_number(row[column]) for row in rows) for column in range(len(header))]

    def line(cells: Sequence[str], tag: str) -> str:
        return "".join(
            f"<{tag}{' class=number' if number else ''}>{escape(cell)}</{tag}>"
            for cell, number in zip(cells, right, strict=True)
        )

    body = "\n".join(
        f"<tr{' class=own' if number == own else ''}>{line(row, 'td')}</tr>" for number, row in enumerate(rows)
    )
    return (
        f'<div class="table"><table><thead><tr>{line(header, "th")}</tr></thead>\n<tbody>{body}</tbody></table></div>'
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
        f'<span class="key" style="background: color-mix(in srgb, var(--{color}) 35%, transparent)"></span>'
        f"{escape(meaning)}"
        for color, meaning in entries
    )
    return " &nbsp; ".join(shown)


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
