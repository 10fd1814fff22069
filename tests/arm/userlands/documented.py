"""The commands of the how-to, as an owner would type them."""

import re
from pathlib import Path

HOW_TO = Path(__file__).resolve().parents[3] / "docs/how-to/install-on-a-gateway.md"


def commands(heading: str, version: str, text: str | None = None) -> list[str]:
    """Those of the first block below a heading, one each, without comments; VERSION filled in.

    Raises:
        ValueError: there is no such heading, or no block below it.
    """
    text = HOW_TO.read_text("utf-8") if text is None else text
    section = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#+ |\Z)", text, re.MULTILINE | re.DOTALL)
    block = section and re.search(r"^```sh\n(.*?)^```", section[1], re.MULTILINE | re.DOTALL)
    if not block:
        raise ValueError(f"{HOW_TO.name}: no commands below {heading!r}")
    lines = [re.sub(r"\s+# .*$", "", line).replace("VERSION", version) for line in block[1].splitlines()]
    return [part for line in lines if line.strip() for part in line.split(" && ")]
