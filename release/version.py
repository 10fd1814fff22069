"""The version has one place, `edge/__init__.py`; the changelog must know it."""

import re
from datetime import date
from pathlib import Path

import edge
from release.platforms import ROOT
from release.wheels import ReleaseError


def version(root: Path = ROOT) -> str:
    """The version of this tree.

    Raises:
        ReleaseError: CHANGELOG.md has no section for it.
    """
    text = (root / "CHANGELOG.md").read_text("utf-8")
    if not re.search(rf"^## {re.escape(edge.__version__)}$", text, re.MULTILINE):
        raise ReleaseError(
            f"edge/__init__.py says {edge.__version__}, and CHANGELOG.md has no section '## {edge.__version__}'"
        )
    return edge.__version__


def unreleased(root: Path = ROOT) -> bool:
    """Whether the changelog has entries that no version has yet: then what is built is a version in the making."""
    text = (root / "CHANGELOG.md").read_text("utf-8")
    section = re.search(r"^## Unreleased\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return bool(section and section[1].strip())


def debian_version(root: Path = ROOT, today: date | None = None) -> str:
    """As Debian sorts it: what is in the making comes before the next version, and after the last."""
    made = version(root)
    return f"{made}+{(today or date.today()):%Y%m%d}" if unreleased(root) else made
