"""When a certificate ends, and who may read a secret: looked at before either becomes an outage."""

import base64
import re
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from edge.wire.broker import BrokerSettings

WARN_DAYS = 14.0
"""A certificate that ends sooner is warned of, days."""
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.S)


class CertificateError(ValueError):
    """No certificate in PEM form."""


def expiry(path: Path) -> float:
    """When the first certificate of a PEM file ends, Unix seconds.

    Raises:
        CertificateError: it holds none.
        OSError: it cannot be read.
    """
    found = _PEM.search(path.read_text("ascii", "replace"))
    try:
        if found is None:
            raise ValueError("no BEGIN CERTIFICATE")
        return _not_after(base64.b64decode(found[1]))
    except (ValueError, IndexError) as error:
        raise CertificateError(f"{path}: no certificate in PEM form ({error})") from error


def days_left(path: Path, now: float) -> float:
    """Days until the first certificate of a PEM file ends; negative once it has.

    Raises:
        CertificateError, OSError: as `expiry` does.
    """
    return (expiry(path) - now) / 86400.0


def others_may_read(path: Path) -> bool:
    """Whether every user of the machine may read a file; False where it is not there."""
    try:
        return bool(path.stat().st_mode & 0o004)
    except OSError:
        return False


def precautions(brokers: Iterable[BrokerSettings], config: Path | None = None) -> list[str]:
    """One line for each; none where all is well. `config` may hold a password itself."""
    brokers = list(brokers)
    found: dict[str, None] = {}
    for broker in brokers:
        for name in ("ca", "cert"):
            path = getattr(broker, name)
            if path is not None and (line := _ends_soon(path)) is not None:
                found[line] = None
    for path in _secrets(brokers, config):
        if others_may_read(path):
            found[f"{path} can be read by every user of this machine; chmod 600 it"] = None
    return list(found)


def _secrets(brokers: Iterable[BrokerSettings], config: Path | None) -> Iterator[Path]:
    for broker in brokers:
        yield from filter(None, (broker.key, broker.password_file))
        if config is not None and broker.password and broker.password in _text(config):
            yield config


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


def _ends_soon(path: Path) -> str | None:
    try:
        days = days_left(path, time.time())
    except (CertificateError, OSError) as error:
        return str(error)
    if days > WARN_DAYS:
        return None
    return f"{path} ends in {days:.0f} days; renew it" if days > 0 else f"{path} ended {-days:.0f} days ago; renew it"


def _not_after(der: bytes) -> float:
    """Source: RFC 5280, 4.1: Certificate > TBSCertificate > version, serial, algorithm, issuer, Validity."""
    _, at, _ = _element(der, 0)
    _, at, _ = _element(der, at)
    tag, _, end = _element(der, at)
    fields_before = 4 if tag == 0xA0 else 3  # the version is optional
    for _ in range(fields_before):
        _, _, end = _element(der, at)
        at = end
    _, start, _ = _element(der, at)
    _, _, after_first = _element(der, start)
    tag, start, end = _element(der, after_first)
    text = der[start:end].decode("ascii")
    form = "%y%m%d%H%M%SZ" if tag == 0x17 else "%Y%m%d%H%M%SZ"
    return datetime.strptime(text, form).replace(tzinfo=UTC).timestamp()


def _element(der: bytes, at: int) -> tuple[int, int, int]:
    """Tag, start and end of the content of the element at a position."""
    tag, length, start = der[at], der[at + 1], at + 2
    if length & 0x80:
        count = length & 0x7F
        length, start = int.from_bytes(der[start : start + count], "big"), start + count
    return tag, start, start + length
