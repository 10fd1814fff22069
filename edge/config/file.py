"""The TOML file behind the settings: its tables, with secrets filled in from the environment."""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge.config.errors import ConfigError, UnfinishedError

_VARIABLE = re.compile(r"\$\{([^}]*)\}")


class AsWritten(dict[str, str]):
    """An environment in which a variable that is not set stands for itself, as it is written: `${NAME}`."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> str:
        return f"${{{name}}}"


def read_tables(path: Path, environment: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """The tables of a TOML file; `${VAR}` in a string is the variable's value.

    Raises:
        ConfigError: no such file, no TOML, a variable that is not set. Without the file's name.
    """
    try:
        text = path.read_text("utf-8-sig")  # -sig: editors of Windows begin with it
    except FileNotFoundError as error:
        raise ConfigError(f"cannot read it: {error.strerror}") from error
    except OSError as error:
        remedy = "; chown it to whoever runs this" if isinstance(error, PermissionError) else ""
        raise UnfinishedError(f"cannot read it: {error.strerror}{remedy}") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise UnfinishedError(f"is no UTF-8 (line {line}); save it in UTF-8") from None
    try:
        raw = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, ValueError, RecursionError) as error:
        quotes = '; it has curly quotes, where TOML wants "' if set(text) & set("“”„‘’") else ""
        raise UnfinishedError(f"is not TOML: {error}{quotes}") from error
    if not raw:
        raise UnfinishedError("is empty; wanted at least [device], [[source]] and [[stream]]")
    tables = _substituted(raw, "", environment)
    for key in ("source", "stream"):
        if not isinstance(tables.setdefault(key, []), list):
            raise ConfigError(f"[{key}]: wanted an array of tables; write [[{key}]]")
    if isinstance(tables.get("device"), dict):
        tables["device"].setdefault("state_dir", "state")  # so that the default, too, lies beside the file
    return tables


def _substituted(value: Any, key: str, environment: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _substituted(part, f"{key}.{name}".lstrip("."), environment) for name, part in value.items()}
    if isinstance(value, list):
        return [_substituted(part, key, environment) for part in value]
    if not isinstance(value, str):
        return value
    missing = [name for name in _VARIABLE.findall(value) if name not in environment]
    if missing:
        raise ConfigError(f"{key}: the environment variable {missing[0]!r} is not set")
    return _VARIABLE.sub(lambda match: environment[match[1]], value)
