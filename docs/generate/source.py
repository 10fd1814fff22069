"""What the source says of classes and functions, read without importing them."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Field:
    """One attribute of a class, as it is declared."""

    name: str
    kind: str
    """Its annotation."""
    default: str | None
    """As written; None where one must be given."""
    about: str
    """The string below it."""


@cache
def module(name: str) -> ast.Module:
    """The parsed source of a module, by its full name."""
    base = ROOT.joinpath(*name.split("."))
    file = base / "__init__.py" if base.is_dir() else base.with_suffix(".py")
    return ast.parse(file.read_text("utf-8"))


def named(module_name: str, name: str) -> ast.stmt:
    """The class or function of that name in a module, or where the module has it from.

    Raises:
        LookupError: there is none.
    """
    for node in module(module_name).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name:
            return node
        if isinstance(node, ast.ImportFrom) and name in [alias.asname or alias.name for alias in node.names]:
            return named(node.module or "", name)
    raise LookupError(f"{module_name} has no {name}")


def declared(kind: type) -> ast.ClassDef:
    """The source of a class that was imported."""
    node = named(kind.__module__, kind.__name__)
    assert isinstance(node, ast.ClassDef)
    return node


def fields(node: ast.ClassDef) -> Iterator[Field]:
    """The attributes of a data class, without those of the classes that it derives from."""
    for statement, after in zip(node.body, [*node.body[1:], None], strict=True):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            name, kind = statement.target.id, ast.unparse(statement.annotation)
            if not (name.startswith("_") or kind.startswith("ClassVar")):
                yield Field(name, kind, _default(statement.value), _string(after))


def fields_of(kind: type) -> list[Field]:
    """The attributes of a data class and of what it derives from; a later declaration takes the earlier one's place."""
    found: dict[str, Field] = {}
    for one in reversed(kind.__mro__):
        if one.__module__.split(".")[0] in ("edge", "train"):
            for field in fields(declared(one)):
                before = found.get(field.name, field)
                found[field.name] = replace(field, about=field.about or before.about)
    return list(found.values())


def methods(node: ast.ClassDef) -> Iterator[ast.FunctionDef]:
    """The public methods and properties that say what they do."""
    for one in node.body:
        if isinstance(one, ast.FunctionDef) and not one.name.startswith("_") and ast.get_docstring(one):
            yield one


def signature(node: ast.FunctionDef, name: str) -> str:
    """As it is called, without `self`."""
    arguments = ast.unparse(node.args)
    for own in ("self", "cls"):
        arguments = arguments.removeprefix(f"{own}, ").removeprefix(own) if node.args.args else arguments
    result = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"{name}({arguments}){result}"


def decorated(node: ast.FunctionDef, name: str) -> bool:
    """Whether it has that decorator."""
    return name in [ast.unparse(one) for one in node.decorator_list]


def _string(node: ast.stmt | None) -> str:
    """The text of a statement that is a string alone."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return node.value.value
    return ""


def _default(value: ast.expr | None) -> str | None:
    """Looks into `field(default=…)` and `field(factory=…)`."""
    if not (isinstance(value, ast.Call) and ast.unparse(value.func).split(".")[-1] == "field"):
        return None if value is None else ast.unparse(value)
    given = {word.arg: word.value for word in value.keywords}
    if "default" in given:
        return ast.unparse(given["default"])
    made = given.get("factory", given.get("default_factory"))
    if isinstance(made, ast.Lambda):
        return ast.unparse(made.body)
    return None if made is None else {"dict": "{}", "list": "[]"}.get(ast.unparse(made), f"{ast.unparse(made)}()")
