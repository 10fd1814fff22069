"""docs/reference/python.md: what the front doors give, from docstrings."""

import ast
from collections.abc import Iterator

import edge
import train
from docs.generate.markdown import page, prose, table
from docs.generate.source import decorated, fields, methods, named, signature

_LINE = 100
"""Characters of a signature that stay on one line."""
_DOORS = {"edge": edge, "train": train}
_INTRODUCTION = """From the docstrings of what `edge` and `train` export. Short programs that use them are in
`edge/examples`."""


def python_names() -> str:
    """The page."""
    return page("Python", _INTRODUCTION, *(part for name in _DOORS for part in _door(name)))


def _door(name: str) -> Iterator[str]:
    yield f"## {name}\n\n{prose(_DOORS[name].__doc__ or '')}"
    for exported, where in sorted(_DOORS[name]._FROM.items()):
        yield from _entry(exported, where)


def _entry(name: str, where: str) -> Iterator[str]:
    node = named(where, name)
    head = f"### {name}\n\n`{where}`"
    if isinstance(node, ast.FunctionDef):
        yield f"{head}\n\n{_called(signature(node, name), node)}"
    elif isinstance(node, ast.ClassDef):
        yield f"{head}\n\n{prose(ast.get_docstring(node) or '')}"
        yield from _attributes(node)
        yield from _methods(node)


def _attributes(node: ast.ClassDef) -> Iterator[str]:
    rows = [
        (f"`{one.name}`", f"`{one.kind}`", "" if one.default is None else f"`{one.default}`", one.about)
        for one in fields(node)
    ]
    rows += [
        (f"`{one.name}`", f"`{ast.unparse(one.returns)}`" if one.returns else "", "", ast.get_docstring(one) or "")
        for one in methods(node)
        if decorated(one, "property")
    ]
    if rows:
        yield table(["attribute", "type", "default", "meaning"], rows)


def _methods(node: ast.ClassDef) -> Iterator[str]:
    """The constructor, where it is more than the attributes, and what can be called."""
    for one in node.body:
        if isinstance(one, ast.FunctionDef) and one.name == "__init__":
            yield _called(signature(one, node.name), one)
    for one in methods(node):
        if not decorated(one, "property"):
            owner = node.name if decorated(one, "classmethod") else ""
            yield _called(signature(one, f"{owner}.{one.name}"), one)


def _called(call: str, node: ast.FunctionDef) -> str:
    return f"```py\n{_wrapped(call)}\n```\n\n{prose(ast.get_docstring(node) or '')}".strip()


def _wrapped(call: str) -> str:
    """A long signature with an argument a line."""
    if len(call) <= _LINE:
        return call
    head, _, rest = call.partition("(")
    inside, close, result = rest.rpartition(")")
    return f"{head}(\n    " + ",\n    ".join(_split(inside)) + f",\n{close}{result}"


def _split(arguments: str) -> list[str]:
    """At the commas outside brackets and quotes."""
    parts, depth = [""], 0
    for letter in arguments:
        depth += (letter in "([{") - (letter in ")]}")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]
