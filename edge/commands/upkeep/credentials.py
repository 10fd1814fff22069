"""Keys, certificates and passwords that a config names: there, readable for the agent alone, valid, and belonging
together."""

import errno
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from edge.commands.upkeep.finding import Finding
from edge.commands.upkeep.kept_files import NamedFile, named_files
from edge.config.settings import Config
from edge.web.password import PasswordError, matches
from edge.wire.certificates import CertificateError, looked_after, of_certificates, others_may_read, validities

_CERTIFICATES = ("ca", "cert")
_MOST_BYTES = 1_000_000


class _EncryptedError(Exception):
    """A key that wants a passphrase, which nobody types in for an agent."""


def credentials(config: Config, path: Path) -> Iterator[Finding]:
    """What is to be done about each, until when certificates hold, and whether anything crosses a network
    unprotected."""
    found = list(dict.fromkeys(_all(config, path)))
    yield from found
    for broker in config.brokers:
        if broker.exposed:
            yield Finding(
                "do", "credentials", f"{broker.address} is spoken to without TLS; name its authority: ca = FILE"
            )
    if not found and not any(broker.exposed for broker in config.brokers):
        yield Finding("ok", "credentials", "none that end, no secret that others may read")


def _all(config: Config, path: Path) -> Iterator[Finding]:
    files = {one.role: one for one in _named(config)}
    for one in files.values():
        yield from _looked_at(one)
    for role, one in files.items():
        key = files.get(f"{role.removesuffix('.cert')}.key")
        if role.endswith(".cert") and key is not None and _readable(one.path) and _readable(key.path):
            yield from _pair(one.path, key.path)
    if (problem := config.web.problem()) is not None and config.web.port is not None:
        yield Finding("FAIL", "credentials", problem)
    for precaution in looked_after(config.brokers, path):
        if precaution.line.startswith(f"{path} "):  # agent.toml itself holds a password
            yield Finding("do", "credentials", precaution.line)


def _named(config: Config) -> Iterator[NamedFile]:
    yield from named_files(config)
    if config.requests.bundles.ca is not None:
        yield NamedFile("requests.bundles.ca", config.requests.bundles.ca, False)


def _looked_at(one: NamedFile) -> Iterator[Finding]:
    if (problem := _unreadable(one.path)) is not None:
        yield Finding("FAIL", "credentials", f"{one.role}: {problem}")
        return
    if one.secret and others_may_read(one.path):
        yield Finding("do", "credentials", f"{one.path} can be read by every user of this machine; chmod 600 it")
    kind = one.role.rpartition(".")[2]
    if kind in _CERTIFICATES:
        yield from _certificates(one.path, kind == "ca")
    elif kind == "password_hash_file":
        yield from _hash(one)
    elif kind == "password_file" and not _first_line(one.path):
        yield Finding("FAIL", "credentials", f"{one.role}: {one.path} is empty; write the password into it")


def _certificates(path: Path, any_will_do: bool) -> Iterator[Finding]:
    found = of_certificates(path, any_will_do)
    for precaution in found:
        yield Finding("FAIL" if precaution.fails else "do", "credentials", precaution.line)
    if not found:
        ends = [one.ends for one in validities(path)]
        more = f" ({len(ends)} certificates, the first that ends)" if len(ends) > 1 else ""
        yield Finding("ok", "credentials", f"{path} holds for {(min(ends) - time.time()) / 86400:.0f} days{more}")


def _hash(one: NamedFile) -> Iterator[Finding]:
    try:
        matches("", _first_line(one.path))
    except PasswordError as error:
        yield Finding("FAIL", "credentials", f"{one.role}: {one.path}: {error}")


def _pair(cert: Path, key: Path) -> Iterator[Finding]:
    """Whether a key is that of its certificate."""
    import ssl

    def passphrase() -> str:
        raise _EncryptedError

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(cert, key, passphrase)
    except _EncryptedError:
        remedy = "no one types in its passphrase when an agent starts: openssl pkey -in KEY -out NEW, and chmod 600 it"
        yield Finding("FAIL", "credentials", f"{key} is encrypted, and {remedy}")
    except ssl.SSLError as error:
        if "MISMATCH" in str(error).upper():
            told = f"{key} is not the key of {cert}; bring the one that it was made with, or have both made anew"
        elif _is_certificate(cert):
            told = f"{key}: no key in PEM form ({error.reason or error}); bring the one that {cert} was made with"
        else:
            return  # told of the certificate
        yield Finding("FAIL", "credentials", told)


def _is_certificate(path: Path) -> bool:
    try:
        return bool(validities(path))
    except (CertificateError, OSError):
        return False


def _readable(path: Path) -> bool:
    return _unreadable(path) is None


def _unreadable(path: Path) -> str | None:
    """Why this user cannot read it, with the remedy; None where that can be done."""
    try:
        with path.open("rb") as file:
            file.read(_MOST_BYTES)
    except FileNotFoundError:
        return f"there is no file {path}; bring it, or take the key out of the config"
    except PermissionError:
        return f"{path} cannot be read by this user; chown it to whoever runs the agent, and chmod 600 it"
    except OSError as error:
        return f"{path} cannot be read: {error.strerror or errno.errorcode.get(error.errno or 0, error)}"
    return None


def _first_line(path: Path) -> str:
    lines: Iterable[str] = path.read_text("utf-8", "replace").splitlines()
    return next(iter(lines), "").strip()
