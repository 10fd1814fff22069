"""docs/reference/topics.md: the topics, from edge/wire/topics.py."""

import ast
from inspect import isfunction

from docs.generate.markdown import page, table
from docs.generate.source import declared, methods
from edge.wire.topics import RESERVED_STREAMS, DeviceTopics, readings_topic

_INTRODUCTION = f"""From `edge/wire/topics.py`. `root` is `offbeat` and the boards' `sensors` where the config says
nothing else. Ids have letters, digits, `_` and `-`; a stream is not called
{", ".join(f"`{word}`" for word in sorted(RESERVED_STREAMS))}."""
_LEVELS = {"stream": "<stream>", "command": "<command>"}


def topics() -> str:
    """The page."""
    device = DeviceTopics("<device>")
    rows = [(f"`{readings_topic('<board>')}`", "not retained", "in", _first(readings_topic.__doc__))]
    for method in methods(declared(DeviceTopics)):
        made = getattr(DeviceTopics, method.name)
        arguments = [_LEVELS[one.arg] for one in method.args.args[1:]]
        topic = made(device, *arguments) if isfunction(made) else getattr(device, method.name)
        about = ast.get_docstring(method) or ""
        retained = "retained" if about.startswith("Retained") else "not retained"
        rows.append((f"`{topic}`", retained, "in" if method.name == "request" else "out", about))
    return page("Topics", _INTRODUCTION, table(["topic", "", "seen from the device", "payload"], rows))


def _first(text: str | None) -> str:
    return (text or "").split("\n\n")[0]
