"""The adapter over a real TFLite runtime: windows in, windows out, whatever the file's dtypes and batch sizes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edge.detector.bundle.files import Bundle, BundleError
from edge.detector.score.runtime import available_runtimes, load_model, open_model, quantize, runtime_remedy
from tests.helpers.rig import variant, write_rig_bundle
from tests.helpers.tflite_models import CHANNELS, INT8_RANGE, WINDOW, Models, mix

pytestmark = pytest.mark.arm


def windows(count: int, size: float = 1.0, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, size, (count, WINDOW, CHANNELS)).astype(np.float32)


# Quantizing


@given(
    hnp.arrays(np.float64, 5, elements=st.floats(-1e30, 1e30)),
    st.floats(1e-4, 1e3),
    st.sampled_from([(np.int8, -128, 127), (np.uint8, 0, 255), (np.int16, -32768, 32767)]),
    st.data(),
)
def test_quantizing_rounds_to_the_nearest_step_and_saturates_at_the_limits(values, scale, kind, data):
    dtype, least, most = kind
    zero_point = data.draw(st.integers(least, most))

    found = quantize(values, scale, zero_point, dtype)

    exact = values / scale + zero_point
    assert found.dtype == dtype
    assert (np.abs(found - np.clip(exact, least, most)) <= 0.5 + 1e-9 * np.abs(exact).clip(0, most)).all()


@given(st.integers(-128, 127), st.floats(1e-3, 10.0), st.integers(-128, 127))
def test_quantizing_gives_back_every_value_that_the_integers_can_hold(integer, scale, zero_point):
    value = np.array([(integer - zero_point) * scale])

    assert quantize(value, scale, zero_point, np.int8).tolist() == [integer]


def test_a_spike_past_the_range_keeps_its_sign():
    assert quantize(np.array([10.0, -10.0, np.inf, -np.inf]), 0.05, -1, np.int8).tolist() == [127, -128, 127, -128]


# Running


@pytest.mark.litert
def test_the_preferred_runtime_is_there_for_these_tests():
    assert available_runtimes()[0] == "ai-edge-litert"


def test_a_float_model_computes_what_numpy_does(models: Models):
    model = open_model(models.mixed)

    assert (model.window, model.channels, model.runtime) == (WINDOW, CHANNELS, available_runtimes()[0])
    assert model.run(windows(1)) == pytest.approx(mix(windows(1)), abs=1e-5)
    assert model.run(windows(1)).dtype == np.float32


@pytest.mark.litert
def test_a_dynamic_range_model_comes_close(models: Models):
    assert open_model(models.dynamic).run(windows(20)) == pytest.approx(mix(windows(20)), abs=0.05)


@pytest.mark.litert
def test_an_int8_model_takes_and_gives_z_units(models: Models):
    found = open_model(models.int8).run(windows(20))

    assert found.dtype == np.float32
    assert found == pytest.approx(mix(windows(20)), abs=0.1)


@pytest.mark.litert
def test_an_int8_model_saturates_where_a_reading_is_beyond_its_range(models: Models):
    spikes = np.full((1, WINDOW, CHANNELS), 10.0, np.float32)
    spikes[0, ::2] = -10.0

    found = open_model(models.echo_int8).run(spikes)

    assert found == pytest.approx(np.sign(spikes) * INT8_RANGE, abs=0.1)


@pytest.mark.parametrize("count", [*range(1, 13), 31, 32, 33, 40, 64, 100])
@pytest.mark.parametrize("batch", [(1,), (8,), (1, 8), (1, 8, 32), (4, 16)])
def test_any_number_of_windows_gives_what_each_gives_alone(models: Models, count, batch):
    many = windows(count)

    assert open_model(models.mixed, batch).run(many) == pytest.approx(mix(many), abs=1e-5)


def test_no_windows_give_none(models: Models):
    assert open_model(models.mixed).run(windows(0)).shape == (0, WINDOW, CHANNELS)


@pytest.mark.litert
def test_padding_of_a_batch_does_not_reach_its_results(models: Models):
    model = open_model(models.int8, (8,))
    alone = model.run(windows(3))
    model.run(windows(8, size=3.0, seed=1))

    assert (model.run(windows(3)) == alone).all()


def test_a_result_does_not_change_when_the_model_runs_again(models: Models):
    model = open_model(models.mixed)
    first = model.run(windows(1))
    kept = first.copy()
    model.run(windows(1, seed=1))

    assert (first == kept).all()


# Files that cannot be used


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("flat", "wanted (batch, window, channels)"),
        ("summed", "wanted (batch, window, channels)"),
        ("two_inputs", "2 inputs and 1 outputs"),
        ("integers", "no scale"),
    ],
)
def test_a_file_that_is_no_reconstruction_of_windows_is_told(models: Models, name, told):
    with pytest.raises(BundleError) as caught:
        open_model(getattr(models, name))

    assert told in str(caught.value)
    assert str(getattr(models, name)) in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"no model", bytes(1000)])
def test_a_file_that_is_no_model_is_told_in_one_line(tmp_path, content):
    path = tmp_path / "broken.tflite"
    path.write_bytes(content)

    with pytest.raises(BundleError, match=f"{available_runtimes()[0]} cannot load it") as caught:
        open_model(path)

    assert "\n" not in str(caught.value)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(BundleError, match=r"nowhere\.tflite"):
        open_model(tmp_path / "nowhere.tflite")


@pytest.mark.litert
def test_a_runtime_that_is_not_installed_is_told_with_what_to_install(models: Models):
    with pytest.raises(BundleError, match="pip install tflite-runtime"):
        open_model(models.mixed, runtime="tflite-runtime")


@pytest.mark.litert
def test_tflite_runtime_beside_numpy_2_is_refused_before_it_ends_the_process(models: Models, tmp_path, monkeypatch):
    (tmp_path / "tflite_runtime").mkdir()
    (tmp_path / "tflite_runtime" / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(BundleError, match="pip install 'numpy<2'"):
        open_model(models.mixed, runtime="tflite-runtime")


# From a bundle


def bundle_of(folder, models: Models, *variants: dict, window: int = WINDOW) -> Bundle:
    folder.mkdir()
    for name in ("mixed", "dynamic", "int8"):
        (folder / f"{name}.tflite").write_bytes(getattr(models, name).read_bytes())
    return write_rig_bundle(folder, window=window, variants=list(variants))


FLOAT32 = variant(name="float32", file="mixed.tflite")
DYNAMIC = variant(name="dynamic", file="dynamic.tflite")
INT8 = variant(name="int8", file="int8.tflite")
ELSEWHERE = {"runtimes": ["tflite-runtime"]}


@pytest.mark.litert
def test_auto_takes_the_dynamic_variant_before_float32_before_int8(tmp_path, models: Models):
    every = bundle_of(tmp_path / "a", models, INT8, FLOAT32, DYNAMIC)
    two = bundle_of(tmp_path / "b", models, INT8, FLOAT32)

    assert load_model(every)[0].name == "dynamic"
    assert load_model(two)[0].name == "float32"


@pytest.mark.litert
def test_a_variant_asked_for_by_name_is_taken(tmp_path, models: Models):
    chosen, model = load_model(bundle_of(tmp_path / "a", models, INT8, FLOAT32), "int8")

    assert chosen.name == "int8"
    assert model.run(windows(9)) == pytest.approx(mix(windows(9)), abs=0.1)


@pytest.mark.litert
def test_a_variant_is_loaded_only_in_runtimes_that_the_manifest_lists_for_it(tmp_path, models: Models):
    bundle = bundle_of(tmp_path / "a", models, {**DYNAMIC, **ELSEWHERE}, FLOAT32)

    assert load_model(bundle)[0].name == "float32"
    with pytest.raises(BundleError, match=r"dynamic runs in tflite-runtime.*installed: ai-edge-litert"):
        load_model(bundle, "dynamic")


def test_a_runtime_asked_for_must_be_one_of_those_listed(tmp_path, models: Models):
    with pytest.raises(BundleError, match="float32 runs in ai-edge-litert"):
        load_model(bundle_of(tmp_path / "a", models, FLOAT32), runtime="tflite-runtime")


def test_an_unknown_variant_is_told(tmp_path, models: Models):
    with pytest.raises(BundleError, match="no variant 'tiny'; the bundle has float32"):
        load_model(bundle_of(tmp_path / "a", models, FLOAT32), "tiny")


@pytest.mark.litert
def test_a_model_of_another_shape_than_the_manifest_says_is_told(tmp_path, models: Models):
    with pytest.raises(BundleError, match=f"windows of {WINDOW} rows and 3 channels, the manifest says 7 and 3"):
        load_model(bundle_of(tmp_path / "a", models, FLOAT32, window=7))


def test_without_a_runtime_a_32_bit_system_is_told_what_to_install():
    assert runtime_remedy((3, 13), 64) == "pip install ai-edge-litert"
    assert "64-bit system, or Debian 12" in runtime_remedy((3, 13), 32)
    assert runtime_remedy((3, 11), 32) == "pip install --no-deps tflite-runtime"
