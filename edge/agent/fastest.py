"""`variant = "auto"`: which of a bundle's variants is the fastest on this device, measured at start-up."""

import logging
import time
from collections.abc import Callable, Sequence

import numpy as np

from edge.detector.bundle.files import Bundle, BundleError, Variant
from edge.detector.score.runtime import PREFERRED_VARIANTS, Model, available_runtimes, load_model

log = logging.getLogger(__name__)

BUDGET_S = 0.7
"""How long all measuring may take, seconds; what is not reached by then is not considered."""
_CALLS = 20
_EACH_S = 0.1
"""How long one variant is run at most, seconds."""
_SAME_ALARMS = 0.99
"""Part of the held-out rows on which a variant must agree with float32 about the alarm."""
_CLEARLY = 0.8
"""A variant goes before one of higher preference where it takes less than this part of its time."""


Load = Callable[[Bundle, str, str | None], tuple[Variant, Model]]


def load_fastest(
    bundle: Bundle,
    runtime: str | None,
    streams: int,
    load: Load = load_model,
    clock: Callable[[], float] = time.perf_counter,
) -> tuple[Variant, Model]:
    """The variant that takes the least time for a row of so many streams, in the first runtime that it runs in.

    Only variants count that the manifest lists for a runtime here, where their result was right, and that agree with
    float32 about the alarms. Runtimes are not compared: a device has one. Where a choice is not clear it is that of
    `load_model`, so that it is the same at the next start.

    Raises:
        BundleError: no variant fits the runtimes installed, or none of those that do can be loaded.
    """
    candidates = _candidates(bundle, runtime)
    if len(candidates) < 2:
        return load(bundle, candidates[0] if candidates else "auto", runtime)
    best: tuple[float, Variant, Model] | None = None
    told: list[str] = []
    until, refused = clock() + BUDGET_S, None
    for name in candidates:
        if best and clock() >= until:
            break
        try:
            variant, model = load(bundle, name, runtime)
            seconds = _seconds(model, bundle, min(streams, max(variant.batch)), clock)
        except (BundleError, RuntimeError, ValueError) as error:  # as when it takes more memory than there is
            log.warning("bundle %s: variant %s is left out: %s", bundle.name, name, error)
            refused = error
            continue
        told.append(f"{name} {seconds * 1e6:.0f}")
        if best is None or seconds < _CLEARLY * best[0]:
            best = seconds, variant, model
        del model  # only the best is kept: the next one takes the memory of the one that was not
    if best is None:
        raise BundleError(f"{bundle.folder}: no variant can be loaded: {refused}") from refused
    _log_choice(bundle, best[1], streams, told)
    return best[1], best[2]


def _log_choice(bundle: Bundle, variant: Variant, streams: int, told: Sequence[str]) -> None:
    text = "bundle %s: %s, of those that run here (us a call for up to %d streams): %s"
    log.info(text, bundle.name, variant.name, streams, ", ".join(told))


def _candidates(bundle: Bundle, runtime: str | None) -> list[str]:
    """Names of the variants that count, the preferred ones first."""
    here = set(available_runtimes() if runtime is None else [runtime])
    fit = [
        variant.name
        for variant in bundle.variants
        if here & set(variant.runtimes) and (variant.score_agreement is None or variant.score_agreement >= _SAME_ALARMS)
    ]
    known = [name for name in PREFERRED_VARIANTS if name in fit]
    return known + [name for name in fit if name not in known]


def _seconds(model: Model, bundle: Bundle, batch: int, clock: Callable[[], float]) -> float:
    """Median time of a call with so many windows, seconds; the first call, which sets up, is not counted."""
    windows = np.zeros((batch, bundle.window, len(bundle.channels)), np.float32)
    model.run(windows)
    taken: list[float] = []
    until = clock() + _EACH_S
    while len(taken) < _CALLS and (not taken or clock() < until):
        start = clock()
        model.run(windows)
        taken.append(clock() - start)
    # np.median would import numpy.ma, which is resident for ever after.
    return sorted(taken)[len(taken) // 2]
