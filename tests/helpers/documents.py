"""The repository's documents, taken apart: code blocks, and the commands in them."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_NOT_OURS = {".git", "build", "dist", "demo-output", "node_modules", "state"}
_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
OUR_COMMANDS = ("offbeat-edge", "offbeat-train", "offbeat-sim", "make")


@dataclass(frozen=True)
class Block:
    """A fenced block of a document."""

    file: Path
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}: {self.text[:60]!r}"


def files() -> Iterator[Path]:
    """Every file of the repository, without what is made in it."""
    for path in sorted(ROOT.iterdir()):
        if path.name in _NOT_OURS or path.name.startswith((".venv", ".pytest", ".mypy", ".ruff", ".hypothesis")):
            continue
        inside = path.rglob("*") if path.is_dir() else [path]
        yield from (file for file in inside if file.is_file() and not _made(file))


def _made(file: Path) -> bool:
    return any(part == "__pycache__" or part.endswith(".egg-info") for part in file.parts)


def blocks(*languages: str) -> list[Block]:
    """The fenced blocks in the given languages of all Markdown files."""
    return [
        Block(file, language, text)
        for file in files()
        if file.suffix == ".md"
        for language, text in _FENCE.findall(file.read_text("utf-8"))
        if language in languages
    ]


def commands(shell: str) -> Iterator[list[str]]:
    """The words of each of our own commands in a shell block, pipes and redirections cut off."""
    for line in shell.replace("\\\n", " ").splitlines():
        words = shlex.split(line.removeprefix("$ "), comments=True)
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):  # VAR=value before a command
            words = words[1:]
        if words and words[0] in OUR_COMMANDS:
            ends = [place for place, word in enumerate(words) if word in {"|", ">", ">>", "&", "&&", ";", "2>"}]
            yield words[: ends[0]] if ends else words
