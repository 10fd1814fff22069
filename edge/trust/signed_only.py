"""Only bundles that a key has signed, and none older than one that was run: what is refused is not read further."""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from edge.detector.bundle.files import MANIFEST, write_atomically
from edge.trust.envelope import MOST_BYTES, SIGNATURE, SignatureError, Signed, verify


@dataclass(frozen=True)
class SignedOnly:
    """Vouches for bundles by `key_file`; `memo` keeps the highest counter that was run at each place.

    A place is the same however it is written: relative to a folder, or through one that is a link.
    """

    key_file: Path
    memo: Path
    notes: bool = True
    """Whether what is run counts as such; a command that only tries it leaves no trace."""

    def require(self, folder: Path, place: Path) -> Signed:
        """What the signature in a bundle's folder vouches for; `place` is where the config looks for the bundle.

        Raises:
            SignatureError: it is unsigned, altered or older than what was run at this place.
        """
        return self.require_bytes(_read(folder / MANIFEST, 20_000_000), _read(folder / SIGNATURE, MOST_BYTES), place)

    def require_bytes(self, manifest: bytes, envelope: bytes | None, place: Path) -> Signed:
        """The same of a bundle that is in no folder yet."""
        signed = self.vouched(manifest, envelope)
        seen = self._counters().get(_at(place), 0)
        if signed.counter < seen:
            raise SignatureError(
                f"{place}: the bundle is older (counter {signed.counter}) than one that was run here ({seen}); "
                "offbeat-edge rollback goes back to the one before, or sign it anew"
            )
        return signed

    def vouched(self, manifest: bytes, envelope: bytes | None) -> Signed:
        """The same, whatever was run before.

        Raises:
            SignatureError: it is unsigned or altered.
        """
        if envelope is None:
            raise SignatureError(
                f"the bundle has no {SIGNATURE}, and [device] bundle_key wants one: offbeat-train sign"
            )
        signed = verify(envelope, self.key_file)
        if hashlib.sha256(manifest).hexdigest() != signed.manifest_sha256:
            raise SignatureError(
                f"{MANIFEST} is another than the one that was signed; copy the bundle again, or sign it"
            )
        return signed

    def ran(self, signed: Signed, place: Path) -> None:
        """From now on nothing older is run at this place; a disk that refuses is reported by whatever else is saved."""
        if self.notes and self._counters().get(_at(place), 0) < signed.counter:
            try:
                self._note(signed, place)
            except OSError:
                return

    def go_back_to(self, folder: Path, place: Path) -> None:
        """Somebody on the gateway wants an older bundle: it may be run again.

        Raises:
            SignatureError: it is unsigned or altered.
            OSError: the disk refuses.
        """
        signed = self.vouched(_read(folder / MANIFEST, 20_000_000) or b"", _read(folder / SIGNATURE, MOST_BYTES))
        if _at(place) in self._counters():
            self._note(signed, place)

    def _note(self, signed: Signed, place: Path) -> None:
        self.memo.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomically(self.memo, json.dumps({**self._counters(), _at(place): signed.counter}).encode())
        self.memo.chmod(0o600)

    def _counters(self) -> dict[str, int]:
        try:
            body = json.loads(self.memo.read_bytes())
            found: dict[str, int] = {}
            for place, counter in body.items():
                found[_at(Path(place))] = max(int(counter), found.get(_at(Path(place)), 0))
            return found
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, RecursionError, AttributeError, TypeError) as error:
            raise SignatureError(f"{self.memo} cannot be read ({error}); it says which bundles are too old") from error


def _at(place: Path) -> str:
    """A bundle's place as the memory of counters names it. The place itself may be a link, which is switched."""
    return os.path.join(os.path.realpath(place.absolute().parent), place.name)


def _read(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
    except FileNotFoundError as error:
        what = "unsigned, and [device] bundle_key wants a signature" if path.name == SIGNATURE else "no bundle"
        raise SignatureError(f"{path.parent}: {what}; there is no {path.name}: offbeat-train sign writes it") from error
    except (OSError, ValueError) as error:
        raise SignatureError(f"{path}: cannot be read ({error})") from error
    if len(content) > most:
        raise SignatureError(f"{path}: larger than {most} bytes")
    return content
