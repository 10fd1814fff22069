"""Where a public key is configured, only what it signed is run; each test is named after what an attacker tries."""

import base64
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.__main__ import main
from edge.agent.loading import load_streams, trust_of
from edge.commands.upkeep import variants
from edge.config.settings import load_config
from edge.detector.bundle import files as bundle_files
from edge.detector.bundle.files import BundleError, load_bundle
from edge.trust import envelope
from edge.trust.envelope import SIGNATURE, SignatureError, sign, to_be_signed, verify
from tests.helpers.agent import MQTT, PUMP, config, folder
from train.__main__ import main as train

__all__ = ["folder"]
serialization = pytest.importorskip("cryptography.hazmat.primitives.serialization")
ed25519 = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ed25519")


def make_key(folder: Path, name: str) -> Path:
    key = ed25519.Ed25519PrivateKey.generate()
    encoding, none = serialization.Encoding.PEM, serialization.NoEncryption()
    (folder / f"{name}.key").write_bytes(key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, none))
    public = key.public_key().public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)
    (folder / f"{name}.pub").write_bytes(public)
    return folder / f"{name}.key"


@pytest.fixture
def signed(folder: Path) -> Path:
    """A gateway that wants signatures, with a bundle of counter 5."""
    make_key(folder, "ours")
    make_key(folder, "theirs")
    text = config(1883, MQTT, PUMP).replace("[broker]", f'bundle_key = "{folder}/ours.pub"\n[broker]')
    (folder / "agent.toml").write_text(text)
    give(folder, 5)
    return folder


def give(folder: Path, counter: int, key: str = "ours", bundle: str = "tiny") -> None:
    manifest = (folder / bundle / "manifest.json").read_bytes()
    (folder / bundle / SIGNATURE).write_bytes(sign(manifest, counter, folder / f"{key}.key"))


def load(folder: Path):
    settings = load_config(folder / "agent.toml")
    return load_streams(settings.stream, "auto", (), None, trust_of(settings))


def change(folder: Path, edit: Callable[[dict], None]) -> None:
    body = json.loads((folder / "tiny" / SIGNATURE).read_text())
    edit(body)
    (folder / "tiny" / SIGNATURE).write_text(json.dumps(body))


@pytest.fixture
def unread(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Model files that were read."""
    read: list[str] = []
    plain = bundle_files.read_hashed

    def noting(path: Path, wanted: str | None) -> bytes:
        read.append(path.name)
        return plain(path, wanted)

    monkeypatch.setattr(bundle_files, "read_hashed", noting)
    return read


def refused(folder: Path, unread: list[str], said: str) -> None:
    with pytest.raises(SignatureError, match=said):
        load(folder)
    assert unread == []


def test_a_bundle_that_the_key_signed_runs(signed):
    assert load(signed).bundle.name == "tiny"


def test_takes_the_signature_away(signed, unread):
    (signed / "tiny" / SIGNATURE).unlink()
    refused(signed, unread, "unsigned")


def test_signs_with_a_key_of_their_own(signed, unread):
    give(signed, 6, "theirs")
    refused(signed, unread, "not of the key")


def test_changes_the_manifest_under_the_signature(signed, unread):
    path = signed / "tiny" / "manifest.json"
    path.write_bytes(path.read_bytes().replace(b'"tiny"', b'"evil"'))
    refused(signed, unread, "another than the one that was signed")


def test_changes_a_model_under_the_signature(signed):
    (signed / "tiny" / "float32.tflite").write_bytes(b"evil")
    with pytest.raises(BundleError, match="SHA-256"):
        load(signed)


def test_plays_an_older_signed_bundle_again(signed, unread):
    load(signed)
    unread.clear()
    give(signed, 4)
    refused(signed, unread, r"older \(counter 4\) than one that was run here \(5\)")


def test_raises_the_counter_without_signing(signed, unread):
    def edit(body: dict) -> None:
        payload = json.loads(base64.b64decode(body["payload"]))
        body["payload"] = base64.b64encode(json.dumps({**payload, "counter": 99}).encode()).decode()

    change(signed, edit)
    refused(signed, unread, "not of the key")


def test_takes_the_signature_of_another_kind_of_document(signed, unread):
    change(signed, lambda body: body.update(payloadType="application/vnd.in-toto+json"))
    refused(signed, unread, "something else")


def test_leaves_the_list_of_signatures_empty(signed, unread):
    change(signed, lambda body: body.update(signatures=[]))
    refused(signed, unread, "not of the key")


def test_sends_a_thousand_signatures_to_keep_it_busy(signed, unread):
    def edit(body: dict) -> None:
        body["signatures"] = [{"sig": base64.b64encode(bytes(64)).decode()}] * 100 + body["signatures"]

    change(signed, edit)
    refused(signed, unread, "not of the key")


def test_sends_an_envelope_of_a_gigabyte(signed, unread):
    with (signed / "tiny" / SIGNATURE).open("wb") as file:
        file.truncate(1_000_000_000)
    refused(signed, unread, "larger than")


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b"[" * 10_000, b'{"payloadType": 1}', b'{"payload": "\xff"}']
)
def test_sends_what_is_no_envelope(signed, unread, content):
    (signed / "tiny" / SIGNATURE).write_bytes(content)
    refused(signed, unread, "no envelope")


@pytest.mark.parametrize("payload", [b"", b"[]", b'{"counter": 1}', b'{"manifest_sha256": "x", "counter": true}'])
def test_has_something_signed_that_is_no_bundle(signed, payload):
    key = serialization.load_pem_private_key((signed / "ours.key").read_bytes(), None)
    parts = {"sig": base64.b64encode(key.sign(to_be_signed(payload))).decode()}
    body = {
        "payloadType": envelope.PAYLOAD_TYPE,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [parts],
    }
    with pytest.raises(SignatureError, match="not what offbeat-train signs"):
        verify(json.dumps(body).encode(), signed / "ours.pub")


def test_moves_the_border_between_type_and_payload():
    assert to_be_signed(b"b", "a 1 b") != to_be_signed(b"1 b", "a")


def test_replaces_the_public_key_by_rubbish(signed, unread):
    (signed / "ours.pub").write_text("rubbish")
    refused(signed, unread, "no key in PEM form")


def test_removes_the_public_key(signed, unread):
    (signed / "ours.pub").unlink()
    refused(signed, unread, "no key in PEM form")


def test_damages_the_memory_of_counters(signed, unread):
    (signed / "state").mkdir()
    (signed / "state" / "bundle-counters.json").write_text("{")
    refused(signed, unread, "cannot be read")


def test_swaps_the_manifest_between_the_look_and_the_load(signed, monkeypatch):
    from edge.agent import loading

    def swapped(folder: Path):
        path = folder / "manifest.json"
        path.write_bytes(path.read_bytes().replace(b'"tiny"', b'"evil"'))
        return load_bundle(folder)

    monkeypatch.setattr(loading, "load_bundle", swapped)
    with pytest.raises(SignatureError, match="changed while it was read"):
        load(signed)


def installed(folder: Path, name: str, counter: int, key: str | None = "ours") -> int:
    made = folder / f"made-{name}"
    shutil.copytree((folder / "tiny").resolve(), made)
    path = made / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "name": name}))
    (made / SIGNATURE).unlink()
    if key is not None:
        give(folder, counter, key, made.name)
    return main(["install-bundle", str(made), "--config", str(folder / "agent.toml")])


@pytest.mark.parametrize(("counter", "key"), [(6, None), (6, "theirs"), (4, "ours")])
def test_installs_an_unsigned_a_foreign_or_an_older_bundle(signed, capsys, counter, key):
    load(signed)

    assert installed(signed, "evil", counter, key) == 1
    assert load_bundle(signed / "tiny").name == "tiny"
    assert "the old bundle stays" in capsys.readouterr().err


def test_who_looks_after_the_gateway_goes_back_and_nobody_else_does(signed, capsys):
    load(signed)
    assert installed(signed, "new", 6) == 0
    assert load(signed).bundle.name == "new"

    assert main(["rollback", "--config", str(signed / "agent.toml")]) == 0
    assert load(signed).bundle.name == "tiny"
    capsys.readouterr()


def test_names_the_place_in_another_way_to_have_an_older_one_installed(signed, capsys, monkeypatch):
    load(signed)
    (signed / "by-a-link").symlink_to(signed)
    made = shutil.copytree(signed / "tiny", signed / "made-older")
    give(signed, 4, bundle=made.name)

    monkeypatch.chdir(signed)
    for config_path in ("agent.toml", f"../{signed.name}/agent.toml", str(signed / "by-a-link/agent.toml")):
        assert main(["install-bundle", str(made), "--config", config_path]) == 1
        assert "older (counter 4)" in capsys.readouterr().err


def test_who_goes_back_in_the_config_s_own_folder_goes_back_for_the_service_too(signed, capsys, monkeypatch):
    load(signed)
    assert installed(signed, "new", 6) == 0
    load(signed)

    monkeypatch.chdir(signed)
    assert main(["rollback", "--config", "agent.toml"]) == 0
    assert load(signed).bundle.name == "tiny"
    capsys.readouterr()


def test_a_check_leaves_no_trace_that_a_bundle_ran(signed, capsys):
    main(["check", "--config", str(signed / "agent.toml")])

    assert "tiny, float32" in capsys.readouterr().out
    assert not (signed / "state").exists()


def test_offbeat_train_signs_what_a_gateway_takes(signed, capsys):
    (signed / "tiny" / SIGNATURE).unlink()

    assert train(["sign", str(signed / "tiny"), "--key", str(signed / "ours.key"), "--counter", "7"]) == 0
    assert load(signed).bundle.name == "tiny"
    assert train(["sign", str(signed / "tiny"), "--key", str(signed / "ours.pub")]) != 0
    capsys.readouterr()


@pytest.mark.parametrize("counter", [0, -1, 2**63])
def test_a_counter_that_no_gateway_takes_is_refused_in_one_line(signed, capsys, counter):
    assert train(["sign", str(signed / "tiny"), "--key", str(signed / "ours.key"), f"--counter={counter}"]) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert f"--counter is {counter}" in line


def test_a_key_of_the_wrong_kind_is_told_with_the_remedy(signed):
    with pytest.raises(SignatureError, match="it is the public one"):
        sign(b"{}", 1, signed / "ours.pub")
    (signed / "ours.pub").write_bytes((signed / "ours.key").read_bytes())
    with pytest.raises(SignatureError, match="-pubout writes the public key"):
        load(signed)


def test_without_a_key_any_bundle_runs_as_before(folder):
    (folder / "agent.toml").write_text(config(1883, MQTT, PUMP))

    assert load(folder).bundle.name == "tiny"


def test_has_the_doctor_run_an_unsigned_model(signed, unread):
    (signed / "tiny" / SIGNATURE).unlink()

    (finding,) = variants.bundle(signed / "tiny", trust_of(load_config(signed / "agent.toml")))

    assert finding.level == "FAIL"
    assert unread == []


def test_a_signed_bundle_is_run_by_the_doctor(signed):
    found = list(variants.bundle(signed / "tiny", trust_of(load_config(signed / "agent.toml"))))

    assert "ok" in {one.level for one in found}
    assert "FAIL" not in {one.level for one in found}
