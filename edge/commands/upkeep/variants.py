"""Every variant of a bundle, really run, and the version that it was fitted with."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from edge import __version__
from edge.agent.trial import Trial
from edge.commands.upkeep.finding import Finding
from edge.detector.bundle.files import Bundle, BundleError, Variant, load_bundle
from edge.detector.score.runtime import RUNTIMES, available_runtimes, open_model, runtime_remedy
from edge.trust.signed_only import SignedOnly


def runtime() -> Finding:
    """Which TFLite runtime is installed."""
    found = available_runtimes()
    if found:
        return Finding("ok", "runtime", ", ".join(found))
    return Finding("FAIL", "runtime", f"there is none of {', '.join(RUNTIMES)}; {runtime_remedy()}")


def bundle(folder: Path, trust: SignedOnly | None = None) -> Iterator[Finding]:
    """The bundle itself and each of its variants; its signature is looked at first, and the first run is in a process
    of its own."""
    try:
        if trust is not None:
            trust.require(folder, folder)
        loaded = load_bundle(folder)
        Trial(None).passed(loaded)
    except BundleError as error:
        yield Finding("FAIL", f"bundle {folder.name}", str(error))
        return
    yield fitted_with(loaded)
    for variant in loaded.variants:
        yield _variant(loaded, variant)


def fitted_with(loaded: Bundle, own: str = __version__) -> Finding:
    """The version that fitted the bundle against this one."""
    what, versions = f"bundle {loaded.name}", loaded.training.get("versions")
    fitted = versions.get("offbeat") if isinstance(versions, dict) else None
    if not isinstance(fitted, str):
        return Finding("?", what, f"it does not say which Offbeat fitted it; this is {own}")
    if _numbers(fitted) > _numbers(own):
        return Finding("do", what, f"fitted with Offbeat {fitted}, this is {own}: upgrade Offbeat here")
    return Finding("ok", what, f"fitted with Offbeat {fitted}, this is {own}")


def _numbers(version: str) -> list[int]:
    return [int(part) if part.isdigit() else -1 for part in version.split(".")]


def _variant(loaded: Bundle, variant: Variant) -> Finding:
    what = f"bundle {loaded.name}, {variant.name}"
    here = [name for name in available_runtimes() if name in variant.runtimes]
    if not here:
        return Finding(
            "?", what, f"not run: it is for {', '.join(variant.runtimes) or 'no runtime'}, which is not here"
        )
    told = []
    for name in here:
        try:
            seconds = seconds_a_window(loaded, variant, name)
        except (BundleError, RuntimeError, ValueError) as error:
            return Finding("FAIL", what, f"{name}: {error}; fit the bundle again, or name another variant")
        told.append(f"{seconds * 1000:.2f} ms a window in {name}")
    return Finding("ok", what, ", ".join(told))


def seconds_a_window(loaded: Bundle, variant: Variant, runtime_name: str, calls: int = 10) -> float:
    """Median time of a window, seconds; the first call, which sets up, is not counted.

    Raises:
        BundleError: the file cannot be loaded, or what comes out is not finite.
    """
    path = loaded.folder / variant.file
    model = open_model(path, variant.batch, runtime_name, variant.sha256)
    window = np.zeros((1, loaded.window, len(loaded.channels)), np.float32)
    taken = []
    for _ in range(calls + 1):
        start = time.perf_counter()
        output = model.run(window)
        taken.append(time.perf_counter() - start)
    if not np.isfinite(output).all():
        raise BundleError(f"{path}: gives values that are not finite")
    return sorted(taken[1:])[calls // 2]
