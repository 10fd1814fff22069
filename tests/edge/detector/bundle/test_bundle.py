"""Bundles: written whole, read only when nothing in them is missing, malformed or changed."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.detector.bundle.files import Bundle, BundleError, load_bundle, write_bundle
from edge.detector.bundle.memory import Memory
from edge.detector.bundle.peaks import Peaks
from edge.detector.members.registry import NAMES
from edge.detector.rows.aligner import AlignerSettings
from tests.fuzz.inputs import with_other_values
from tests.helpers.rig import CHANNELS, variant, write_rig_bundle

pytestmark = pytest.mark.arm


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("bundles") / "rig"
    write_rig_bundle(folder)
    return folder


@pytest.fixture
def manifest(folder: Path) -> dict:
    return json.loads((folder / "manifest.json").read_text())


def rewritten(folder: Path, tmp_path: Path, manifest: object) -> Path:
    """A copy of the bundle with another manifest, as somebody with an editor would make it."""
    copied = tmp_path / "copied"
    copied.mkdir(exist_ok=True)
    (copied / "float32.tflite").write_bytes((folder / "float32.tflite").read_bytes())
    (copied / "manifest.json").write_text(json.dumps(manifest))
    return copied


def refused(folder: Path) -> str:
    with pytest.raises(BundleError) as caught:
        load_bundle(folder)
    assert "\n" not in str(caught.value)
    assert str(folder) in str(caught.value)
    return str(caught.value)


def test_what_was_written_is_read_back(folder, manifest):
    bundle = load_bundle(folder)

    assert (bundle.name, bundle.period_s, bundle.window, bundle.stride) == ("rig", 1.0, 8, 1)
    assert bundle.channel_names == CHANNELS
    assert bundle.scaler.center.tolist() == [manifest["scaler"]["center"]]
    assert bundle.variant("float32").size_bytes == len(b"model")
    assert bundle.variant("float32").batch == (1, 8)


def test_rates_and_codes_are_read_back_and_handed_to_the_aligner(folder, manifest, tmp_path):
    more = {"rates": ["flow"], "missing": {"pressure": [-999, 85.0]}}

    bundle = load_bundle(rewritten(folder, tmp_path, {**manifest, **more}))

    assert (bundle.aligner.period_s, bundle.aligner.rates) == (1.0, ("flow",))
    assert bundle.aligner.missing == {"pressure": (-999.0, 85.0)}


def test_a_bundle_that_knows_no_rates_has_none(folder):
    assert load_bundle(folder).aligner == AlignerSettings(1.0)


@pytest.mark.parametrize(
    ("more", "signed"),
    [
        ({"architecture": "lstm-autoencoder"}, False),
        ({"architecture": "lstm-forecaster"}, True),
        ({"architecture": "transformer"}, False),
        ({"architecture": "transformer", "signed": True}, True),
    ],
)
def test_whether_residuals_are_signed_the_manifest_says_and_an_older_one_by_its_architecture(tmp_path, more, signed):
    bundle = write_rig_bundle(tmp_path, **more)

    assert (bundle.signed, bundle.threshold.signed) == (signed, signed)


def test_remembered_windows_and_the_fleet_are_read_back(tmp_path):
    body = Peaks(np.ones((2, len(NAMES))), *np.full((3, len(NAMES)), 7)).to_dict()

    bundle = write_rig_bundle(tmp_path, remembers=True, fleet={"60": body})

    assert bundle.memory["window"] == bundle.window
    assert bundle.fleet[60].to_dict() == body


def test_remembered_windows_of_another_length_are_refused(tmp_path):
    with pytest.raises(BundleError):
        write_rig_bundle(tmp_path, memory=Memory(np.zeros((2, 4 * len(CHANNELS)), np.float32), 4).to_dict())


def test_a_fleet_of_peaks_without_stretches_is_refused(tmp_path):
    body = Peaks(np.ones((2, len(NAMES))), *np.full((3, len(NAMES)), 7)).to_dict()
    body["rows"]["level"] = [700, 0, 0.5]

    with pytest.raises(BundleError):
        write_rig_bundle(tmp_path, fleet={"60": body})


def test_a_bundle_is_named_by_the_bytes_of_its_manifest(folder, manifest, tmp_path):
    same, other = load_bundle(folder), load_bundle(rewritten(folder, tmp_path, {**manifest, "created": "later"}))

    assert load_bundle(folder).sha256 == same.sha256
    assert other.sha256 != same.sha256


def test_a_missing_folder_is_told(tmp_path):
    assert "cannot read the manifest" in refused(tmp_path / "nowhere")


@pytest.mark.parametrize("text", [b"", b"{", b"\xff\xfe", b"[" * 100_000])
def test_a_manifest_that_is_no_json_is_told(tmp_path, text):
    (tmp_path / "manifest.json").write_bytes(text)

    assert "is not JSON" in refused(tmp_path)


def test_another_format_is_told_with_both_numbers(folder, manifest, tmp_path):
    assert "format 2, this version reads 1" in refused(rewritten(folder, tmp_path, {**manifest, "format": 2}))


@pytest.mark.parametrize("field", ["name", "channels", "period_s", "scaler", "variants", "alarm", "training", "window"])
def test_a_missing_field_is_named(folder, manifest, tmp_path, field):
    del manifest[field]

    assert field in refused(rewritten(folder, tmp_path, manifest))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"window": 1}, "window 1"),
        ({"stride": 0}, "stride 0"),
        ({"stride": 10**400}, "stride 10"),
        ({"period_s": 0}, "period_s is 0"),
        ({"period_s": float("inf")}, "period_s is inf"),
        ({"period_s": float("nan")}, "period_s is nan"),
        ({"channels": [{"name": "a"}] * 3}, "another name"),
        ({"channels": [{"name": "a"}, {"name": "b"}], "alarm": {"max_drift": [1, 1]}}, "scaler has 3 channels"),
        ({"signed": "yes"}, "signed is 'yes', wanted true or false"),
        ({"season": "daily"}, "slots"),
        ({"season": "monthly"}, "slots"),
        ({"season": ["daily"]}, "slots"),
        ({"variants": []}, "variants"),
        ({"variants": [variant(sha256="0", size_bytes=5, batch=[10**9])]}, "sizes from 1 to 4096"),
        ({"variants": [variant(sha256="0", size_bytes=5, runtimes=["a\nb"])]}, "cannot be printed"),
        ({"channels": [{"name": "a\tb"}]}, "cannot be printed"),
        ({"variants": [variant(sha256="0\x1e", size_bytes=5)]}, "cannot be printed"),
        ({"timezone": "UTC\n<3>forged"}, "cannot be printed"),
        ({"season": "daily\x9b"}, "cannot be printed"),
        ({"architecture": "\u202elstm"}, "cannot be printed"),
        ({"alarm": {"max_drift": [1.0] * 3, "fitted_range": [[-1] * 3, [1, 1, 1e300]]}}, "fitted_range"),
        ({"variants": [variant(sha256="0", size_bytes=5)] * 2}, "variants"),
        ({"rates": ["speed"]}, "rates are of channels"),
        ({"rates": 7}, "malformed"),
        ({"missing": {"speed": [-999]}}, "codes for missing readings are of channels"),
        ({"missing": {"flow": [float("nan")]}}, "wanted finite numbers"),
        ({"missing": [-999]}, "malformed"),
        ({"alarm": {}}, "max_drift"),
        ({"training": {"rows": 0}}, "training.rows is 0"),
        ({"training": {"rows": 1e-300}}, "training.rows is 1e-300"),
        ({"training": {"rows": "many"}}, "malformed"),
        ({"alarm": {"max_drift": [1.0, 2.0]}}, "max_drift wants 3"),
        ({"alarm": {"max_drift": [1.0, 2.0, 0.0]}}, "max_drift wants 3"),
        ({"scaler": {"kind": "robust", "center": [0, 0, 0], "scale": [1, 1, 0]}}, "scaler"),
        ({"scaler": {"kind": "robust", "center": [0, 0, 0], "scale": [1, 1, float("inf")]}}, "scaler"),
    ],
)
def test_fields_that_are_out_of_range_or_do_not_go_together_are_told(folder, manifest, tmp_path, changes, told):
    assert told in refused(rewritten(folder, tmp_path, {**manifest, **changes}))


def test_a_season_in_a_zone_that_is_not_known_here_is_told_with_the_remedy(folder, manifest, tmp_path):
    lists = {"center": [[0.0] * 3] * 24, "scale": [[1.0] * 3] * 24}
    body = {**manifest, "season": "daily", "timezone": "Mars/Olympus", "scaler": {"kind": "robust", **lists}}

    assert "install tzdata" in refused(rewritten(folder, tmp_path, body))


@pytest.mark.parametrize("name", ["../float32.tflite", "/etc/passwd", "sub/a.tflite", "", ".", "..", "a\rb", 7, None])
def test_a_manifest_names_only_files_of_its_own_folder(folder, manifest, tmp_path, name):
    manifest["variants"][0]["file"] = name

    assert "no plain file name" in refused(rewritten(folder, tmp_path, manifest))


def test_a_changed_model_file_is_told_with_both_hashes(folder, manifest, tmp_path):
    copied = rewritten(folder, tmp_path, manifest)
    (copied / "float32.tflite").write_bytes(b"Model")

    assert manifest["variants"][0]["sha256"][:12] in refused(copied)


def test_a_missing_model_file_is_told(folder, manifest, tmp_path):
    copied = rewritten(folder, tmp_path, manifest)
    (copied / "float32.tflite").unlink()

    assert "copy the whole bundle again" in refused(copied)


def test_an_unknown_variant_is_told_with_those_there_are(folder):
    with pytest.raises(BundleError, match="no variant 'int8'; the bundle has float32"):
        load_bundle(folder).variant("int8")


def test_a_manifest_that_cannot_be_written_leaves_the_old_bundle_whole(tmp_path, manifest):
    before = write_rig_bundle(tmp_path)

    with pytest.raises(ValueError, match="JSON"):
        write_bundle(tmp_path, {**manifest, "period_s": float("nan")}, {"float32.tflite": b"another"})

    assert load_bundle(tmp_path).sha256 == before.sha256


def test_a_rewritten_bundle_takes_model_files_that_lie_there_already(tmp_path, manifest):
    write_rig_bundle(tmp_path)

    assert write_bundle(tmp_path, manifest, {}).variant("float32").size_bytes == len(b"model")


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_value_anywhere_in_a_manifest_gives_a_bundle_or_one_line(folder, manifest, tmp_path, data):
    copied = rewritten(folder, tmp_path, data.draw(with_other_values(manifest)))

    try:
        found: object = load_bundle(copied)
    except BundleError as error:
        found = str(error)

    assert isinstance(found, Bundle) or len(str(found).splitlines()) == 1
