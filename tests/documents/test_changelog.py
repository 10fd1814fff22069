"""The changelog lists every field that was added to the wire, with what holds where an older writer did not know it."""

import json
import re

import edge
from edge.wire.events import event_schema
from tests.helpers.documents import ROOT

TEXT = (ROOT / "CHANGELOG.md").read_text("utf-8")


def added() -> dict[str, str]:
    """Fields of the schema that are not required, since they came later, to their defaults as JSON."""
    schema = event_schema()
    parts = {"": schema, "contributors[].": schema["$defs"]["contributors"]["items"]}
    for name, field in schema["properties"].items():
        parts |= {f"{name}.": one for one in field.get("anyOf", []) if "properties" in one}
    return {
        f"{prefix}{name}": json.dumps(field["default"])
        for prefix, part in parts.items()
        for name, field in part["properties"].items()
        if name not in part["required"]
    }


def listed() -> dict[str, tuple[str, str]]:
    """Field to version and default, as the changelog has them."""
    rows = re.findall(r"^\| `(\S+)` \| ([^|]+) \| `([^`]+)` \|$", TEXT, re.MULTILINE)
    return {name: (since, default) for name, since, default in rows}


def test_every_field_that_was_added_is_listed_with_its_default():
    assert {name: default for name, (_, default) in listed().items()} == added()


def test_fields_are_since_a_version_that_the_changelog_has():
    versions = {version.lower() for version in re.findall(r"^## (\S+)$", TEXT, re.MULTILINE)}

    assert {since for since, _ in listed().values()} <= versions


def test_the_version_of_the_package_has_a_section():
    assert f"\n## {edge.__version__}\n" in TEXT
