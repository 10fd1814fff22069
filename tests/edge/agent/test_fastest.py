"""Which variant `auto` takes, on a clock that the models themselves move on."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge.agent.fastest import BUDGET_S, load_fastest
from edge.detector.bundle.files import Bundle, BundleError, Variant, load_bundle
from tests.helpers.tiny_bundle import write_tiny_bundle

HERE, ELSEWHERE = ("ai-edge-litert",), ("tflite-runtime",)


class Device:
    """Seconds that each variant's call takes; a name that is missing cannot be loaded."""

    def __init__(self, **seconds: float) -> None:
        self.seconds = {name.replace("_", "-"): value for name, value in seconds.items()}
        self.now = 0.0
        self.loaded: list[str] = []
        self.batches: set[int] = set()

    def load(self, bundle: Bundle, name: str, _runtime: str | None) -> tuple[Variant, "Model"]:
        if name not in self.seconds:
            raise BundleError(f"{name}: damaged")
        self.loaded.append(name)
        return bundle.variant(name), Model(self, name)


class Model:
    def __init__(self, device: Device, name: str) -> None:
        self.device, self.name = device, name

    def run(self, windows: np.ndarray) -> np.ndarray:
        self.device.batches.add(len(windows))
        self.device.now += self.device.seconds[self.name]
        return windows


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    made = load_bundle(write_tiny_bundle(tmp_path / "tiny").folder)
    names = ("float32", "dynamic", "int8", "float32-loop")
    return replace(
        made, variants=tuple(replace(made.variants[0], name=name, runtimes=HERE, batch=(1, 8, 32)) for name in names)
    )


def chosen(bundle: Bundle, device: Device, streams: int = 1) -> str:
    return load_fastest(bundle, "ai-edge-litert", streams, device.load, lambda: device.now)[0].name


def change(bundle: Bundle, name: str, **changes: object) -> Bundle:
    return replace(bundle, variants=tuple(replace(v, **changes) if v.name == name else v for v in bundle.variants))


def test_the_fastest_is_taken_and_the_log_says_why(bundle, caplog):
    caplog.set_level("INFO")

    assert chosen(bundle, Device(float32=3e-3, dynamic=2e-3, int8=1e-3, float32_loop=4e-3)) == "int8"
    assert "int8" in caplog.text
    assert "dynamic 2000, float32 3000, int8 1000, float32-loop 4000" in caplog.text


def test_what_is_hardly_faster_is_not_taken(bundle):
    assert chosen(bundle, Device(float32=1.9e-3, dynamic=2e-3, int8=1.7e-3, float32_loop=2e-3)) == "dynamic"


def test_a_variant_that_the_manifest_does_not_list_for_this_runtime_is_never_loaded(bundle):
    device = Device(float32=3e-3, dynamic=2e-3, int8=1e-3, float32_loop=4e-3)

    assert chosen(change(bundle, "int8", runtimes=ELSEWHERE), device) == "dynamic"
    assert "int8" not in device.loaded


def test_a_variant_that_tells_other_alarms_is_never_loaded(bundle):
    device = Device(float32=3e-3, dynamic=2e-3, int8=1e-3, float32_loop=4e-3)

    assert chosen(change(bundle, "int8", score_agreement=0.98), device) == "dynamic"
    assert "int8" not in device.loaded


def test_a_variant_that_cannot_be_loaded_is_left_out(bundle, caplog):
    assert chosen(bundle, Device(float32=3e-3, dynamic=2e-3)) == "dynamic"
    assert "int8 is left out: int8: damaged" in caplog.text


def test_no_variant_that_can_be_loaded_is_an_error(bundle):
    with pytest.raises(BundleError, match="no variant can be loaded: float32-loop: damaged"):
        chosen(bundle, Device())


def test_measuring_ends_in_time_on_a_slow_device(bundle):
    device = Device(float32=0.4, dynamic=0.4, int8=0.1, float32_loop=0.1)

    assert chosen(bundle, device) == "dynamic"
    assert device.loaded == ["dynamic"]
    assert device.now < BUDGET_S + 0.4


@pytest.mark.parametrize(("streams", "batch"), [(1, 1), (5, 5), (1000, 32)])
def test_as_many_windows_are_measured_as_a_call_will_have(bundle, streams, batch):
    device = Device(float32=1e-3, dynamic=1e-3, int8=1e-3, float32_loop=1e-3)

    chosen(bundle, device, streams)

    assert device.batches == {batch}


def test_a_bundle_with_one_variant_is_not_measured(bundle):
    device = Device(float32=1e-3)

    assert chosen(replace(bundle, variants=bundle.variants[:1]), device) == "float32"
    assert device.now == 0.0
