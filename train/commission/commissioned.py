"""A bundle for one device: the fleet's network with a calibration from the device's own normal rows."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edge.detector.bundle.calibration import Calibration
from edge.detector.bundle.files import MANIFEST, Bundle, BundleError, write_bundle
from edge.detector.bundle.rules import ChannelRules, rules_to_dict
from edge.detector.learn.commissioning import commission
from edge.detector.learn.prepare import CalibrationError
from edge.detector.members.tuning import DEFAULT
from edge.detector.rows.season import Calendar
from edge.detector.score.runtime import PREFERRED_VARIANTS, load_model
from train.commission.odd_rows import OddRows, odd_rows
from train.console.errors import FitError
from train.console.quiet import quiet_native_output
from train.fitting.learned_rules import learn_rules, widened
from train.network.streams import as_stream, rows_of
from train.read.dataset import Run


@dataclass(frozen=True)
class Commissioned:
    """What a device's rows gave."""

    calibrations: Mapping[str, Calibration]
    """By variant, the preferred one first; without those that no runtime here may load."""
    rules: Mapping[str, ChannelRules]
    """By channel: those of the bundle, with room for the device's own rows."""
    odd: tuple[OddRows, ...]
    """Stretches among the rows that may be anomalies."""

    @property
    def first(self) -> Calibration:
        """Of the variant that a device prefers."""
        return next(iter(self.calibrations.values()))

    def times(self, factor: Mapping[str, float]) -> "Commissioned":
        """With every variant's alarm level times its factor."""
        changed = {name: replace(one, level=one.level * factor[name]) for name, one in self.calibrations.items()}
        return replace(self, calibrations=changed)


def commission_variants(bundle: Bundle, run: Run, on_stage: Callable[[str], None]) -> Commissioned:
    """Calibrate every variant on the rows of one device, as the device itself would.

    Raises:
        FitError: too few rows, or no variant that a runtime here may load.
    """
    rows, stream = rows_of(run), as_stream(run, Calendar(bundle.season, bundle.timezone))
    calibrations: dict[str, Calibration] = {}
    odd: list[OddRows] = []
    for name in sorted((one.name for one in bundle.variants), key=_preference):
        try:
            with quiet_native_output():
                _, model = load_model(bundle, name)
        except BundleError as error:
            on_stage(f"left out: {error}")
            continue
        on_stage(f"commissioning {name} on {len(rows)} rows")
        try:
            calibrations[name], _ = commission(bundle, model, rows, DEFAULT)
        except CalibrationError as error:
            raise FitError(f"{run.name}: cannot commission on these rows: {error}") from error
        odd = odd or odd_rows(bundle, model, calibrations[name], stream) if len(calibrations) == 1 else odd
    if not calibrations:
        raise FitError(f"{bundle.folder}: no variant runs here; pip install ai-edge-litert")
    rules = widened(bundle.rules, learn_rules([run], bundle.channel_names, bundle.period_s))
    return Commissioned(calibrations, rules, tuple(odd))


def write_commissioned(
    bundle: Bundle, out: Path, commissioned: Commissioned, alarm: Mapping[str, Any], rows: Mapping[str, Any]
) -> Bundle:
    """Write the bundle with these calibrations to the folder `out`.

    `alarm` is added to the manifest's, `rows` says there what it was commissioned on.
    """
    body = json.loads((bundle.folder / MANIFEST).read_bytes())
    kept = [part for part in body["variants"] if part["name"] in commissioned.calibrations]
    body["variants"] = [{**part, "calibration": commissioned.calibrations[part["name"]].to_dict()} for part in kept]
    body["alarm"] = {**bundle.alarm, **alarm}
    body["rules"] = rules_to_dict(commissioned.rules)
    body["commissioned"] = dict(rows)
    files = {part["file"]: (bundle.folder / part["file"]).read_bytes() for part in kept}
    return write_bundle(out, body, files)


def _preference(name: str) -> int:
    return PREFERRED_VARIANTS.index(name) if name in PREFERRED_VARIANTS else len(PREFERRED_VARIANTS)
