"""When a certificate ends, and who may read a secret: looked at before either becomes an outage."""

import base64
import re
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from edge.wire.broker import BrokerSettings
from edge.wire.moments import utc

WARN_DAYS = 14.0
"""A certificate that ends sooner is warned of, days."""
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.S)


class CertificateError(ValueError):
    """No certificate in PEM form."""


class Validity(NamedTuple):
    """From when until when a certificate holds, Unix seconds."""

    begins: float
    ends: float


class Precaution(NamedTuple):
    """What is to be done before it becomes an outage, or because it is one."""

    line: str
    fails: bool
    """Whether it is one: nothing connects with it."""


def validities(path: Path) -> list[Validity]:
    """Of all certificates of a PEM file, in their order; at least one.

    Raises:
        CertificateError: it holds none, or one that is cut off.
        OSError: it cannot be read.
    """
    text = path.read_text("ascii", "replace")
    found = _PEM.findall(text)
    try:
        if not found:
            raise ValueError("no BEGIN CERTIFICATE")
        if len(found) < text.count("BEGIN CERTIFICATE"):
            raise ValueError("one is cut off")
        return [_validity(base64.b64decode(each)) for each in found]
    except (ValueError, IndexError) as error:
        raise CertificateError(f"{path}: no certificate in PEM form ({error})") from error


def days_left(path: Path, now: float) -> float:
    """Days until the first certificate of a PEM file ends; negative once it has.

    Raises:
        CertificateError, OSError: as `validities` does.
    """
    return (validities(path)[0].ends - now) / 86400.0


def others_may_read(path: Path) -> bool:
    """Whether every user of the machine may read a file; False where it is not there."""
    try:
        return bool(path.stat().st_mode & 0o004)
    except OSError:
        return False


def precautions(brokers: Iterable[BrokerSettings], config: Path | None = None) -> list[str]:
    """One line for each; none where all is well. `config` may hold a password itself."""
    return [one.line for one in looked_after(brokers, config)]


def looked_after(brokers: Iterable[BrokerSettings], config: Path | None = None) -> list[Precaution]:
    """The same, with which of them are outages already."""
    brokers = list(brokers)
    found: dict[Precaution, None] = {}
    for broker in brokers:
        for path, any_will_do in ((broker.ca, True), (broker.cert, False)):
            if path is not None:
                found.update(dict.fromkeys(of_certificates(path, any_will_do)))
    for path in _secrets(brokers, config):
        if others_may_read(path):
            found[Precaution(f"{path} can be read by every user of this machine; chmod 600 it", False)] = None
    return list(found)


def of_certificates(path: Path, any_will_do: bool = False, now: float | None = None) -> list[Precaution]:
    """What is to be done about a file of certificates: each must hold, or, of authorities, one at least."""
    now = time.time() if now is None else now
    try:
        all_ = validities(path)
    except CertificateError as error:
        return [Precaution(str(error), True)]
    except OSError as error:
        return [Precaution(f"{path} cannot be read: {error.strerror or error}", True)]
    holding = any(one.begins <= now < one.ends for one in all_)
    found = []
    for number, one in enumerate(all_, 1):
        name = f"{path}" if len(all_) == 1 else f"{path}, certificate {number} of {len(all_)},"
        days = (one.ends - now) / 86400.0
        out = not one.begins <= now < one.ends
        if one.begins > now:
            begin = f"{utc(one.begins):%Y-%m-%d %H:%M UTC}"
            line = f"{name} is not valid before {begin}; see that the clock is right, or wait"
        elif out:
            line = f"{name} ended {-days:.0f} days ago; renew it"
        elif days <= WARN_DAYS:
            line = f"{name} ends in {days:.0f} days; renew it"
        else:
            continue
        found.append(Precaution(line, out and not (any_will_do and holding)))
    return found


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


def _validity(der: bytes) -> Validity:
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
    return Validity(_moment(der, start), _moment(der, after_first))


def _moment(der: bytes, at: int) -> float:
    tag, start, end = _element(der, at)
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
