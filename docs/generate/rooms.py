"""The table of rooms in docs/architecture.md, from tests/test_layers.py and the first line of each room's docstring."""

import ast

from docs.generate.markdown import table
from docs.generate.source import ROOT, module
from tests.test_layers import ARROWS

PAGE = ROOT / "docs/architecture.md"
_BEGIN, _END = "<!-- The table is written by `make docs`. -->\n\n", "\n\n<!-- End of the table. -->"


def architecture() -> str:
    """The page with the table as it is today; the rest is written by hand."""
    before, _, rest = PAGE.read_text("utf-8").partition(_BEGIN)
    return f"{before}{_BEGIN}{rooms()}{_END}{rest.partition(_END)[2]}"


def rooms() -> str:
    """A row for each room, the lower ones first."""
    rows = []
    for line in ARROWS.strip().splitlines():
        room, _, others = line.partition(":")
        about = (ast.get_docstring(module(room)) or "").splitlines()[0]
        rows.append((f"`{room}`", others, about))
    return table(["room", "may import", "what it is for"], rows)
