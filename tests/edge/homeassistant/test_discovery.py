"""What is announced to Home Assistant: entities of every stream and of the gateway, over the topics that there are."""

import json

import pytest

from edge.homeassistant.announcer import Announcer
from edge.homeassistant.discovery import Discovery
from edge.homeassistant.settings import HomeAssistantSettings
from edge.wire.topics import DeviceTopics

TOPICS = DeviceTopics("gw-1")


def discovery(**settings) -> Discovery:
    return Discovery(TOPICS, HomeAssistantSettings(discovery=True, **settings), "1.2.3", ["ack", "replay"])


def messages(*streams: str) -> dict:
    return dict(discovery().messages(dict.fromkeys(streams, "pump")))


def test_the_gateway_and_each_stream_is_a_device_of_its_own():
    found = messages("pump1", "pump2")

    assert list(found) == [
        "homeassistant/device/offbeat_gw-1/config",
        "homeassistant/device/offbeat_gw-1_pump1/config",
        "homeassistant/device/offbeat_gw-1_pump2/config",
    ]
    pump = found["homeassistant/device/offbeat_gw-1_pump1/config"]["device"]
    assert pump["identifiers"] == ["offbeat_gw-1_pump1"]
    assert pump["via_device"] == "offbeat_gw-1"
    assert pump["model"] == "pump"


def test_unique_ids_are_unique_and_do_not_depend_on_names():
    found = [part["unique_id"] for message in messages("a", "b").values() for part in message["components"].values()]

    assert len(found) == len(set(found))
    assert "offbeat_gw-1_a_problem" in found


def test_only_what_the_device_allows_has_a_button():
    components = messages("pump1")["homeassistant/device/offbeat_gw-1_pump1/config"]["components"]

    buttons = {key for key, part in components.items() if part["platform"] == "button"}
    assert buttons == {"ack"}
    assert components["ack"]["command_topic"] == "offbeat/gw-1/request/ack"
    assert json.loads(components["ack"]["payload_press"])["stream"] == "pump1"


def test_an_event_entity_has_no_availability():
    # With one it would fire its last event again whenever the gateway comes back.
    components = messages("pump1")["homeassistant/device/offbeat_gw-1_pump1/config"]["components"]

    assert "availability" not in components["episode"]
    assert all("availability" in part for key, part in components.items() if key != "episode")


@pytest.mark.parametrize("prefix", ["", "/ha", "ha/", "ha/#", "+"])
def test_a_prefix_that_is_no_topic_is_refused(prefix):
    with pytest.raises(ValueError, match="prefix"):
        HomeAssistantSettings(prefix=prefix)


def test_what_is_gone_is_taken_back_and_a_birth_announces_again():
    retained, again = {}, []
    announcer = Announcer(discovery(prefix="ha"), retained.__setitem__, again.append)

    announcer.announce({"pump1": "pump", "pump2": None})
    announcer.announce({"pump2": None})

    assert retained["ha/device/offbeat_gw-1_pump1/config"] == b""
    assert announcer.birth_topic == "ha/status"
    announcer.heard(b"offline")
    assert not again
    announcer.heard(b"online")
    assert again == announcer.topics == ["ha/device/offbeat_gw-1/config", "ha/device/offbeat_gw-1_pump2/config"]
