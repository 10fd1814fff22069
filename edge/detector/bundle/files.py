"""The bundle: a folder with manifest.json and model files, the contract between train and edge."""

import errno
import hashlib
import json
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from edge.detector.bundle.manifest import FORMAT, Bundle, BundleError, Channel, UnfitError, Variant, parse_manifest

__all__ = [
    "Bundle",
    "BundleError",
    "Channel",
    "UnfitError",
    "Variant",
    "load_bundle",
    "read_file",
    "read_hashed",
    "write_atomically",
    "write_bundle",
]

MANIFEST = "manifest.json"
_LARGEST_MANIFEST, _LARGEST_FILE = 64 << 20, 1 << 30
"""Bytes; no bundle for a gateway comes near."""


def load_bundle(folder: str | Path) -> Bundle:
    """Read and check a bundle: format, fields, and the hash of every model file. No code is run.

    Raises:
        BundleError: anything missing, malformed or changed since the bundle was written.
    """
    folder = Path(folder)
    path = folder / MANIFEST
    try:
        text = read_file(path, _LARGEST_MANIFEST)
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        reason = getattr(error, "strerror", None) or error
        raise BundleError(f"{path}: cannot read the manifest ({reason}); is this a bundle's folder?") from error
    try:
        manifest = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{path}: is not JSON ({error}); fit or copy the bundle again") from error
    bundle = parse_manifest(folder, manifest, hashlib.sha256(text).hexdigest())
    for variant in bundle.variants:
        read_hashed(folder / variant.file, variant.sha256)
    return bundle


def write_bundle(folder: str | Path, manifest: Mapping[str, Any], files: Mapping[str, bytes]) -> Bundle:
    """Write model files, then the manifest with their hashes and sizes, each atomically; the bundle as read back.

    `manifest` needs no `format`, and its variants no `sha256` and `size_bytes`; `files`
    maps a variant's `file` to its bytes, others lie in the folder already.

    Raises:
        ValueError: the manifest holds a number that is not finite; nothing is written then.
        BundleError: what was written is no bundle.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    variants = []
    for part in manifest["variants"]:
        name = part["file"]
        content = files[name] if name in files else (folder / name).read_bytes()
        variants.append({**part, "sha256": _sha256(content), "size_bytes": len(content)})
    body = json.dumps({"format": FORMAT, **manifest, "variants": variants}, indent=1, allow_nan=False).encode()
    for name, content in files.items():
        write_atomically(folder / name, content)
    write_atomically(folder / MANIFEST, body)
    return load_bundle(folder)


def read_file(path: Path, most_bytes: int = _LARGEST_FILE) -> bytes:
    """The content of a plain file: a pipe would be waited for, a device may never end.

    Raises:
        OSError: it is no plain file, too large, or cannot be read.
    """
    # Not blocking: to open a pipe that nobody writes to would wait as well.
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is no plain file", str(path))
        if status.st_size > most_bytes:
            raise OSError(errno.EFBIG, f"it has {status.st_size} bytes, at most {most_bytes} are read", str(path))
        return file.read()


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file as a whole: after a power cut there is the old or the new content, never half of it.

    As root: whose the folder is, theirs is the file, or the agent of that user could not read what a command wrote.
    """
    temporary = path.with_name(f".{path.name}.new")
    with temporary.open("wb") as file:
        belongs_to_its_folder(file.fileno(), path.parent)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def belongs_to_its_folder(handle: int, folder: Path) -> None:
    """As root, give an open file to whose the folder is, where the disk has owners; other users cannot, nor need to."""
    if os.geteuid() == 0:
        with suppress(OSError):
            status = folder.stat()
            os.fchown(handle, status.st_uid, status.st_gid)


def read_hashed(path: Path, wanted: str | None) -> bytes:
    """A model file's content, read once and checked against its SHA-256, where one is given.

    Raises:
        BundleError: it cannot be read, or is another one.
    """
    try:
        content = read_file(path)
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        reason = getattr(error, "strerror", None) or error
        raise BundleError(f"{path}: cannot read it ({reason}); copy the whole bundle again") from error
    if wanted is not None and (found := _sha256(content)) != wanted:
        raise BundleError(
            f"{path}: SHA-256 is {found[:12]}…, the manifest says {wanted[:12]}…; copy or fit the bundle again"
        )
    return content


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
