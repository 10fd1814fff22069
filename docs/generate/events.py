"""docs/reference/events.md: the fields of an event, from the published JSON Schema."""

import json
from collections.abc import Iterator
from typing import Any

from docs.generate.markdown import escaped, page, table
from edge.wire.events import event_schema


def events() -> str:
    """The page."""
    schema = event_schema()
    introduction = (
        "From [edge/wire/event.schema.json](../../edge/wire/event.schema.json), which validates a message.\n\n"
        + escaped(schema["description"])
    )
    sections = [f"## {name}\n\n{_fields(part)}" for name, part in _objects(schema)]
    return page("Events", introduction, *sections)


def _objects(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The message, and the objects in it."""
    yield "The message", schema
    yield "`contributors`: each", schema["$defs"]["contributors"]["items"]
    for name, part in schema["properties"].items():
        for choice in part.get("anyOf", []):
            if "properties" in choice:
                yield f"`{name}`", choice


def _fields(part: dict[str, Any]) -> str:
    required = set(part["required"])
    rows = []
    for name, field in part["properties"].items():
        # What is not required came later; where a writer did not know it, its default holds.
        default = "" if name in required else f"`{json.dumps(field.get('default'))}`"
        rows.append((f"`{name}`", _type(field), default, field.get("description", "")))
    return table(["field", "type", "where absent", "meaning"], rows)


def _type(field: dict[str, Any]) -> str:
    if "$ref" in field:
        return "list of objects"
    if "const" in field:
        return f"`{json.dumps(field['const'])}`"
    if "enum" in field:
        return ", ".join(f"`{json.dumps(value)}`" for value in field["enum"])
    if "anyOf" in field:
        return " or ".join(choice["type"] for choice in reversed(field["anyOf"]))
    found = field["type"]
    return " or ".join(found) if isinstance(found, list) else found
