"""One adapter over the TFLite runtimes: windows in, what the network makes of them out."""

import importlib
import importlib.util
import struct
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from edge.detector.bundle.files import Bundle, BundleError, UnfitError, Variant, read_hashed
from edge.detector.bundle.model_file import ModelFileError, check_model_file

RUNTIMES = {"ai-edge-litert": "ai_edge_litert.interpreter", "tflite-runtime": "tflite_runtime.interpreter"}
"""Distribution to module, the preferred one first."""
PREFERRED_VARIANTS = ("dynamic", "float32", "int8", "float32-loop", "int8-loop")
"""As `load_model` takes them where nothing is measured; `edge.agent.fastest` measures."""


def available_runtimes() -> tuple[str, ...]:
    """The runtimes installed here, the preferred one first. None is imported."""
    return tuple(name for name, module in RUNTIMES.items() if importlib.util.find_spec(module.split(".")[0]))


def runtime_remedy(version: tuple[int, int] = sys.version_info[:2], bits: int = 8 * struct.calcsize("P")) -> str:
    """What to do where no runtime is installed; by the bits of this Python, since a 32-bit Raspberry Pi OS may have a
    64-bit kernel."""
    if bits != 32:
        return "pip install ai-edge-litert"
    if version < (3, 12):
        return "pip install --no-deps tflite-runtime"
    return (
        f"there is none for a 32-bit Python {version[0]}.{version[1]}: install the 64-bit system, or Debian 12 "
        "(Raspberry Pi OS bookworm), whose Python 3.11 has one"
    )


def quantize(values: np.ndarray, scale: float, zero_point: int, dtype: type) -> np.ndarray:
    """Real values as the integers the model takes: round(v / scale) + zero_point.

    Saturates at the dtype's limits. A spike past the calibrated range would
    otherwise wrap round and reach the model with its sign flipped.
    Source: LiteRT 8-bit quantization specification.
    """
    limits = np.iinfo(dtype)
    return np.clip(np.round(values / scale) + zero_point, limits.min, limits.max).astype(dtype)


class Network(Protocol):
    """Whatever turns (n, window, channels) float32 windows in z-units into the same shape."""

    def run(self, windows: np.ndarray) -> np.ndarray:
        """What the network makes of the windows."""


class Model:
    """A loaded model file: (n, window, channels) float32 z-units to the same shape.

    One interpreter is kept for each batch size in use; a batch that fills none of them
    is padded. Shapes and dtypes are read from the file, which is held in memory: what was read, and hashed, once is
    what runs, whatever is copied over the file meanwhile.
    """

    def __init__(self, path: Path, content: bytes, batch: Sequence[int], runtime: str) -> None:
        self.path = path
        self._content = content
        self.runtime = runtime
        self._sizes = tuple(sorted(batch))
        self._interpreters: dict[int, _Interpreter] = {}

    @property
    def window(self) -> int:
        """Rows that the file takes."""
        return self._interpreter(self._sizes[0]).shape[1]

    @property
    def channels(self) -> int:
        """Channels that the file takes."""
        return self._interpreter(self._sizes[0]).shape[2]

    def load(self) -> None:
        """Load the file at its smallest batch size now, not with the first window.

        Raises:
            BundleError: the runtime cannot load it, or it is not of the contract's shape.
        """
        self._interpreter(self._sizes[0])

    def run(self, windows: np.ndarray) -> np.ndarray:
        """What the network makes of (n, window, channels) float32 windows, in as few calls as the batch sizes allow."""
        outputs = []
        start = 0
        while start < len(windows):
            size = self._size_for(len(windows) - start)
            outputs.append(self._interpreter(size).run(windows[start : start + size]))
            start += size
        return outputs[0] if len(outputs) == 1 else np.concatenate(outputs) if outputs else windows

    def _size_for(self, count: int) -> int:
        """The smallest batch that holds them all where that wastes less than half of it, else the largest full one."""
        full = [size for size in self._sizes if size <= count]
        fits = [size for size in self._sizes if size >= count]
        if fits and (not full or count > fits[0] // 2):
            return fits[0]
        return full[-1]

    def _interpreter(self, size: int) -> "_Interpreter":
        if size not in self._interpreters:
            self._interpreters[size] = _Interpreter(self.path, self._content, size, self.runtime)
        return self._interpreters[size]


class _Interpreter:
    """One interpreter at one batch size."""

    def __init__(self, path: Path, content: bytes, size: int, runtime: str) -> None:
        try:
            module = importlib.import_module(RUNTIMES[runtime])
            self._tflite = module.Interpreter(model_content=content, num_threads=1)
            self._input, self._output = _only(self._tflite, path)
            self.shape = (size, *(int(n) for n in self._input["shape"][1:]))
            self._tflite.resize_tensor_input(self._input["index"], self.shape)
            self._tflite.allocate_tensors()
            self._input, self._output = _only(self._tflite, path)
        except (ImportError, ValueError, RuntimeError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise BundleError(f"{path}: {runtime} cannot load it ({reason})") from error
        _check_contract(self._input, self._output, path)
        # Found out once: a window of a small network takes some twenty microseconds, in which every look-up shows.
        self._encode, self._decode = _encoder(self._input), _decoder(self._output)

    def run(self, windows: np.ndarray) -> np.ndarray:
        count = len(windows)
        if count < self.shape[0]:
            windows = np.concatenate([windows, np.zeros((self.shape[0] - count, *self.shape[1:]), windows.dtype)])
        self._tflite.set_tensor(self._input["index"], self._encode(windows))
        self._tflite.invoke()
        return self._decode(self._tflite.get_tensor(self._output["index"]))[:count]


def open_model(
    path: str | Path, batch: Sequence[int] = (1,), runtime: str | None = None, sha256: str | None = None
) -> Model:
    """A bare .tflite file in `runtime` (default: the preferred one installed), loaded and allocated.

    Raises:
        BundleError: no such runtime here, it cannot load the file, or the file's hash is not `sha256`.
    """
    found = available_runtimes()
    chosen = runtime or (found[0] if found else None)
    if chosen not in found:
        wanted, remedy = runtime or " or ".join(RUNTIMES), f"pip install {runtime}" if runtime else runtime_remedy()
        raise UnfitError(f"{path}: the TFLite runtime {wanted} is not installed; {remedy}")
    if chosen == "tflite-runtime" and np.lib.NumpyVersion(np.__version__) >= "2.0.0":
        # It imports, and the process dies when an interpreter is built.
        raise UnfitError(f"{path}: tflite-runtime dies under numpy {np.__version__}; pip install 'numpy<2'")
    content = read_hashed(Path(path), sha256)
    try:
        check_model_file(content)
    except ModelFileError as error:
        raise BundleError(f"{path}: {chosen} cannot load it: it holds {error}; fit it with offbeat-train") from error
    model = Model(Path(path), content, batch, chosen)
    model.load()
    return model


def load_model(bundle: Bundle, variant: str = "auto", runtime: str | None = None) -> tuple[Variant, Model]:
    """A variant of a bundle, loaded in a runtime that the manifest lists for it.

    `auto` takes the first of dynamic, float32, int8 that an installed runtime may load.

    Raises:
        BundleError: no variant fits the runtimes installed, or the file's shape is not the manifest's.
    """
    names = PREFERRED_VARIANTS if variant == "auto" else (variant,)
    candidates = [bundle.variant(name) for name in names if variant != "auto" or _has(bundle, name)]
    here = available_runtimes() if runtime is None else (runtime,)
    for candidate in candidates:
        for name in here:
            if name in candidate.runtimes and name in available_runtimes():
                return candidate, _checked(bundle, candidate, name)
    if not available_runtimes():
        raise UnfitError(f"{bundle.folder}: no TFLite runtime is installed; {runtime_remedy()}")
    listed = "; ".join(f"{part.name} runs in {', '.join(part.runtimes) or 'none'}" for part in bundle.variants)
    found = ", ".join(available_runtimes()) or "none"
    raise UnfitError(
        f"{bundle.folder}: no variant for {variant!r} in {runtime or 'the runtimes here'}: {listed}; installed: {found}"
    )


def _has(bundle: Bundle, name: str) -> bool:
    return any(part.name == name for part in bundle.variants)


def _checked(bundle: Bundle, variant: Variant, runtime: str) -> Model:
    model = open_model(bundle.folder / variant.file, variant.batch, runtime, variant.sha256)
    if (model.window, model.channels) != (bundle.window, len(bundle.channels)):
        raise BundleError(
            f"{model.path}: the model takes windows of {model.window} rows and {model.channels} channels, "
            f"the manifest says {bundle.window} and {len(bundle.channels)}; rebuild the bundle"
        )
    return model


def _only(tflite: Any, path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    inputs, outputs = tflite.get_input_details(), tflite.get_output_details()
    if len(inputs) != 1 or len(outputs) != 1:
        raise BundleError(f"{path}: {len(inputs)} inputs and {len(outputs)} outputs, wanted one of each")
    return inputs[0], outputs[0]


def _check_contract(taken: dict[str, Any], given: dict[str, Any], path: Path) -> None:
    shapes = [tuple(int(n) for n in detail["shape"]) for detail in (taken, given)]
    if len(shapes[0]) != 3 or shapes[0] != shapes[1]:
        raise BundleError(
            f"{path}: takes {shapes[0]} and gives {shapes[1]}, wanted (batch, window, channels) for both; "
            "rebuild the bundle"
        )
    for detail in (taken, given):
        if not (np.issubdtype(detail["dtype"], np.floating) or detail["quantization"][0] > 0):
            raise BundleError(f"{path}: its {np.dtype(detail['dtype'])} tensors have no scale; rebuild the bundle")


def _encoder(detail: dict[str, Any]) -> Callable[[np.ndarray], np.ndarray]:
    """What turns float32 windows into what the model takes."""
    dtype = detail["dtype"]
    if np.issubdtype(dtype, np.floating):
        return lambda windows: np.ascontiguousarray(windows, dtype)
    scale, zero_point = detail["quantization"]
    return lambda windows: quantize(windows, scale, zero_point, dtype)


def _decoder(detail: dict[str, Any]) -> Callable[[np.ndarray], np.ndarray]:
    """What turns what the model gives into float values."""
    if np.issubdtype(detail["dtype"], np.floating):
        return lambda values: values
    scale, zero_point = detail["quantization"]
    return lambda values: (values.astype(np.float32) - zero_point) * np.float32(scale)
