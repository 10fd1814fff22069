"""The manifest of a bundle: its fields, and what they must keep to."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from edge.detector.bundle.calibration import range_from
from edge.detector.bundle.memory import memory_from_dict
from edge.detector.bundle.peaks import Peaks, peaks_from_dict
from edge.detector.bundle.rules import ChannelRules, rules_from_dict
from edge.detector.bundle.scaler import Scaler, scaler_from_dict
from edge.detector.members.threshold import Threshold, threshold_from_dict
from edge.detector.rows.aligner import AlignerSettings, held_gap
from edge.detector.rows.season import SEASONS, Calendar

FORMAT = 1
_MOST_BATCH = 4096
"""A runtime lays out memory for it when it opens the file."""
_MOST_ROWS = 1_000_000
"""Of a window or stride: beyond it they are a mistake, and far beyond no float holds them."""
T = TypeVar("T")


class BundleError(Exception):
    """A bundle that cannot be used; the message names the folder, what is wrong and the remedy."""


class UnfitError(BundleError):
    """A bundle that is whole and does not fit what is installed or asked of it here: no waiting mends that."""


@dataclass(frozen=True)
class Channel:
    """One measured quantity, in the order the network takes them."""

    name: str
    unit: str = ""


@dataclass(frozen=True)
class Variant:
    """One model file of a bundle."""

    name: str
    """float32, dynamic or int8, with `-loop` where it is a loop and another is not."""
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
    """What `edge.detector.bundle.calibration` wrote for this variant."""


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
    architecture: str
    """Name of the network's; whichever it is, window minus output are residuals."""
    scaler: Scaler
    variants: tuple[Variant, ...]
    alarm: Mapping[str, Any]
    training: Mapping[str, Any]
    memory: Mapping[str, Any] | None
    """Remembered normal windows, as `edge.detector.bundle.memory` wrote them."""
    fleet: Mapping[int, Peaks]
    """Rows that the fitted machines were commissioned on, to what they reached after them."""
    rules: Mapping[str, ChannelRules]
    """Channel to rules learned from normal rows, for streams that ask for them."""
    rates: tuple[str, ...] = ()
    """Channels that boards send as counters, and of which the network takes the rise a second."""
    signed: bool = False
    """Whether residuals are prediction errors, so that which way they go says something."""
    missing: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Channel to readings that are codes for none."""
    hold_s: float | None = None
    """How long a value stands where boards send on change, seconds; None for the aligner's default."""

    @property
    def aligner(self) -> AlignerSettings:
        """How readings become its rows, where a stream sets nothing else."""
        return AlignerSettings(
            self.period_s,
            max_hold_s=self.hold_s,
            max_gap_s=held_gap(self.hold_s, self.period_s),
            rates=self.rates,
            missing=self.missing,
        )

    @property
    def threshold(self) -> Threshold:
        """How a device that commissions itself takes its level from its normal rows."""
        return threshold_from_dict(self.alarm.get("threshold"), signed=self.signed)

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
        raise UnfitError(f"{self.folder}: no variant {name!r}; the bundle has {known}")


def parse_manifest(folder: Path, manifest: Any, sha256: str) -> Bundle:
    """The bundle that JSON from a manifest describes; `sha256` is that of the manifest's bytes.

    Raises:
        BundleError: another format, a field that is missing or malformed, or fields that do not go together.
    """
    _check_format(folder, manifest)
    try:
        bundle = Bundle(
            folder=folder,
            sha256=sha256,
            name=_line(manifest["name"]),
            created=_line(manifest["created"]),
            channels=tuple(Channel(_line(part["name"]), _line(part.get("unit", ""))) for part in manifest["channels"]),
            period_s=float(manifest["period_s"]),
            timezone=_line(manifest["timezone"]),
            season=None if manifest["season"] is None else _line(manifest["season"]),
            window=int(manifest["window"]),
            stride=int(manifest["stride"]),
            architecture=_line(manifest.get("architecture", "lstm-autoencoder")),
            scaler=scaler_from_dict(manifest["scaler"]),
            variants=tuple(_variant(part) for part in manifest["variants"]),
            alarm=_alarm(manifest["alarm"], len(manifest["channels"])),
            training=_training(manifest["training"]),
            memory=_memory(manifest.get("memory"), len(manifest["channels"]), int(manifest["window"])),
            fleet={int(rows): peaks_from_dict(part) for rows, part in (manifest.get("fleet") or {}).items()},
            rules=rules_from_dict(manifest.get("rules") or {}),
            signed=_signed(manifest),
            rates=tuple(_line(name) for name in manifest.get("rates") or ()),
            missing={_line(name): _codes(values) for name, values in (manifest.get("missing") or {}).items()},
            hold_s=_optional(manifest, "hold_s", float),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        what = " ".join(f"{type(error).__name__} {error}".split())[:200]
        raise BundleError(f"{folder}: the manifest is malformed ({what}); fit it again") from error
    _check_shapes(bundle)
    return bundle


def _check_format(folder: Path, manifest: Any) -> None:
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        found = manifest.get("format") if isinstance(manifest, dict) else type(manifest).__name__
        later = type(found) is int and found > FORMAT
        remedy = "upgrade Offbeat here, or fit it with this version" if later else "fit it again"
        raise BundleError(f"{folder}: bundle format {found!r}, this version reads {FORMAT}; {remedy}")


def _variant(part: Mapping[str, Any]) -> Variant:
    return Variant(
        name=_line(part["name"]),
        file=_plain_name(part["file"]),
        sha256=_line(part["sha256"]),
        batch=_sizes(part["batch"]),
        runtimes=tuple(_line(name) for name in part["runtimes"]),
        rmse_to_float32=_optional(part, "rmse_to_float32", float),
        score_agreement=_optional(part, "score_agreement", float),
        size_bytes=int(part["size_bytes"]),
        calibration=_optional(part, "calibration", dict),
    )


def _line(value: Any) -> str:
    """Text that a message can hold: a manifest may come from anywhere, and logs have a line for each."""
    text = str(value)
    if not text.isprintable():
        raise ValueError(f"{text!r} holds characters that cannot be printed")
    return text


def _optional(part: Mapping[str, Any], name: str, kind: Callable[[Any], T]) -> T | None:
    return None if part.get(name) is None else kind(part[name])


def _alarm(body: Any, channels: int) -> dict[str, Any]:
    """As it is, once what a device needs to commission itself is known to be usable."""
    alarm = dict(body)
    drift = [float(value) for value in alarm["max_drift"]]
    if len(drift) != channels or not all(0 < value < math.inf for value in drift):
        raise ValueError(f"alarm.max_drift wants {channels} positive numbers")
    if not 0 < float(alarm.get("level", 1.0)) < math.inf:
        raise ValueError(f"alarm.level is {alarm['level']}, wanted a number above 0")
    threshold_from_dict(alarm.get("threshold"))
    range_from(alarm.get("fitted_range"), channels)
    return alarm


def _memory(body: Any, channels: int, window: int) -> dict[str, Any] | None:
    """As it is, once it is known to be usable."""
    if body is None:
        return None
    if (found := memory_from_dict(body, channels).rows) != window:
        raise ValueError(f"the memory has windows of {found} rows, the manifest says {window}")
    return dict(body)


def _training(body: Any) -> dict[str, Any]:
    """As it is, once the rows that limits depend on are known to be a number."""
    training = dict(body)
    if not float(training.get("rows", 1)) >= 1:
        raise ValueError(f"training.rows is {training['rows']}, wanted 1 or more")
    return training


def _plain_name(name: Any) -> str:
    """A file of the folder itself: a manifest from elsewhere must not name others."""
    if not isinstance(name, str) or Path(name).name != name or name in ("", ".", "..") or not name.isprintable():
        raise ValueError(f"file {name!r} is no plain file name")
    return name


def _sizes(sizes: Sequence[Any]) -> tuple[int, ...]:
    batch = tuple(int(size) for size in sizes)
    if not batch or min(batch) < 1 or max(batch) > _MOST_BATCH:
        raise ValueError(f"batch {sizes!r} wants sizes from 1 to {_MOST_BATCH}")
    return batch


def _signed(manifest: Mapping[str, Any]) -> bool:
    """As it says; an older one by its architecture."""
    signed = manifest.get("signed", manifest.get("architecture") == "lstm-forecaster")
    if not isinstance(signed, bool):
        raise TypeError(f"signed is {signed!r}, wanted true or false")
    return signed


def _codes(values: Sequence[Any]) -> tuple[float, ...]:
    codes = tuple(float(value) for value in values)
    if not all(map(math.isfinite, codes)):
        raise ValueError(f"codes for a missing reading are {values!r}, wanted finite numbers")
    return codes


def _check_shapes(bundle: Bundle) -> None:
    """What single fields do not show: whether they go together."""
    channels, (slots, scaled) = len(bundle.channels), bundle.scaler.center.shape
    wrong = {
        "it wants channels, each of another name": not channels or len(set(bundle.channel_names)) != channels,
        f"the scaler has {scaled} channels, the manifest lists {channels}": scaled != channels,
        f"the scaler has {slots} slots, which is not season {bundle.season!r}": SEASONS.get(bundle.season) != slots,
        "it wants variants, each of another name": not 0
        < len(bundle.variants)
        == len({v.name for v in bundle.variants}),
        f"window {bundle.window} or stride {bundle.stride} is out of range": not 2 <= bundle.window <= _MOST_ROWS
        or not 1 <= bundle.stride <= _MOST_ROWS,
        "rules are about channels that it does not list": not set(bundle.rules) <= set(bundle.channel_names),
        "rates are of channels that it does not list": not set(bundle.rates) <= set(bundle.channel_names),
        "codes for missing readings are of channels that it does not list": not set(bundle.missing)
        <= set(bundle.channel_names),
        f"hold_s is {bundle.hold_s}": bundle.hold_s is not None and not 0 <= bundle.hold_s < math.inf,
        f"period_s is {bundle.period_s}": not 0 < bundle.period_s < math.inf,
    }
    for what, found in wrong.items():
        if found:
            raise BundleError(f"{bundle.folder}: {what}; fit it again")
    try:
        Calendar(bundle.season, bundle.timezone)
    except (ValueError, OSError) as error:
        raise BundleError(f"{bundle.folder}: {error}") from error
