"""`make docs`: writes docs/reference, and the table of rooms in docs/architecture.md, from the code."""

from collections.abc import Callable, Mapping

from docs.generate.agent_toml import agent_toml
from docs.generate.commands import commands
from docs.generate.events import events
from docs.generate.python_names import python_names
from docs.generate.rooms import architecture
from docs.generate.source import ROOT
from docs.generate.topics import topics

PAGES: Mapping[str, Callable[[], str]] = {
    "architecture.md": architecture,
    "reference/agent-toml.md": agent_toml,
    "reference/commands.md": commands,
    "reference/events.md": events,
    "reference/python.md": python_names,
    "reference/topics.md": topics,
}
FOLDER = ROOT / "docs"


def main() -> None:
    """Write every page; say which changed."""
    for name, make in PAGES.items():
        file, text = FOLDER / name, make()
        if not file.exists() or file.read_text("utf-8") != text:
            file.write_text(text, "utf-8")
            print(f"docs/{name}: written")


if __name__ == "__main__":
    main()
