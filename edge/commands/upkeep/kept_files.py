"""What lies beside agent.toml and belongs to it: the files that it names, and which of them are secrets."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from edge.config.settings import Config

_PASSWORD = re.compile(r"""(\bpassword\s*=\s*)("(?:[^"\\\n]|\\.)*"|'[^'\n]*')""")
_VARIABLE = re.compile(r"\$\{[^}]*\}")
PASSWORD_VARIABLE = "OFFBEAT_PASSWORD"
"""Stands for a password that was taken out of a config."""


class NamedFile(NamedTuple):
    """A file that the config names."""

    role: str
    """The table and key that name it, such as broker.key."""
    path: Path
    secret: bool


def named_files(config: Config) -> Iterator[NamedFile]:
    """Keys, passwords and certificates that a config names, whether or not they are there.

    Not `bundle_key`: whom a gateway trusts is not for a file to say that somebody brings.
    """
    brokers: list[tuple[str, Any]] = [("broker", config.broker)]
    brokers += [(f"source.{one.name}.broker", one.own_broker) for one in config.source if one.own_broker is not None]
    for table, broker in brokers:
        for key, secret in (("ca", False), ("cert", False), ("key", True), ("password_file", True)):
            if (path := getattr(broker, key)) is not None:
                yield NamedFile(f"{table}.{key}", path, secret)
    for key, secret in (("cert", False), ("key", True), ("password_hash_file", True)):
        if (path := getattr(config.web, key)) is not None:
            yield NamedFile(f"web.{key}", path, secret)


def passwords(tables: Any) -> Iterator[str]:
    """Passwords that are written in a config itself, rather than in a variable or file."""
    if isinstance(tables, dict):
        for key, value in tables.items():
            if key == "password" and isinstance(value, str) and not _VARIABLE.fullmatch(value):
                yield value
            yield from passwords(value)
    elif isinstance(tables, list):
        for part in tables:
            yield from passwords(part)


def without_passwords(text: str, in_place: str = f"${{{PASSWORD_VARIABLE}}}") -> str | None:
    """A config's text with `in_place` for every password, in comments too; None where one would stay.

    >>> without_passwords('[broker]\\npassword = "hush"  # not "hash"\\n')
    '[broker]\\npassword = "${OFFBEAT_PASSWORD}"  # not "hash"\\n'
    """

    def replaced(match: re.Match[str]) -> str:
        return match[0] if _VARIABLE.fullmatch(match[2][1:-1]) else f'{match[1]}"{in_place}"'

    secrets = list(passwords(tomllib.loads(text)))
    clean = _PASSWORD.sub(replaced, text)
    try:
        left = [*passwords(tomllib.loads(clean)), *(secret for secret in secrets if secret and secret in clean)]
    except tomllib.TOMLDecodeError:
        return None
    return None if left else clean
