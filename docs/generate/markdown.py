"""Pieces of Markdown."""

import re
from collections.abc import Iterable, Sequence

NOTICE = "<!-- Written by `make docs`; change the source that it names, not this page. -->"


def page(title: str, *parts: str) -> str:
    """A whole page of the reference."""
    return "\n\n".join([f"# {title}", NOTICE, *(part for part in parts if part)]) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; what would break it is escaped.

    >>> print(table(["a", "b"], [["1|2", "x"]]))
    | a | b |
    |---|---|
    | 1\\|2 | x |
    """
    lines = [head, ["---"] * len(head), *([_cell(text) for text in row] for row in rows)]
    return "\n".join("|---" * len(line) + "|" if line[0] == "---" else f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    return escaped(re.sub(r"\s+", " ", text).strip().replace("|", "\\|"))


def escaped(text: str) -> str:
    """Without what would be taken for HTML outside code.

    >>> print(escaped("<a> in `<b>`"))
    \\<a> in `<b>`
    """
    return "`".join(part if at % 2 else part.replace("<", "\\<") for at, part in enumerate(text.split("`")))


def prose(docstring: str) -> str:
    """A docstring as Markdown: examples in fences, what is raised as a list.

    >>> print(prose('''Twice.
    ...
    ... Raises:
    ...     ValueError: too large,
    ...         by far.
    ... '''))
    Twice.
    <BLANKLINE>
    Raises:
    <BLANKLINE>
    - `ValueError`: too large, by far.
    """
    return "\n\n".join(_paragraph(part) for part in re.split(r"\n\s*\n", docstring.strip()))


def _paragraph(text: str) -> str:
    if text.lstrip().startswith(">>>"):
        return f"```pycon\n{text}\n```"
    if text.startswith("Raises:"):
        raised = re.sub(r"\n {8,}", " ", text.removeprefix("Raises:"))
        lines = [line.strip().partition(":") for line in raised.strip().splitlines()]
        return "Raises:\n\n" + "\n".join(f"- `{name}`:{rest}" if colon else f"- {name}" for name, colon, rest in lines)
    return text
