"""An envelope is opened where one is; what is in it is the event as it is without one."""

import json

import pytest

from edge.wire.envelope import enveloped
from edge.wire.events import EventError, EventMessage, decode_message, encode_message, message_to_dict
from tests.helpers.alerts import alert

pytestmark = pytest.mark.arm

MESSAGE = EventMessage(alert(), "gw-1", "a", 7)


def test_an_envelope_holds_what_cloud_events_ask_for():
    body = enveloped(message_to_dict(MESSAGE), "offbeat")

    assert body["specversion"] == "1.0"
    assert all(isinstance(body[name], str) and body[name] for name in ("id", "source", "type", "subject", "time"))
    assert body["datacontenttype"] == "application/json"
    assert body["data"] == message_to_dict(MESSAGE)


def test_two_messages_of_one_episode_have_ids_of_their_own():
    other = EventMessage(MESSAGE.event, "gw-1", "a", 8)
    ids = {enveloped(message_to_dict(one), "offbeat")["id"] for one in (MESSAGE, other)}

    assert len(ids) == 2


def test_a_reader_takes_both():
    plain = encode_message(MESSAGE)
    wrapped = json.dumps(enveloped(message_to_dict(MESSAGE), "offbeat"))

    assert decode_message(plain) == decode_message(wrapped) == MESSAGE


@pytest.mark.parametrize("data", [None, [], "text", {"schema": 99}])
def test_an_envelope_with_something_else_is_no_event(data):
    with pytest.raises(EventError):
        decode_message(json.dumps({"specversion": "1.0", "data": data}))


def test_a_time_beyond_the_calendar_is_left_out():
    assert "time" not in enveloped({**message_to_dict(MESSAGE), "time": 1e300}, "offbeat")
