"""A bundle's archive out of the network: one file over HTTPS from a host that the config names, and bounded.

No proxy of the environment is used, nothing is decompressed, and nothing of the file is read before its hash is known
to be the one that was asked for.
"""

import hashlib
import http.client
import shutil
import ssl
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import SplitResult, urljoin, urlsplit

_MOST_REDIRECTS = 3
_REDIRECTS = (301, 302, 303, 307, 308)
_STALL_S = 15.0
"""Nothing comes for so long: it is given up."""
_PART = 65_536
_LONGEST_URL = 2000
_LEFT_FREE = 64_000_000
"""Bytes of the disk that are never filled: the outbox has to go on."""


class DownloadError(Exception):
    """It was not fetched; one line with the reason and the remedy."""


@dataclass(frozen=True)
class Limits:
    """What a download may cost, and from where it may come."""

    hosts: Collection[str]
    """`host`, or `host:port`."""
    max_bytes: int
    max_s: float
    ca: Path | None = None
    """Authorities of the hosts' certificates; the system's where None."""
    free: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free
    """Bytes left on the disk of a folder."""


def fetch(url: str, sha256: str, file: BinaryIO, folder: Path, limits: Limits) -> int:
    """Write what is at an address to `file`, which lies on the disk of `folder`; how many bytes that are.

    Raises:
        DownloadError: it is not to be had within the limits, or is another file.
    """
    until = time.monotonic() + limits.max_s
    where = checked(url, limits.hosts)
    try:
        context = ssl.create_default_context(cafile=limits.ca)
        for _ in range(_MOST_REDIRECTS + 1):
            response = _opened(where, context, until)
            if response.status not in _REDIRECTS:
                return _taken(response, where, sha256, file, folder, limits, until)
            where = checked(urljoin(where.geturl(), response.headers.get("Location", "")), limits.hosts)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise DownloadError(f"{shown(where)}: {error or type(error).__name__}") from error
    raise DownloadError(f"{shown(where)}: more than {_MOST_REDIRECTS} redirects; ask for the last address")


def checked(url: str, hosts: Collection[str]) -> SplitResult:
    """The parts of an address that may be fetched.

    Raises:
        DownloadError: it is none over HTTPS, has a password in it, or is of a host that is not named.
    """
    try:
        where = urlsplit(url)
        host, port = where.hostname or "", where.port or 443
    except ValueError as error:
        raise DownloadError(f"no address: {error}") from error
    if len(url) > _LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
        raise DownloadError(f"an address has at most {_LONGEST_URL} characters, all of ASCII and without spaces")
    if where.scheme != "https" or not host:
        raise DownloadError(f"{where.scheme[:20] or 'no scheme'}: bundles are fetched from https:// addresses only")
    if where.username is not None or where.password is not None:
        raise DownloadError("an address with a password would be written to logs; sign its query instead")
    if f"{host}:{port}" not in hosts and not (port == 443 and host in hosts):
        raise DownloadError(f"host {host}:{port} is none of [requests.bundles] hosts")
    return where


def shown(where: SplitResult) -> str:
    """An address without its query, which may be a signature."""
    return f"{where.scheme}://{where.netloc}{where.path}"[:200]


def _opened(where: SplitResult, context: ssl.SSLContext, until: float) -> http.client.HTTPResponse:
    patience_s = min(_STALL_S, until - time.monotonic())
    if patience_s <= 0:
        raise TimeoutError("it takes too long")
    connection = http.client.HTTPSConnection(where.netloc, timeout=patience_s, context=context)
    target = (where.path or "/") + (f"?{where.query}" if where.query else "")
    connection.request("GET", target, headers={"Accept-Encoding": "identity", "User-Agent": "offbeat-edge"})
    return connection.getresponse()


def _taken(
    response: http.client.HTTPResponse,
    where: SplitResult,
    sha256: str,
    file: BinaryIO,
    folder: Path,
    limits: Limits,
    until: float,
) -> int:
    if response.status != 200:
        raise DownloadError(f"{shown(where)}: the server answers {response.status}, wanted 200")
    if response.length is not None and response.length > limits.max_bytes:
        raise DownloadError(f"{shown(where)}: {response.length} bytes, at most {limits.max_bytes} are taken")
    size, digest = 0, hashlib.sha256()
    while part := response.read1(_PART):
        size += len(part)
        if size > limits.max_bytes:
            raise DownloadError(f"{shown(where)}: more than {limits.max_bytes} bytes ([requests.bundles] max_bytes)")
        if time.monotonic() > until:
            raise DownloadError(f"{shown(where)}: it takes longer than {limits.max_s:g} s ([requests.bundles] max_s)")
        if limits.free(folder) < _LEFT_FREE + len(part):
            raise DownloadError(f"{folder}: the disk has less than {_LEFT_FREE // 1_000_000} MB left; make room")
        digest.update(part)
        file.write(part)
    file.flush()
    if digest.hexdigest() != sha256:
        raise DownloadError(f"{shown(where)}: SHA-256 is {digest.hexdigest()}, another than was asked for")
    return size
