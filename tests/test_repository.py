"""What the documents promise is there, and no file carries anything of the machine that it was written on."""

import json
import re
import tomllib
from collections import Counter
from functools import cache
from itertools import chain
from pathlib import Path

import jsonschema
import pytest

from docs.generate.commands import parsers
from edge.config.settings import load_config
from edge.wire.events import decode_message, event_schema, message_to_dict
from tests.helpers.documents import ROOT, Block, blocks, commands, files

_TEXT = {".py", ".md", ".toml", ".txt", ".json", ".html", ".css", ".js", ".svg", ".conf", ".service", ".cfg", ""}
# Spelt so that this file does not match itself.
_FOREIGN = {
    "a path of one machine": r"(?<![\w.])/(?:root|home/\w+|work|Users/\w+)/",
    "a package registry": r"pypi\.(?:org)|pythonhosted\.(?:org)|-index-(?:url)|find-(?:links)",
    "the neighbouring folder": r"\.\./" + "shared",
}
_MAY = {".ci/run": "the neighbouring folder"}


@pytest.mark.parametrize("what", _FOREIGN)
def test_no_file_names(what):
    pattern = re.compile(_FOREIGN[what])
    found = [
        f"{file.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for file in files()
        if file.suffix in _TEXT and _MAY.get(str(file.relative_to(ROOT))) != what
        for number, line in enumerate(file.read_text("utf-8", "replace").splitlines(), 1)
        if pattern.search(line)
    ]

    assert not found, "\n".join(found)


def test_every_make_target_is_in_its_help():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    (targets,) = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)

    assert set(re.findall(r"^([\w-]+):.*## ", makefile, re.MULTILINE)) == set(targets.split())


def test_the_pre_commit_hooks_run_what_make_check_runs():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    (recipe,) = re.findall(r"^check:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    (run,) = re.findall(r"^run = (.*)$", makefile, re.MULTILINE)
    hooks = (ROOT / ".pre-commit-config.yaml").read_text("utf-8")

    wanted = [line.strip().replace("$(run)", run) for line in recipe.splitlines() if "$(run)" in line]

    assert re.findall(r"^ +entry: (.*)$", hooks, re.MULTILINE) == wanted


def test_test_files_have_names_of_their_own():
    # pytest imports them by that name alone, and a second one ends a run over both.
    names = Counter(path.name for path in (ROOT / "tests").rglob("test_*.py"))

    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize(
    ("name", "lines"),
    [("README.md", 120), ("edge/README.md", 100), ("train/README.md", 100), ("firmware_sim/README.md", 106)],
)
def test_a_readme_is_a_page(name, lines):
    assert len((ROOT / name).read_text("utf-8").splitlines()) <= lines


def test_every_direct_dependency_is_pinned():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    pins = {line.split("==")[0].lower().replace("_", "-") for line in _pins("constraints.txt")}
    elsewhere = {"offbeat", "tflite-runtime"}  # itself, and the runtime that has an environment of its own
    wanted = {
        re.split(r"[\[<>=;! ]", requirement)[0].lower().replace("_", "-")
        for requirement in chain(project["dependencies"], *extras.values())
    }

    assert wanted - elsewhere <= pins


@pytest.mark.parametrize("name", ["constraints.txt", "constraints-tflite-runtime.txt", "constraints-bench.txt"])
def test_pins_are_a_name_and_a_version(name):
    assert all(re.fullmatch(r"[\w.-]+==(?:\d+!)?[\w.]+(?: ?; ?python_version .*)?", line) for line in _pins(name))


def _pins(name: str) -> list[str]:
    lines = (ROOT / name).read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


@cache
def _options() -> dict[str, set[str]]:
    """Every command to the options that it has."""
    return {parser.prog: set(parser._option_string_actions) for parser, _ in parsers()}


def _command(name: str, words: list[str]) -> str:
    """The command that a line runs, with the words that name it; a first word must name one."""
    for word in words:
        if f"{name} {word}" not in _options():
            break
        name = f"{name} {word}"
    return name


@pytest.mark.parametrize("block", blocks("sh", "bash", "shell", "console"), ids=str)
def test_documented_commands_and_their_options_exist(block: Block):
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for name, *words in commands(block.text):
        if name == "make":
            targets = [word for word in words if "=" not in word]
            assert all(f"\n{target}:" in makefile for target in targets), words
            continue
        command = _command(name, words)
        assert command != name or words[0].startswith("-"), f"{name} {' '.join(words)}: no such command"
        options = {word.split("=")[0] for word in words if word.startswith("--")}
        assert options <= {*_options()[command], "--help"}, f"{name} {' '.join(words)}"


@pytest.mark.parametrize("block", blocks("json"), ids=str)
def test_json_in_documents_parses_and_events_meet_the_schema(block: Block):
    body = json.loads(block.text)

    if isinstance(body, dict) and "event_type" in body:
        jsonschema.validate(body, event_schema())


@pytest.mark.parametrize("block", blocks("toml"), ids=str)
def test_toml_in_documents_parses_and_whole_configs_load(block: Block, tmp_path, monkeypatch):
    body = tomllib.loads(block.text)

    if {"device", "source", "stream"} <= set(body):
        for variable in re.findall(r"\$\{(\w+)\}", block.text):
            monkeypatch.setenv(variable, "secret")
        (tmp_path / "agent.toml").write_text(block.text, "utf-8")
        load_config(tmp_path / "agent.toml")


@pytest.mark.parametrize("name", ["README.md", "docs/how-to/read-alerts.md"])
def test_the_document_shows_an_event_with_all_its_fields(name):
    (shown,) = [block.text for block in blocks("json") if block.file == ROOT / name and '"event_type"' in block.text]

    message = decode_message(shown)
    assert json.loads(shown) == message_to_dict(message)
    assert None not in (message.event.peak, *(part.reason for part in message.event.contributors))


def test_links_between_documents_lead_somewhere():
    lost = [
        f"{file.relative_to(ROOT)}: {target}"
        for file in files()
        if file.suffix == ".md"
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", file.read_text("utf-8"))
        if not (file.parent / target).exists()
    ]

    assert not lost, "\n".join(lost)


def test_links_to_a_part_of_a_document_lead_to_a_heading():
    lost = [
        f"{file.relative_to(ROOT)}: {target}#{part}"
        for file in files()
        if file.suffix == ".md"
        for target, part in re.findall(r"\]\(([^)#:]*\.md|)#([^)]+)\)", file.read_text("utf-8"))
        if part not in _anchors((file.parent / target) if target else file)
    ]

    assert not lost, "\n".join(lost)


def _anchors(document: Path) -> set[str]:
    """Of a document's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", document.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
