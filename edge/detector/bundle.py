"""The bundle: a folder with manifest.json and model files, the contract between train and edge."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.detector.scaler import Scaler, scaler_from_dict
from edge.detector.season import SEASONS

FORMAT = 1
MANIFEST = "manifest.json"


class BundleError(Exception):
    """A bundle that cannot be used; the message names the folder, what is wrong and the remedy."""


@dataclass(frozen=True)
class Channel:
    """One measured quantity, in the order the network takes them."""

    name: str
    unit: str = ""


@dataclass(frozen=True)
class Variant:
    """One model file of a bundle."""

    name: str
    """float32, dynamic or int8."""
    file: str
    sha256: str
    batch: tuple[int, ...]
    """Batch sizes that were tried; the first axis is resized to these."""
    runtimes: tuple[str, ...]
    """Where the file was really loaded and run; no other runtime touches it (one crashes the process)."""
    rmse_to_float32: float | None
    """Of the reconstruction, in z-units, on rows that were not fitted on."""
    score_agreement: float | None
    """Part of held-out rows on which this variant and float32 agree about the alarm, 0 to 1."""
    size_bytes: int
    calibration: Mapping[str, Any] | None
    """What `edge.detector.calibration` wrote for this variant."""


@dataclass(frozen=True)
class Bundle:
    """A manifest as read, with the folder that it came from."""

    folder: Path
    sha256: str
    """Of the manifest's bytes; it names the files' hashes, so it stands for all of them."""
    name: str
    created: str
    channels: tuple[Channel, ...]
    period_s: float
    timezone: str
    season: str | None
    """None, `daily` or `weekly`."""
    window: int
    """Rows a window."""
    stride: int
    """Rows between two inferences."""
    scaler: Scaler
    variants: tuple[Variant, ...]
    alarm: Mapping[str, Any]
    training: Mapping[str, Any]

    @property
    def channel_names(self) -> tuple[str, ...]:
        """In the network's order."""
        return tuple(channel.name for channel in self.channels)

    def variant(self, name: str) -> Variant:
        """The variant of that name.

        Raises:
            BundleError: there is none.
        """
        for variant in self.variants:
            if variant.name == name:
                return variant
        known = ", ".join(variant.name for variant in self.variants)
        raise BundleError(f"{self.folder}: no variant {name!r}; the bundle has {known}")


def load_bundle(folder: str | Path) -> Bundle:
    """Read and check a bundle: format, fields, and the hash of every model file. No code is run.

    Raises:
        BundleError: anything missing, malformed or changed since the bundle was written.
    """
    folder = Path(folder)
    path = folder / MANIFEST
    try:
        text = path.read_bytes()
    except OSError as error:
        raise BundleError(f"{path}: cannot read the manifest ({error.strerror}); is this a bundle's folder?") from error
    try:
        manifest = json.loads(text)
    except ValueError as error:
        raise BundleError(f"{path}: is not JSON ({error}); fit or copy the bundle again") from error
    bundle = _parse(folder, manifest, hashlib.sha256(text).hexdigest())
    for variant in bundle.variants:
        _check_file(folder / variant.file, variant.sha256)
    return bundle


def write_bundle(folder: str | Path, manifest: Mapping[str, Any], files: Mapping[str, bytes]) -> Bundle:
    """Write model files, then the manifest with their hashes and sizes, each atomically; the bundle as read back.

    `manifest` needs no `format`, and its variants no `sha256` and `size_bytes`; `files`
    maps every variant's `file` to its bytes.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        write_atomically(folder / name, content)
    variants = [
        {
            **variant,
            "sha256": _sha256(folder / variant["file"]),
            "size_bytes": (folder / variant["file"]).stat().st_size,
        }
        for variant in manifest["variants"]
    ]
    body = {"format": FORMAT, **manifest, "variants": variants}
    write_atomically(folder / MANIFEST, json.dumps(body, indent=1, allow_nan=False).encode())
    return load_bundle(folder)


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file as a whole: after a power cut there is the old or the new content, never half of it."""
    temporary = path.with_name(f".{path.name}.new")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _parse(folder: Path, manifest: Any, sha256: str) -> Bundle:
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        found = manifest.get("format") if isinstance(manifest, dict) else type(manifest).__name__
        raise BundleError(f"{folder}: bundle format {found!r}, this version reads {FORMAT}; fit it again")
    try:
        bundle = Bundle(
            folder=folder,
            sha256=sha256,
            name=str(manifest["name"]),
            created=str(manifest["created"]),
            channels=tuple(Channel(str(part["name"]), str(part.get("unit", ""))) for part in manifest["channels"]),
            period_s=float(manifest["period_s"]),
            timezone=str(manifest["timezone"]),
            season=manifest["season"],
            window=int(manifest["window"]),
            stride=int(manifest["stride"]),
            scaler=scaler_from_dict(manifest["scaler"]),
            variants=tuple(_variant(part) for part in manifest["variants"]),
            alarm=dict(manifest["alarm"]),
            training=dict(manifest["training"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        what = f"{type(error).__name__} {error}"
        raise BundleError(f"{folder}: the manifest is malformed ({what}); fit it again") from error
    _check_shapes(bundle)
    return bundle


def _variant(part: Mapping[str, Any]) -> Variant:
    return Variant(
        name=str(part["name"]),
        file=_plain_name(part["file"]),
        sha256=str(part["sha256"]),
        batch=_sizes(part["batch"]),
        runtimes=tuple(str(name) for name in part["runtimes"]),
        rmse_to_float32=part.get("rmse_to_float32"),
        score_agreement=part.get("score_agreement"),
        size_bytes=int(part["size_bytes"]),
        calibration=part.get("calibration"),
    )


def _plain_name(name: Any) -> str:
    """A file of the folder itself: a manifest from elsewhere must not name others."""
    if not isinstance(name, str) or Path(name).name != name or name in ("", ".", ".."):
        raise ValueError(f"file {name!r} is no plain file name")
    return name


def _sizes(sizes: Sequence[Any]) -> tuple[int, ...]:
    batch = tuple(int(size) for size in sizes)
    if not batch or min(batch) < 1:
        raise ValueError(f"batch {sizes!r} wants sizes of at least 1")
    return batch


def _check_shapes(bundle: Bundle) -> None:
    channels = len(bundle.channels)
    if not channels or len(set(bundle.channel_names)) != channels:
        raise BundleError(f"{bundle.folder}: the manifest wants channels of different names; fit it again")
    if bundle.scaler.center.shape[1] != channels:
        found = bundle.scaler.center.shape[1]
        raise BundleError(
            f"{bundle.folder}: the scaler has {found} channels, the manifest lists {channels}; fit it again"
        )
    if bundle.season not in SEASONS or len(bundle.scaler.center) != SEASONS[bundle.season]:
        raise BundleError(f"{bundle.folder}: the scaler has not the slots of season {bundle.season!r}; fit it again")
    if bundle.window < 2 or bundle.stride < 1 or not bundle.period_s > 0:
        raise BundleError(
            f"{bundle.folder}: window {bundle.window}, stride {bundle.stride} or period {bundle.period_s} s "
            "is out of range; fit it again"
        )


def _check_file(path: Path, wanted: str) -> None:
    try:
        found = _sha256(path)
    except OSError as error:
        raise BundleError(f"{path}: cannot read it ({error.strerror}); copy the whole bundle again") from error
    if found != wanted:
        raise BundleError(
            f"{path}: SHA-256 is {found[:12]}…, the manifest says {wanted[:12]}…; copy or fit the bundle again"
        )


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
