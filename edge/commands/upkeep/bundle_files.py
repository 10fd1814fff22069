"""A bundle's files out of a folder, a tar or a zip: only those that its manifest names are ever read."""

import json
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from edge.detector.bundle.files import MANIFEST, BundleError
from edge.trust.envelope import SIGNATURE

MOST_BYTES = 200_000_000
"""Of all files of a bundle together."""
_MOST_MANIFEST_BYTES = 20_000_000
_MOST_MEMBERS = 1000
_OF_HEADERS = 4_000_000
"""Bytes that a tar adds to what is in it."""
_DAMAGED = (OSError, EOFError, RuntimeError, ValueError, zlib.error, lzma.LZMAError, tarfile.TarError,
            zipfile.BadZipFile)  # fmt: skip
OPTIONAL = (SIGNATURE,)
"""What may lie beside the manifest and belongs to the bundle."""

_Read = Callable[[str, int], bytes | None]
"""Content of a file beside the manifest, of so many bytes at most; None where there is none."""


def read_bundle(path: Path, most_bytes: int = MOST_BYTES) -> dict[str, bytes]:
    """Contents by file name, from a folder or an archive; nothing is unpacked. At most so many bytes, all together.

    Raises:
        BundleError: it cannot be read, holds no bundle or several, or too much.
    """
    try:
        if path.is_dir():
            return _named(path, _from_folder(path), most_bytes)
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as zipped:
                sizes = {one.filename: one.file_size for one in zipped.infolist() if not one.is_dir()}
                return _named(path, _from_archive(path, sizes, zipped.read), most_bytes)
        with tarfile.open(path) as packed:
            members = {one.name: one for one in _bounded(path, packed, most_bytes) if one.isreg()}
            sizes = {name: one.size for name, one in members.items()}
            read = _from_archive(path, sizes, lambda name: packed.extractfile(members[name]).read())  # type: ignore[union-attr]
            return _named(path, read, most_bytes)
    except BundleError:
        raise
    except _DAMAGED as error:
        raise BundleError(f"{path}: no folder, tar or zip of a bundle ({error})") from error


def _bounded(path: Path, packed: tarfile.TarFile, most_bytes: int) -> Iterator[tarfile.TarInfo]:
    """The members, each looked at before what it holds is unpacked to come to the next one."""
    for count, one in enumerate(packed):
        if count >= _MOST_MEMBERS or one.offset_data + one.size > most_bytes + _OF_HEADERS:
            raise BundleError(f"{path}: more than {_MOST_MEMBERS} files or {most_bytes} bytes in it; pack one bundle")
        yield one


def _from_folder(path: Path) -> _Read:
    def read(name: str, most: int) -> bytes | None:
        file = path / name
        if not file.is_file():
            return None
        if file.stat().st_size > most:
            raise BundleError(f"{file}: larger than the {most} bytes that are left for it")
        return file.read_bytes()

    return read


def _from_archive(path: Path, sizes: Mapping[str, int], content: Callable[[str], bytes]) -> _Read:
    found = [name for name in sizes if name.rpartition("/")[2] == MANIFEST]
    if len(found) != 1 or len(sizes) > _MOST_MEMBERS:
        raise BundleError(
            f"{path}: wanted one {MANIFEST}, found {len(found)} among {len(sizes)} files; pack one bundle"
        )
    prefix = found[0].removesuffix(MANIFEST)

    def read(name: str, most: int) -> bytes | None:
        size = sizes.get(prefix + name)
        if size is not None and size > most:
            raise BundleError(f"{path}: {name} has {size} bytes, more than the {most} that are left for it")
        return None if size is None else content(prefix + name)

    return read


def _named(path: Path, read: _Read, most_bytes: int) -> dict[str, bytes]:
    manifest = read(MANIFEST, min(most_bytes, _MOST_MANIFEST_BYTES))
    if manifest is None:
        raise BundleError(f"{path}: there is no {MANIFEST} in it; is this a bundle?")
    try:
        names = [part["file"] for part in json.loads(manifest)["variants"]]
        plain = all(isinstance(name, str) and Path(name).name == name and not name.startswith(".") for name in names)
    except (ValueError, RecursionError, KeyError, TypeError) as error:
        raise BundleError(f"{path}: its {MANIFEST} names no variants ({error!r}); fit it again") from error
    if not plain or len(names) > _MOST_MEMBERS:
        raise BundleError(f"{path}: its {MANIFEST} names files elsewhere; do not use it")
    files, left = {MANIFEST: manifest}, most_bytes - len(manifest)
    for name in (*dict.fromkeys(names), *OPTIONAL):
        content = read(name, left)
        if content is not None:
            files[name] = content
            left -= len(content)
        elif name not in OPTIONAL:
            raise BundleError(f"{path}: {name} is missing; pack the whole bundle")
    return files
