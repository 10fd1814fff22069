"""The page in a real browser: what people see, by keyboard, on a phone, in the dark, whatever names hold."""

import threading
import time

import pytest

from tests.helpers.mosquitto import wait_for
from tests.helpers.page import EPISODE, Page, device, event, guarded, open_episode, page, rows_answer, state
from tests.integrations.page.visiting import SIZES, assert_sound, visit

__all__ = ["device", "guarded", "page"]  # fixtures
pytestmark = pytest.mark.integration
HOSTILE = "<img src=x onerror=window.hacked=1>\"'><script>window.hacked=1</script>"


@pytest.fixture
def machine(page, device):
    """A device with a calm stream and one with an open episode, and rows."""
    device.is_there("ack", "snooze", "normal")
    device.answers |= {"rows": rows_answer(), "ack": {"status": "ok", "data": {}}}
    device.says("pump2/availability", "online")
    device.says("pump2/state", state(open_episode()))
    device.says("pump2/event", event(stream="pump2"), retain=False)
    wait_for(lambda: page.get("/api/episodes")["episodes"], "the episode")
    return device


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/", "/stream/gw-1/pump2", f"/episode/{EPISODE}"])
@pytest.mark.usefixtures("machine")
def test_every_view_is_sound(page, tmp_path, path, scheme, size):
    found = visit(tmp_path, page.url + path, "wait:1500", scheme=scheme, size=size)

    assert_sound(found)
    assert found["kilobytes"] <= 250
    assert "flow" in found["text"]


def test_an_alert_appears_on_an_open_page_by_itself(page, device, tmp_path):
    device.is_there()

    def alert() -> None:
        wait_for(lambda: page.service.hub.clients, "the open page", 60)
        time.sleep(1)
        device.says("pump1/state", state(open_episode()))
        device.says("pump1/event", event(), retain=False)

    threading.Thread(target=alert).start()
    found = visit(tmp_path, page.url + "/", "text:main=Off its rhythm", "text:#said=pump1")

    assert_sound(found)


def test_streams_that_fail_together_are_told_of_once(page, device, tmp_path):
    device.is_there()

    def alerts() -> None:
        wait_for(lambda: page.service.hub.clients, "the open page", 60)
        for number in range(20):
            body = event(number + 1, id=f"e{number}", stream=f"pump{number}", group="g")
            device.says(f"pump{number}/event", body, retain=False)

    threading.Thread(target=alerts).start()
    found = visit(tmp_path, page.url + "/", "text:#toasts=pump", "wait:2500", "text:#toasts=pump")

    assert found["toasts"] == 1


@pytest.mark.usefixtures("machine")
def test_everything_is_reached_by_keyboard(page, tmp_path):
    # Skip link, brand, stream (the worst first).
    found = visit(tmp_path, page.url + "/", "text:main=pump2", *["press:Tab"] * 3, "press:Enter", "text:h1=pump2")

    assert found["path"] == "/stream/gw-1/pump2"
    assert found["focus"].startswith("MAIN"), "what was opened is read from its beginning"


def test_a_button_asks_the_device(page, machine, tmp_path):
    found = visit(tmp_path, page.url + "/stream/gw-1/pump2", "click:text=Acknowledge", "text:#toasts=Acknowledged")

    assert_sound(found)
    asked = [fields for command, fields in machine.asked if command == "ack"]
    assert [one["event_id"] for one in asked] == [EPISODE]


def test_a_hostile_name_in_every_field_runs_nothing(page, device, tmp_path):
    device.is_there("ack")
    rows = rows_answer(channel=HOSTILE, unit=HOSTILE)
    device.answers["rows"] = rows
    contributor = {"channel": HOSTILE, "share": 0.7, "value": 9.5, "expected": 4.0, "unit": HOSTILE}
    device.says("info", {"version": HOSTILE, "requests": ["ack", HOSTILE]})
    device.says("health", {"streams": {"pump1": {"trouble": HOSTILE}}}, retain=False)
    marks = {"acknowledged": True, "acknowledged_by": HOSTILE, "group": HOSTILE}
    device.says("pump1/state", state(open_episode(channel=HOSTILE, **marks), planned=HOSTILE))
    rule = {"name": HOSTILE, "channel": HOSTILE, "limit": 1.0, "value": 2.0}
    device.says(
        "pump1/event",
        event(contributors=[contributor], kind="rule", rule=rule, score=None, top_score=None),
        retain=False,
    )
    wait_for(lambda: page.get("/api/episodes")["episodes"], "the episode")

    for path in ("/", "/stream/gw-1/pump1", f"/episode/{EPISODE}"):
        found = visit(tmp_path, page.url + path, "wait:1200")
        assert found["hacked"] is None
        assert found["dialogs"] == 0
        assert found["errors"] == []
        assert "<img" in found["text"], "it is shown as what it is"


@pytest.mark.parametrize("path", ["/", f"/episode/{EPISODE}"])
def test_how_rare_an_episode_was_is_told_of_its_peak_not_of_the_calm_row_that_ended_it(page, device, tmp_path, path):
    device.is_there()
    peak = {"time": time.time() - 30, "score": 5.0, "return_period_s": None, "contributors": []}
    device.says("pump1/event", event(3, "end", severity="critical", return_period_s=360.0, peak=peak), retain=False)
    wait_for(lambda: page.get("/api/episodes")["episodes"], "the episode")

    found = visit(tmp_path, page.url + path, "wait:1200")

    assert "critical" in found["text"]
    assert "once in" not in found["text"], "null is rarer than the data can tell"


def test_a_link_leads_through_the_password_to_where_it_says(guarded, device, tmp_path):
    device.is_there()
    wait_for(lambda: guarded.service.overview()["devices"], "the device")
    words = ["fill:#password=correct horse", "click:button", "text:#broker=Live", "text:h1=pump1"]
    found = visit(tmp_path, guarded.url + "/stream/gw-1/pump1", *words)

    assert (found["path"], found["overflow"]) == ("/stream/gw-1/pump1", 0)


def test_a_button_works_after_the_page_s_server_has_started_again(page, broker, machine, tmp_path):
    again = []

    def restart() -> None:
        wait_for(lambda: page.service.hub.clients, "the open page", 60)
        page.stop()
        again.append(Page(broker, tmp_path / "page.db", port=int(page.url.rsplit(":", 1)[1])))

    threading.Thread(target=restart).start()
    words = ["text:#broker=Not live", "text:#broker=Live", "click:text=Acknowledge", "text:#toasts=Acknowledged"]
    visit(tmp_path, page.url + "/stream/gw-1/pump2", *words)
    again[0].stop()

    assert [command for command, _ in machine.asked if command == "ack"] == ["ack"]


def test_a_stream_that_nobody_knows_is_said_plainly(page, tmp_path):
    found = visit(tmp_path, page.url + "/stream/gw-9/none")

    assert "nothing is known of this stream" in found["text"]


@pytest.mark.usefixtures("machine")
def test_a_broker_that_starts_again_while_the_page_is_open(page, broker, tmp_path):
    def restart() -> None:
        wait_for(lambda: page.service.hub.clients, "the open page", 60)
        broker.stop()
        time.sleep(2)
        broker.start()

    threading.Thread(target=restart).start()
    found = visit(tmp_path, page.url + "/", "text:main=lost the broker", "text:#broker=Live", "wait:1500")

    assert found["errors"] == []


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize(("motion", "moves"), [("no-preference", True), ("reduce", False)])
def test_nothing_moves_for_who_wants_less_motion(page, tmp_path, motion, moves):
    found = visit(tmp_path, page.url + "/", "text:main=pump2", motion=motion)

    assert (found["moving"] > 0) is moves
