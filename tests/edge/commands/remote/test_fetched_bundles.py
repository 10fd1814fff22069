"""The request `install-bundle`: what an attacker who may ask, or who serves the file, tries, and what comes of it."""

import hashlib
import io
import json
import shutil
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.agent.asked.bundles import BundleRequests
from edge.commands.remote.download import DownloadError, Limits, fetch
from edge.commands.remote.worker import done
from edge.config.settings import ConfigError, load_config
from edge.delivery.requests import RequestError, Requests
from edge.detector.bundle.files import BundleError, load_bundle
from edge.wire.topics import DeviceTopics
from tests.edge.commands.remote.hoard import Answer, body, endless, hoard, redirect
from tests.helpers.agent import EPISODE, MQTT, PUMP, board, config, events, run
from tests.helpers.mosquitto import wait_for
from tests.helpers.tiny_bundle import write_tiny_bundle

__all__ = ["run"]
PUMP_BELOW = PUMP.replace('"tiny"', '"bundles/tiny"')


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "bundles").mkdir()
    write_tiny_bundle(tmp_path / "bundles" / "tiny")
    return tmp_path


@pytest.fixture
def answers() -> dict[str, Answer]:
    return {}


@pytest.fixture
def host(folder: Path, answers: dict[str, Answer]) -> Iterator[str]:
    with hoard(folder / "server", answers) as address:
        yield address


def requests(host: str, more: str = "") -> str:
    return (
        '[requests]\nallow = ["install-bundle", "rollback"]\n[requests.bundles]\nfolder = "bundles"\n'
        f'hosts = ["{host}"]\nca = "server/ca.pem"\n{more}\n'
    )


def packed(folder: Path, name: str = "new") -> bytes:
    """The bundle under another name, as a tar."""
    made = folder / f"made-{name}"
    shutil.copytree((folder / "bundles" / "tiny").resolve(), made)
    manifest = json.loads((made / "manifest.json").read_text())
    (made / "manifest.json").write_text(json.dumps({**manifest, "name": name}))
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        tar.add(made, "b")
    return out.getvalue()


def install(folder: Path, host: str, content: bytes, path: str = "/b.tar", more: str = "", settings: str = "") -> dict:
    (folder / "agent.toml").write_text(requests(host, settings) + config(1, MQTT, PUMP_BELOW + more))
    job = {"command": "install-bundle", "url": f"https://{host}{path}", "sha256": hashlib.sha256(content).hexdigest()}
    return done(load_config(folder / "agent.toml"), job)


def is_old(folder: Path) -> bool:
    return load_bundle(folder / "bundles" / "tiny").name == "tiny"


def test_a_bundle_is_fetched_and_put_in_place(folder, host, answers):
    content = packed(folder)
    answers["/b.tar"], answers["/a"] = body(content), redirect("/b.tar")

    assert install(folder, host, content, "/a?signature=x")["bundle"] == "new"
    assert not list((folder / "bundles").glob("*.tar"))


@pytest.mark.parametrize(
    ("attack", "said"),
    [
        ("another file than was asked for", "SHA-256"),
        ("a body longer than allowed", "at most 200000 are taken"),
        ("a body that never ends", "more than 200000 bytes"),
        ("a body that drips", "it takes longer than 1 s"),
        ("a body cut off", "IncompleteRead|SHA-256"),
        ("a redirect to http", "https:// addresses only"),
        ("a redirect to a file", "https:// addresses only"),
        ("a redirect to a host inside", "none of .* hosts"),
        ("a redirect to itself", "redirects"),
        ("no such file", "answers 404"),
    ],
)
def test_what_a_server_tries_leaves_the_old_bundle(folder, host, answers, attack, said):
    content = packed(folder)
    answers["/b.tar"] = {
        "another file than was asked for": body(content + b"x"),
        "a body longer than allowed": body(b"", 10**12),
        "a body that never ends": endless(b"x" * 65536, 0.0),
        "a body that drips": endless(b"x", 0.05),
        "a body cut off": body(content[:100], len(content)),
        "a redirect to http": redirect(f"http://{host}/b.tar"),
        "a redirect to a file": redirect("file:///etc/passwd"),
        "a redirect to a host inside": redirect("https://169.254.169.254/"),
        "a redirect to itself": redirect("/b.tar"),
        "no such file": lambda handler: handler.send_error(404),
    }[attack]

    with pytest.raises(DownloadError, match=said):
        install(folder, host, content, settings="max_bytes = 200000\nmax_s = 1.0")
    assert is_old(folder)


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "http://{host}/b", "https://me:secret@{host}/b", "https://elsewhere.example/b",
     "https://{host}@elsewhere.example/b", "https://{host}/a b", "https://{host}/\r\nX: y", "https://{host}:99999/"],
)  # fmt: skip
def test_an_address_elsewhere_is_not_fetched(tmp_path, host, url):
    limits = Limits([host], 1000, 5.0)

    with pytest.raises(DownloadError), (tmp_path / "out").open("wb") as file:
        fetch(url.format(host=host), "0" * 64, file, tmp_path, limits)


def test_a_server_without_our_authority_is_not_believed(folder, host, answers):
    answers["/b"] = body(b"x")

    with pytest.raises(DownloadError, match="CERTIFICATE_VERIFY_FAILED"), (folder / "out").open("wb") as file:
        fetch(f"https://{host}/b", "0" * 64, file, folder, Limits([host], 1000, 5.0))


def test_a_disk_that_would_be_full_is_left_alone(folder, host, answers):
    answers["/b"] = body(b"x" * 100)
    limits = Limits([host], 1000, 5.0, folder / "server" / "ca.pem", free=lambda _folder: 1000)

    with pytest.raises(DownloadError, match="make room"), (folder / "out").open("wb") as file:
        fetch(f"https://{host}/b", "0" * 64, file, folder, limits)
    assert (folder / "out").stat().st_size == 0


def _zipped(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/").replace("_json", ".json"), content)
    return out.getvalue()


def _tarred(*members: tarfile.TarInfo, mode: str = "w:gz") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:
        for one in members:
            archive.addfile(one, io.BytesIO(bytes(one.size)) if one.isreg() else None)
    return out.getvalue()


def _member(name: str, size: int = 0, link: str = "") -> tarfile.TarInfo:
    one = tarfile.TarInfo(name)
    one.size = size
    if link:
        one.type, one.linkname = tarfile.SYMTYPE, link
    return one


def _pax_bomb() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
        one = _member("manifest.json")
        one.pax_headers = {"comment": "x" * 300_000_000}
        archive.addfile(one)
    return out.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(_zipped(manifest_json=b" " * 30_000_000), id="a zip bomb"),
        pytest.param(_tarred(_member("x", 60_000_000), _member("manifest.json")), id="a tar bomb before the manifest"),
        pytest.param(_tarred(*[_member(f"f{n}") for n in range(3000)]), id="files without number"),
        pytest.param(_tarred(_member("manifest.json", link="/etc/passwd")), id="a manifest that is a link"),
        pytest.param(_zipped(manifest_json=b'{"variants":[{"file":"../../agent.toml"}]}'), id="a path out of it"),
        pytest.param(_zipped(manifest_json=b'{"variants":[{"file":"/etc/passwd"}]}'), id="an absolute path"),
        pytest.param(_zipped(manifest_json=b"[" * 100_000), id="a manifest nested without end"),
        pytest.param(b"\x1f\x8b\x08" + bytes(1000), id="a damaged archive"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_what_an_archive_tries_leaves_the_old_bundle(folder, host, answers, content):
    answers["/b.tar"] = body(content)

    with pytest.raises(BundleError):
        install(folder, host, content)
    assert is_old(folder)
    assert not list(folder.rglob("evil"))


def test_headers_that_fill_the_memory_end_no_more_than_the_request(folder, host, answers):
    content = _pax_bomb()
    answers["/b.tar"] = body(content)

    with pytest.raises(BundleError):
        install(folder, host, content, settings="max_bytes = 1000000")
    assert is_old(folder)


def test_a_bundle_outside_the_folder_is_not_replaced(folder, host, answers):
    content = packed(folder)
    answers["/b.tar"] = body(content)
    write_tiny_bundle(folder / "tiny")
    (folder / "agent.toml").write_text(requests(host) + config(1, MQTT, PUMP))
    job = {"command": "install-bundle", "url": f"https://{host}/b.tar", "sha256": hashlib.sha256(content).hexdigest()}

    with pytest.raises(ConfigError, match="not in the folder of bundles"):
        done(load_config(folder / "agent.toml"), job)


def test_without_hosts_and_folder_the_request_cannot_be_allowed(folder):
    (folder / "agent.toml").write_text('[requests]\nallow = ["install-bundle"]\n' + config(1, MQTT, PUMP_BELOW))

    with pytest.raises(ConfigError, match="hosts"):
        load_config(folder / "agent.toml")


@pytest.mark.parametrize(
    "fields",
    [
        {"url": "https://h/b", "sha256": "short"},
        {"url": "file:///etc/passwd", "sha256": "0" * 64},
        {"url": "https://h/b"},
        {"sha256": "0" * 64},
        {"url": "https://h/b", "sha256": "0" * 64, "path": "/etc"},
        {"url": "https://h/" + "x" * 3000, "sha256": "0" * 64},
        {"url": ["https://h/b"], "sha256": "0" * 64},
    ],
)
def test_a_request_that_is_none_starts_no_process(tmp_path, fields):
    asked = BundleRequests(tmp_path / "agent.toml", 1.0, dict)

    with pytest.raises(RequestError):
        asked.ask("install-bundle", fields)
    assert asked._job is None


def test_a_flood_of_requests_starts_one_process_and_few_in_all(tmp_path):
    asked = BundleRequests(tmp_path / "none.toml", 1.0, dict)
    started = asked.ask("rollback", {})

    with pytest.raises(RequestError, match="another bundle"):
        asked.ask("rollback", {})
    asked.stop()
    started.until = 0.0
    for _ in range(5):
        asked.ask("rollback", {}).end()
        asked._job.until = 0.0
    with pytest.raises(RequestError, match="too many"):
        asked.ask("rollback", {})


def test_a_request_that_comes_twice_is_carried_out_once(caplog):
    caplog.set_level("INFO")
    asked, taken = Requests(DeviceTopics("gw-1"), ["rollback"]), []
    asked.register("rollback", lambda fields: taken.append(fields) or {"n": len(taken)}, changes=True)
    ask = b'{"transaction": 9, "by": "ann\\nroot", "url": "https://me:pw@h/b?secret"}'

    first = asked.answer("offbeat/gw-1/request/rollback", ask)
    again = asked.answer("offbeat/gw-1/request/rollback", ask)

    assert first == again
    assert len(taken) == 1
    assert "by ann?root: taken" in caplog.text
    assert "secret" not in caplog.text
    assert "me:pw" not in caplog.text


def test_the_agent_answers_at_once_and_runs_what_was_fetched(folder, host, answers, run, broker, listener):
    content = packed(folder)
    answers["/b.tar"] = body(content)
    agent = run(requests(host) + config(broker.port, MQTT, PUMP_BELOW))
    agent.wait_ready()
    wait_for(lambda: "request/+" in broker.log(), "the subscription")
    job = {"url": f"https://{host}/b.tar", "sha256": hashlib.sha256(content).hexdigest(), "transaction": 1, "by": "ann"}
    with board(broker) as publish:
        publish("offbeat/gw-1/request/install-bundle", json.dumps(job).encode())
        for row in EPISODE:
            body_ = {"time": row.time, "values": dict(row.values)}
            publish("sensors/pump1/readings", json.dumps(body_).encode())
        wait_for(lambda: events(listener), "the episode's events")
        topic = "offbeat/gw-1/response/install-bundle"
        wait_for(lambda: len(listener.on(topic)) == 2, "the answers", 60.0)
        publish("offbeat/gw-1/request/rollback", b'{"transaction": 2}')
        wait_for(lambda: len(listener.on("offbeat/gw-1/response/rollback")) == 2, "the answers", 60.0)

    accepted, result = (json.loads(one) for one in listener.on(topic))
    back = json.loads(listener.on("offbeat/gw-1/response/rollback")[-1])
    assert accepted == {"status": "accepted", "transaction": 1}
    assert (result["status"], result["data"]["bundle"], result["data"]["running"]) == ("ok", "new", True)
    assert (back["status"], back["data"]["bundle"], back["data"]["running"]) == ("ok", "tiny", True)
    assert agent.said("by ann: taken")
