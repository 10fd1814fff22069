"""Passwords, settings, the store, pictures: what each promises on its own."""

import io
import json
import sqlite3
import sys

import pytest
from PIL import Image

from edge.web import picture
from edge.web.password import PasswordError, hashed, matches
from edge.web.png import drawn
from edge.web.settings import WebSettings
from edge.web.store import EpisodeStore
from edge.wire.events import decode_message
from tests.helpers.page import event, rows_answer


def test_scrypt_where_argon2_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "argon2", None)

    line = hashed("correct horse")

    assert line.startswith("scrypt$")
    assert matches("correct horse", line)
    assert not matches("correct house", line)


@pytest.mark.parametrize("line", ["", "secret", "scrypt$2$1$1$AA==$AA==", "scrypt$x", "$argon2id$broken"])
def test_what_is_no_hash_names_the_remedy(line):
    with pytest.raises(PasswordError, match="offbeat-edge password"):
        matches("secret", line)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.4", "::", "gateway.local"])
def test_beyond_loopback_only_with_a_password(host, tmp_path):
    assert "password" in (WebSettings(port=1, host=host).problem() or "")
    assert WebSettings(port=1, host=host, password_hash_file=tmp_path / "hash").problem() is None


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_on_loopback_without_one(host):
    assert WebSettings(port=1, host=host).problem() is None


def test_a_certificate_wants_its_key(tmp_path):
    assert "key" in (WebSettings(port=1, cert=tmp_path / "page.crt").problem() or "")


def test_a_damaged_store_is_set_aside(tmp_path):
    (tmp_path / "page.db").write_bytes(b"no database" * 1000)

    store = EpisodeStore(tmp_path / "page.db")

    assert store.episodes() == []
    assert (tmp_path / "page.db.damaged").exists()
    store.close()


def test_a_later_version_s_store_is_set_aside_and_not_lost(tmp_path):
    with sqlite3.connect(tmp_path / "page.db") as database:
        database.execute("PRAGMA user_version=9")

    EpisodeStore(tmp_path / "page.db").close()

    assert (tmp_path / "page.db.damaged").exists()


def test_episodes_are_filtered_and_paged():
    store = EpisodeStore(None)
    for number in range(10):
        body = event(number + 1, id=f"e{number}", start_time=float(number), stream=f"pump{number % 2}")
        store.add(decode_message(json.dumps(body).encode()), json.dumps(body).encode())

    assert [one["id"] for one in store.episodes(limit=3)] == ["e9", "e8", "e7"]
    assert [one["id"] for one in store.episodes(before=7.0, limit=2)] == ["e6", "e5"]
    assert [one["id"] for one in store.episodes("gw-1", "pump1", limit=2)] == ["e9", "e7"]
    assert store.episodes("gw-2") == []


@pytest.mark.parametrize("dark", [False, True])
def test_a_picture_shows_the_loudest_channel(dark):
    image = Image.open(io.BytesIO(drawn(event(), rows_answer()["data"], dark)))

    assert image.width == 1800
    colours = {colour for _, colour in image.convert("RGB").getcolors(1_000_000)}
    assert ((0x7A, 0xB0, 0xF4) if dark else (0x24, 0x68, 0xBD)) in colours


@pytest.mark.parametrize(
    "rows",
    [
        {},
        {"times": [1.0], "scores": [None]},
        {"times": [1.0, 2.0], "scores": [1e300, 0], "channels": [{"name": "a"}], "values": {"a": [None, 1e308]}},
        {"times": "x", "scores": {}, "channels": [3], "values": []},
        {
            "times": [10**400, 3.0, 1.0, 2.0],
            "scores": [1.0],
            "channels": [{"name": "a"}],
            "values": {"a": [10**400] * 4},
        },
        {**rows_answer(3)["data"], "times": [1e14] * 3, "tolerance": {"flow": [-1.0, 1e308, 1.0]}},
        {**rows_answer(3)["data"], "times": [3.0, 2.0, 1.0], "expected": {"flow": [1e308, -1e308]}},
        {"times": [2.0, 1.0], "scores": [1.0], "channels": [{"name": "\x1b[2J" * 50, "unit": 3}], "values": {}},
    ],
)
def test_a_picture_of_rows_that_miss_everything(rows):
    assert drawn(event(end_time=1e300, peak={"contributors": 3}), rows).startswith(b"\x89PNG")


def test_a_row_without_a_time_moves_no_other_row():
    rows = rows_answer(60)["data"]
    lacking = {**rows, "times": [None, *rows["times"]]}
    for part in ("values", "expected", "tolerance"):
        lacking[part] = {"flow": [999.0, *rows[part]["flow"]]}
    lacking["scores"] = [999.0, *rows["scores"]]
    body = event(start_time=rows["times"][0])

    assert drawn(body, lacking) == drawn(body, rows)


def test_leftovers_take_no_place_from_streams_of_a_device_that_is_there(monkeypatch):
    monkeypatch.setattr(picture, "MOST_STREAMS", 4)
    one = picture.Picture()
    for stream in "abcd":
        one.heard("offbeat/old/status", b"offline")
        one.heard(f"offbeat/old/{stream}/availability", b"online")
    one.heard("offbeat/gw-1/status", b"online")
    one.heard("offbeat/old-2/status", b"offline")

    assert one.heard("offbeat/old-2/e/availability", b"online") is None
    assert one.heard("offbeat/gw-1/pump1/availability", b"online") == ("gw-1", "pump1")
    assert one.stream("gw-1", "pump1") is not None
    assert one.passed_over == 2


def test_as_many_as_there_may_be_who_are_there_keep_their_places(monkeypatch):
    monkeypatch.setattr(picture, "MOST_DEVICES", 2)
    one = picture.Picture()
    for device in ("a", "b", "c"):
        one.heard(f"offbeat/{device}/status", b"online")

    assert [found["id"] for found in one.devices()] == ["a", "b"]


@pytest.mark.parametrize("order", [1, -1])
def test_a_device_whose_leftovers_are_cleared_in_any_order_is_gone(order):
    one = picture.Picture()
    topics = ["status", "info", "group", "pump1/availability", "pump1/state"]
    one.heard("offbeat/old/status", b"offline")
    one.heard("offbeat/old/pump1/availability", b"online")

    for topic in topics[::order]:
        one.heard(f"offbeat/old/{topic}", b"")

    assert one.devices() == []
