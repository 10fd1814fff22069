"""Where a config's bundle lies: a link that is switched at one stroke, with the bundle before kept aside.

`bundle = "models/pump"` becomes a link to `models/.pump.bundles/<hash>`; whenever the power goes, the name leads to the
whole old or the whole new bundle.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from edge.detector.bundle.files import (
    MANIFEST,
    Bundle,
    BundleError,
    belongs_to_its_folder,
    load_bundle,
    write_atomically,
)
from edge.state.exchange import exchange, sync_folder

_HASH_DIGITS = 16


class SwitchError(Exception):
    """Nothing was switched; one line with the reason and the remedy."""


class BundlePlace:
    """The place that a config names as a bundle's folder, whether or not anything is there yet."""

    def __init__(self, path: Path) -> None:
        self._path = path.absolute()
        self._aside = self._path.with_name(f".{self._path.name}.bundles")
        self._last = self._aside / "previous"
        self._displaced = self._path.with_name(f".{self._path.name}.old")

    @property
    def previous(self) -> Path | None:
        """The folder of the bundle before, which `rollback` goes back to; None where there is none."""
        folder = self._last.resolve()
        return folder if folder.is_dir() and folder != self._path.resolve() else None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One at a time, and what a power cut left behind put in order first.

        Raises:
            SwitchError: another process is at it, or the folder cannot be written.
        """
        try:
            if not self._aside.is_dir():
                self._aside.mkdir(parents=True, exist_ok=True)
                _given_away(self._aside)
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            handle = os.open(self._aside / ".lock", flags, 0o600)
            belongs_to_its_folder(handle, self._aside)
        except OSError as error:
            raise SwitchError(f"{self._aside}: {error.strerror}; run this as who owns the bundles") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._put_in_order()
            yield
        except BlockingIOError as error:
            raise SwitchError(
                f"{self._path}: another process installs a bundle there; try again when it is done"
            ) from error
        finally:
            os.close(handle)

    def add(self, files: Mapping[str, bytes]) -> Bundle:
        """Write a bundle's files aside and check them; nothing is switched.

        Raises:
            BundleError: they are no bundle.
            OSError: the disk refuses.
        """
        folder = Path(tempfile.mkdtemp(prefix=".new-", dir=self._aside))
        try:
            _given_away(folder)
            for name in sorted(files, key=lambda name: name == MANIFEST):
                write_atomically(folder / name, files[name])
                (folder / name).chmod(0o644)
            target = self._aside / load_bundle(folder).sha256[:_HASH_DIGITS]
            sync_folder(folder)
            if not _same(target, files):
                if target == self._path.resolve():  # damaged, or signed anew: what is in use is not taken apart
                    target = self._aside / f"{target.name}-{folder.name.removeprefix('.new-')}"
                shutil.rmtree(target, ignore_errors=True)
                folder.rename(target)
                sync_folder(self._aside)
            return load_bundle(target)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def switch(self, folder: Path) -> None:
        """Let the config's name lead to a bundle that was added; the one before is kept, older ones go.

        Raises:
            SwitchError: the file system cannot exchange a folder for a link.
            OSError: the disk refuses; the old bundle stays.
        """
        if self._path.is_symlink() or not self._path.exists():
            before = self._path.resolve()
            if before == folder.resolve():
                return
            if before.is_dir():
                self._point(self._last, before)
            self._point(self._path, folder)
        else:
            self._point(self._displaced, folder)
            _exchange(self._displaced, self._path)
            sync_folder(self._path.parent)
            self._put_in_order()
        self._prune()

    def rollback(self) -> Path:
        """Go back to the bundle before; the one that was in use becomes the one before. Its folder.

        A power cut in between may forget the one that was in use; the one before is in place then.

        Raises:
            SwitchError: there is none.
            OSError: the disk refuses.
        """
        before, now = self.previous, self._path.resolve()
        if before is None:
            raise SwitchError(f"{self._path}: no bundle before this one is kept")
        self._point(self._path, before)
        self._point(self._last, now)
        return before

    def _put_in_order(self) -> None:
        """A folder that was exchanged and not yet put aside becomes the bundle before."""
        if self._displaced.is_dir() and not self._displaced.is_symlink():
            try:
                name = load_bundle(self._displaced).sha256[:_HASH_DIGITS]
            except BundleError:
                name = "unusable"
            target = self._aside / name
            if target.exists():  # the same bundle was installed again
                shutil.rmtree(self._displaced)
            else:
                self._displaced.rename(target)
                self._point(self._last, target)
        elif self._displaced.is_symlink():
            self._displaced.unlink()

    def _point(self, link: Path, target: Path) -> None:
        temporary = link.with_name(f".{link.name}.link")
        with suppress(FileNotFoundError):
            temporary.unlink()
        temporary.symlink_to(os.path.relpath(target, link.parent.resolve()))
        temporary.replace(link)
        sync_folder(link.parent)

    def _prune(self) -> None:
        kept = {self._path.resolve(), self._last.resolve()}
        for folder in self._aside.iterdir():
            if folder.is_dir() and not folder.is_symlink() and folder.resolve() not in kept:
                shutil.rmtree(folder, ignore_errors=True)


def _given_away(folder: Path) -> None:
    """Whoever gave the command: the agent's user gets in, and, where what is around it is theirs, so is it."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        os.fchmod(handle, 0o755)
        belongs_to_its_folder(handle, folder.parent)
    finally:
        os.close(handle)


def _same(folder: Path, files: Mapping[str, bytes]) -> bool:
    try:
        return all((folder / name).read_bytes() == content for name, content in files.items())
    except OSError:
        return False


def _exchange(one: Path, other: Path) -> None:
    if not exchange(one, other):
        one.unlink()
        raise SwitchError(
            f"{other}: this file system cannot exchange a folder for a link at one stroke; "
            "stop the agent, move the folder away, and give the command again"
        )
