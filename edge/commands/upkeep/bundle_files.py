"""A bundle's files out of a folder, a tar or a zip: only those that its manifest names are ever read."""

import json
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from edge.detector.bundle.files import MANIFEST, BundleError
from edge.trust.envelope import SIGNATURE

MOST_BYTES = 200_000_000
"""Of all files of a bundle together."""
_MOST_MANIFEST_BYTES = 20_000_000
_MOST_MEMBERS = 1000
OPTIONAL = (SIGNATURE,)
"""What may lie beside the manifest and belongs to the bundle."""

_Read = Callable[[str, int], bytes | None]
"""Content of a file beside the manifest, of so many bytes at most; None where there is none."""


def read_bundle(path: Path) -> dict[str, bytes]:
    """Contents by file name, from a folder or an archive; nothing is unpacked.

    Raises:
        BundleError: it cannot be read, holds no bundle or several, or too much.
    """
    try:
        if path.is_dir():
            return _named(path, _from_folder(path))
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as zipped:
                sizes = {one.filename: one.file_size for one in zipped.infolist() if not one.is_dir()}
                return _named(path, _from_archive(path, sizes, zipped.read))
        with tarfile.open(path) as packed:
            members = {one.name: one for one in packed if one.isreg()}
            sizes = {name: one.size for name, one in members.items()}
            return _named(path, _from_archive(path, sizes, lambda name: packed.extractfile(members[name]).read()))  # type: ignore[union-attr]
    except (OSError, EOFError, RuntimeError, tarfile.TarError, zipfile.BadZipFile) as error:
        raise BundleError(f"{path}: no folder, tar or zip of a bundle ({error})") from error


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


def _named(path: Path, read: _Read) -> dict[str, bytes]:
    manifest = read(MANIFEST, _MOST_MANIFEST_BYTES)
    if manifest is None:
        raise BundleError(f"{path}: there is no {MANIFEST} in it; is this a bundle?")
    try:
        names = [part["file"] for part in json.loads(manifest)["variants"]]
        plain = all(isinstance(name, str) and Path(name).name == name and not name.startswith(".") for name in names)
    except (ValueError, RecursionError, KeyError, TypeError) as error:
        raise BundleError(f"{path}: its {MANIFEST} names no variants ({error!r}); fit it again") from error
    if not plain or len(names) > _MOST_MEMBERS:
        raise BundleError(f"{path}: its {MANIFEST} names files elsewhere; do not use it")
    files, left = {MANIFEST: manifest}, MOST_BYTES - len(manifest)
    for name in (*dict.fromkeys(names), *OPTIONAL):
        content = read(name, left)
        if content is not None:
            files[name] = content
            left -= len(content)
        elif name not in OPTIONAL:
            raise BundleError(f"{path}: {name} is missing; pack the whole bundle")
    return files
