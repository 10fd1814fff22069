"""The page's server with a real broker: what devices publish is on it, what is asked reaches them, and nobody else."""

import json
import time

import pytest

from tests.helpers.mosquitto import wait_for
from tests.helpers.page import EPISODE, Page, device, event, open_episode, page, rows_answer, state

__all__ = ["device", "page"]  # fixtures


def streams(page: Page) -> dict[str, dict]:
    return {one["id"]: one for gateway in page.get("/api/overview")["devices"] for one in gateway["streams"]}


def test_a_stream_is_shown_as_it_stands(page, device):
    device.is_there()
    wait_for(lambda: streams(page).get("pump1", {}).get("standing") == "OFF", "the calm stream")

    device.says("pump1/state", state(open_episode()))
    wait_for(lambda: streams(page)["pump1"]["standing"] == "ON", "the alarm")

    device.says("status", "offline")
    wait_for(lambda: streams(page)["pump1"]["standing"] == "unknown", "what an agent that is away said last is no calm")


def test_the_worst_comes_first(page, device):
    device.is_there()
    for name, severity in (("a", None), ("b", "warning"), ("c", "critical"), ("d", "info")):
        device.says(f"{name}/availability", "online")
        device.says(f"{name}/state", state(*([open_episode(severity=severity)] if severity else [])))
    device.says("e/availability", "online")
    device.says("e/state", state(anomaly="unknown", score=None))

    wait_for(lambda: len(streams(page)) == 6 and "e" in streams(page), "all streams")
    assert list(streams(page))[:4] == ["c", "b", "d", "e"]


def test_a_seen_episode_comes_after_one_that_nobody_has_seen(page, device):
    device.is_there()
    for name, seen in (("a", True), ("b", False)):
        device.says(f"{name}/availability", "online")
        device.says(f"{name}/state", state(open_episode(acknowledged=seen)))

    wait_for(lambda: {"a", "b"} <= set(streams(page)), "both")
    assert list(streams(page))[:2] == ["b", "a"]


def test_episodes_outlast_a_restart_of_the_page(broker, device, tmp_path):
    first = Page(broker, tmp_path / "page.db")
    device.says("pump1/event", event(), retain=False)
    wait_for(lambda: first.get("/api/episodes")["episodes"], "the episode")
    first.stop()

    second = Page(broker, tmp_path / "page.db")
    assert second.get(f"/api/episode/{EPISODE}")["event_type"] == "new"
    second.stop()
    assert (tmp_path / "page.db").stat().st_mode & 0o077 == 0


def test_what_comes_twice_or_late_changes_nothing(page, device):
    for one in (event(2, "update"), event(3, "end"), event(1), event(2, "update"), event(3, "end")):
        device.says("pump1/event", one, retain=False)

    wait_for(lambda: [one["event_type"] for one in page.get("/api/episodes")["episodes"]] == ["end"], "the end alone")


def test_an_alert_is_on_open_pages_within_two_seconds(page, device):
    import urllib.request

    live = urllib.request.urlopen(page.url + "/live", timeout=10)
    assert b"hello" in live.read1() + live.read1()
    began = time.monotonic()
    device.says("pump1/event", event(), retain=False)

    heard = b""
    while b'"kind":"event"' not in heard:
        heard += live.read1()
    assert time.monotonic() - began < 2
    live.close()


def test_rows_come_from_the_device_once_for_all_pages(page, device):
    device.answers["rows"] = rows_answer()
    assert len(page.get("/api/rows/gw-1?stream=pump1")["times"]) == 60
    page.get("/api/rows/gw-1?stream=pump1")

    assert [command for command, _ in device.asked] == ["rows"]


def test_a_refused_request_says_why(page):
    status, answer = page.post("/api/request/gw-1/ack", {"event_id": EPISODE})

    assert status == 502
    assert "answer" in answer["error"]


def test_a_request_reaches_the_device_with_what_it_says(page, device):
    device.answers["snooze"] = {"status": "ok", "data": {"until": 5}}

    assert page.post("/api/request/gw-1/snooze", {"event_id": EPISODE, "seconds": 60}) == (200, {"until": 5})
    command, fields = device.asked[-1]
    assert (command, fields["event_id"], fields["seconds"]) == ("snooze", EPISODE, 60)


@pytest.mark.parametrize("command", ["install-bundle", "rows", "replay", "..", "ack%2f..%2fx"])
def test_only_the_page_s_own_requests_go_on(page, device, command):
    token = page.get("/api/session")["token"]
    status, _, _ = page.open(f"/api/request/gw-1/{command}", b"{}", x_offbeat_token=token)

    assert status in (404, 405, 502)
    assert not device.asked


def test_another_site_cannot_ask(page, device):
    status, answer = page.post("/api/request/gw-1/ack", {}, token="guessed")

    assert status == 403
    assert "page" in answer["error"]
    assert not device.asked


def test_a_name_that_was_made_to_point_here_is_refused(page):
    status, _, body = page.open("/api/overview", Host="evil.example")

    assert status == 421
    assert b"localhost" in body


@pytest.mark.parametrize("path", ["/", "/stream/gw-1/pump1", f"/episode/{EPISODE}", "/api/overview", "/static/main.js"])
def test_every_answer_keeps_the_page_to_itself(page, path):
    _, headers, _ = page.open(path)

    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/static/../app.py", "/static/..%2fapp.py", "/static/%2e%2e/%2e%2e/config/file.py"])
def test_no_file_but_the_page_s_own_is_served(page, path):
    assert page.open(path)[0] == 404


def test_a_body_that_is_too_long_is_refused(page):
    status, answer = page.post("/api/request/gw-1/ack", {"event_id": "x" * 20_000})

    assert status == 413
    assert "bytes" in answer["error"]


def test_a_picture_of_an_episode(page, device):
    device.says("pump1/event", event(), retain=False)
    device.answers["rows"] = rows_answer()
    wait_for(lambda: page.get("/api/episodes")["episodes"], "the episode")

    status, headers, body = page.open(f"/episode/{EPISODE}.png")
    assert (status, headers["content-type"]) == (200, "image/png")
    assert body.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "bad",
    [
        b"\xff\xfe",
        b"[" * 5000,
        b"null",
        b"[]",
        b'{"anomaly": "MAYBE"}',
        json.dumps({"anomaly": "ON", "score": "high", "time": None}).encode(),
        b"{}" * 1000,
    ],
)
def test_a_state_that_cannot_be_read_is_no_calm(page, device, bad):
    device.is_there()
    wait_for(lambda: streams(page).get("pump1", {}).get("standing") == "OFF", "the calm stream")

    device.says("pump1/state", bad)
    device.says("pump2/state", state())

    wait_for(lambda: "pump2" in streams(page), "what came after it")
    assert page.get("/api/overview")["passed_over"] == 1


def test_half_a_character_in_any_text_holds_nothing_up(page, device):
    half = "x\ud800"
    device.is_there("rows")
    part = {"channel": half, "share": 0.5, "value": 1.0, "expected": 2.0, "unit": half}
    device.says("info", {"version": half, "requests": ["rows", half]})
    device.says("health", {"streams": {"pump1": {"trouble": half}}, half: half}, retain=False)
    device.says("group", {"id": half, "members": ["pump1", half]})
    marks = {"acknowledged": True, "acknowledged_by": half, "group": half, "channel": half}
    device.says("pump1/state", state(open_episode(**marks), planned=half))
    device.says("pump1/event", event(1, id=half, log=half, contributors=[part]), retain=False)
    device.answers["rows"] = rows_answer(channel=half, unit=half)
    wait_for(lambda: page.get("/api/episodes")["episodes"], "the episode")

    (found,) = page.get("/api/overview")["devices"]
    assert found["streams"][0]["state"]["open"][0]["acknowledged_by"] == "x?"
    assert page.get("/api/stream/gw-1/pump1")["trouble"] == "x?"
    assert page.get("/api/episode/x%3F")["id"] == "x?"
    assert page.get("/api/rows/gw-1?stream=pump1")["channels"] == [{"name": "x?", "unit": "x?"}]


@pytest.mark.parametrize(
    ("topic", "bad"),
    [
        ("group", '{"group": "g", "members": [NaN]}'),
        ("group", '{"group": "g", "members": "pump1"}'),
        ("group", '{"group": "g", "members": ["pump1", "pump2"], "time": 1e999}'),
        ("health", '{"streams": {"pump1": {"trouble": -Infinity}}}'),
        ("health", '{"a": ' + "[" * 950 + "]" * 950 + "}"),
        ("info", '{"version": NaN, "requests": [1e999, "ack"]}'),
    ],
)
def test_what_is_no_number_in_a_browser_and_what_lies_deep_holds_nothing_up(page, device, topic, bad):
    device.is_there("ack")
    device.says(topic, bad)
    device.says("pump1/state", state(open_episode()))
    wait_for(lambda: "pump1" in streams(page), "the stream behind it")
    wait_for(lambda: page.get("/api/stream/gw-1/pump1")["state"]["open"], "its episode")

    (found,) = page.get("/api/overview?scores=1")["devices"]
    assert not (found["group"] and found["group"]["members"] in ("pump1", [None]))
    assert page.get("/api/stream/gw-1/pump1")["allowed"] == ["ack"]


def test_a_number_that_no_database_keeps_is_passed_over_and_the_link_stays(page, device):
    device.is_there()
    since = page.service.broker["since"]
    device.says("pump1/event", event(2**63), retain=False)
    device.says("pump1/event", event(2**63 - 1, id="kept"), retain=False)

    wait_for(lambda: page.get("/api/episodes")["episodes"], "the one behind it")
    assert [one["id"] for one in page.get("/api/episodes")["episodes"]] == ["kept"]
    assert (page.get("/api/overview")["passed_over"], page.service.broker["since"]) == (1, since)


def test_rows_with_what_is_no_number_come_without_it(page, device):
    device.is_there("rows")
    answer = rows_answer()
    answer["data"]["scores"][3] = float("inf")
    answer["data"]["values"]["flow"][4] = float("nan")
    device.answers["rows"] = answer

    found = page.get("/api/rows/gw-1?stream=pump1")

    assert (found["scores"][3], found["values"]["flow"][4]) == (None, None)


@pytest.mark.parametrize(
    "odd",
    [
        {"values": None, "scores": "high", "tolerance": {"flow": 3}, "expected": {"flow": ["x", True, 10**400, 1.0]}},
        {"channels": [{"name": "flow", "unit": 3}, {"name": "__proto__"}, None, {"unit": "V"}]},
        {"times": [], "scores": [1.0]},
        {"times": [5.0, None, 4.0, "x", 10**400]},
    ],
)
def test_rows_of_whatever_shape_come_as_columns_of_one_length(page, device, odd):
    device.is_there("rows")
    device.answers["rows"] = {"status": "ok", "data": {**rows_answer()["data"], **odd}}

    found = page.get("/api/rows/gw-1?stream=pump1")

    names = [one["name"] for one in found["channels"]]
    columns = [found["scores"], *(found[part][name] for part in ("values", "expected", "tolerance") for name in names)]
    assert {len(column) for column in columns} == {len(found["times"])}
    assert found["times"] == sorted(found["times"])
    assert all(one is None or isinstance(one, float) for column in columns for one in column)


@pytest.mark.parametrize("nothing", [None, [], {}, "rows", {"times": [1.0]}, {"times": 3, "channels": []}])
def test_an_answer_without_rows_is_said_to_be_none(page, device, nothing):
    device.is_there("rows")
    device.answers["rows"] = {"status": "ok", "data": nothing}

    status, _, body = page.open("/api/rows/gw-1?stream=pump1")

    assert (status, b"no rows" in body) == (502, True)


def test_events_of_a_newer_schema_are_counted_and_hold_nothing_up(page, device):
    device.is_there()
    for seq in range(1, 4):
        device.says("pump1/event", {**event(seq), "schema": 2}, retain=False)
    device.says("pump1/event", event(4), retain=False)

    wait_for(lambda: page.get("/api/episodes")["episodes"], "the one behind them")
    assert page.get("/api/overview")["passed_over"] == 3
    assert len(page.get("/api/episodes")["episodes"]) == 1


def test_thousands_of_leftovers_are_bounded(page, device):
    for number in range(700):
        device.says("status", "offline", root=f"offbeat/old-{number}/")
    device.is_there()

    def devices() -> list[str]:
        return [one["id"] for one in page.get("/api/overview")["devices"]]

    wait_for(lambda: "gw-1" in devices(), "who is there among what is left behind")
    assert len(devices()) <= 500
    assert page.get("/api/overview")["passed_over"] == 201


def test_a_broker_that_goes_and_comes_again(page, broker, device):
    device.is_there()
    wait_for(lambda: streams(page).get("pump1", {}).get("standing") == "OFF", "the calm stream")
    broker.stop()
    wait_for(lambda: not page.get("/api/overview")["broker"]["there"], "the loss")
    assert streams(page)["pump1"]["standing"] == "unknown", "what was calm before is not known to be so now"
    broker.start()
    wait_for(lambda: page.get("/api/overview")["broker"]["there"], "the return", 30)
    wait_for(lambda: streams(page)["pump1"]["standing"] == "OFF", "what is retained", 30)
