"""TOML tables into frozen classes. Whatever does not fit is one line: key, what was found, what was wanted."""

import dataclasses
import datetime
import difflib
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import attrs
from cattrs import Converter
from cattrs.errors import ForbiddenExtraKeysError
from cattrs.gen import make_dict_structure_fn

from edge.config.errors import ConfigError
from edge.sources.opening import SOURCE_TYPES
from edge.sources.settings import SourceSettings


class _WantedError(Exception):
    """What was wanted in place of a value."""


def structure(raw: dict[str, Any], kind: type, base: Path) -> Any:
    """The tables in `raw` as an instance of `kind`; relative paths are relative to `base`.

    Raises:
        ConfigError: a key is unknown or missing, or a value does not fit. Without the file's name.
    """
    try:
        return _converter(base).structure(raw, kind)
    except Exception as error:
        keys, cause = _first_leaf(error)
        raise ConfigError(_message(raw, keys, cause)) from error


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint at the known name that is most like `name`, to end an error message with.

    >>> nearest("levle", ["level", "min_windows"])
    "; did you mean 'level'?"
    """
    names = sorted(known)
    like = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if like:
        return f"; did you mean {like[0]!r}?"
    return f"; known are {', '.join(names)}" if names else ""


def _converter(base: Path) -> Converter:
    converter = Converter(forbid_extra_keys=True)
    for kind, hook in ((str, _text), (int, _integer), (float, _number), (bool, _boolean)):
        converter.register_structure_hook(kind, hook)
    converter.register_structure_hook_func(lambda kind: kind == list[str], _texts)
    converter.register_structure_hook(datetime.datetime, _instant)
    converter.register_structure_hook(Path, lambda value, _: base / Path(_text(value)).expanduser())
    converter.register_structure_hook_func(lambda kind: get_origin(kind) is Literal, _one_of)
    converter.register_structure_hook_factory(_is_table, lambda kind: _table_hook(kind, converter))
    # After the tables, whose hook would take it for one: the last that fits counts.
    converter.register_structure_hook_func(lambda kind: kind is SourceSettings, _source_hook(converter))
    return converter


def _is_table(kind: Any) -> bool:
    return isinstance(kind, type) and (attrs.has(kind) or dataclasses.is_dataclass(kind))


def _keys_of(kind: Any) -> list[str]:
    return [field.name for field in (attrs.fields(kind) if attrs.has(kind) else dataclasses.fields(kind))]


def _table_hook(kind: type, converter: Converter) -> Any:
    fill: Any = make_dict_structure_fn(kind, converter)

    def hook(value: Any, _: Any) -> Any:
        if not isinstance(value, dict):
            raise _WantedError("a table")
        return fill(value, kind)

    return hook


def _source_hook(converter: Converter) -> Any:
    def hook(value: Any, _: Any) -> SourceSettings:
        if not isinstance(value, dict):
            raise _WantedError("a table")
        kind = value.get("type")
        if kind not in SOURCE_TYPES:
            found = "no type" if kind is None else f"type = {kind!r}"
            raise ValueError(f"{found}; wanted one of {', '.join(SOURCE_TYPES)}")
        return converter.structure(value, SOURCE_TYPES[kind])

    return hook


def _text(value: Any, _: Any = None) -> str:
    if not isinstance(value, str):
        raise _WantedError("a string")
    return value


def _texts(value: Any, _: Any = None) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
        raise _WantedError("an array of strings")
    return value


def _integer(value: Any, _: Any = None) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _WantedError("a whole number")
    return value


def _number(value: Any, _: Any = None) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or math.isnan(value):
        raise _WantedError("a number")
    return float(value)


def _boolean(value: Any, _: Any = None) -> bool:
    if not isinstance(value, bool):
        raise _WantedError("true or false")
    return value


def _instant(value: Any, _: Any = None) -> datetime.datetime:
    if isinstance(value, datetime.datetime):
        return value
    if isinstance(value, datetime.date):
        return datetime.datetime.combine(value, datetime.time())
    raise _WantedError("a date or a date with a time, without quotes, such as 2026-12-24T18:00:00")


def _one_of(value: Any, kind: Any) -> Any:
    choices = get_args(kind)
    if type(value) not in {type(choice) for choice in choices} or value not in choices:
        raise _WantedError("one of " + ", ".join(str(choice) for choice in choices))
    return value


def _first_leaf(error: Exception) -> tuple[list[Any], Exception]:
    """The path of keys to the first thing that does not fit, and what is wrong with it."""
    parts = getattr(error, "exceptions", None)
    if not parts:
        return [], error
    # A mistyped key shows twice, as unknown and as missing; the unknown one has the hint.
    part = next((part for part in parts if isinstance(part, ForbiddenExtraKeysError)), parts[0])
    notes = [note for note in getattr(part, "__notes__", ()) if hasattr(note, "name") or hasattr(note, "index")]
    step = [getattr(note, "name", None) or getattr(note, "index", None) for note in notes[:1]]
    rest, cause = _first_leaf(part)
    return step + rest, cause


def _message(raw: dict[str, Any], keys: list[Any], cause: Exception) -> str:
    if isinstance(cause, ForbiddenExtraKeysError):
        name = sorted(cause.extra_fields)[0]
        return f"{_place(raw, keys)}unknown key {name!r}{nearest(name, _keys_of(cause.cl))}"
    if isinstance(cause, KeyError) and keys and cause.args == (keys[-1],):
        return f"{_place(raw, keys[:-1])}the key {keys[-1]!r} is missing"
    if isinstance(cause, _WantedError):
        return f"{_place(raw, keys[:-1])}{keys[-1]} is {_found(raw, keys)}; wanted {cause}"
    return f"{_place(raw, keys)}{cause}"


def _place(raw: dict[str, Any], keys: list[Any]) -> str:
    """Where the keys lead, as the file writes it: `[stream.alarm] of pump1: `."""
    names, owner, here = [], "", raw
    for key in keys:
        here = here[key]
        if isinstance(key, int):
            label = here.get("id", here.get("name")) if isinstance(here, dict) else None
            owner = f" of {label}" if isinstance(label, str) else f" number {key + 1}"
        else:
            names.append(str(key))
    return f"[{'.'.join(names)}]{owner}: " if names else ""


def _found(raw: dict[str, Any], keys: list[Any]) -> str:
    if "password" in str(keys[-1]):
        return "something else"
    value: Any = raw
    for key in keys:
        value = value[key]
    return repr(value)[:60]
