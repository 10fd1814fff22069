"""The retained state of a stream: its schema, its bound, and what an older reader or writer makes of it."""

import dataclasses
import json

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.wire.payload import encode_payload
from edge.wire.state import (
    MOST_LISTED,
    OpenEpisode,
    Snoozed,
    StateError,
    StreamState,
    listed,
    state_from_dict,
    state_schema,
    state_to_dict,
)

pytestmark = pytest.mark.arm

_TEXT = st.none() | st.text(max_size=5)
_TIMES = st.floats(0, 4e9)
_ANOMALIES = st.builds(
    OpenEpisode,
    id=st.uuids().map(str),
    kind=st.sampled_from(["anomaly", "drift", "rule", "sensor"]),
    severity=st.sampled_from(["info", "warning", "critical"]),
    start_time=_TIMES,
    top_score=st.none() | st.floats(0, 1e6),
    channel=_TEXT,
    rule=_TEXT,
    calming=st.booleans(),
    acknowledged=st.booleans(),
    acknowledged_at=st.none() | _TIMES,
    acknowledged_by=_TEXT,
    snoozed_until=st.none() | _TIMES,
    group=_TEXT,
)
_SNOOZES = st.builds(
    Snoozed,
    event_id=st.uuids().map(str),
    kind=st.sampled_from(["anomaly", "drift", "rule", "sensor"]),
    until=_TIMES,
    rule=_TEXT,
    channel=_TEXT,
    at=st.none() | _TIMES,
    by=_TEXT,
    flaps=st.integers(0, 1000),
)
_STATES = st.builds(
    StreamState,
    st.sampled_from(["ON", "OFF", "commissioning", "unknown"]),
    st.none() | st.floats(0, 1e6),
    _TIMES,
    st.lists(_ANOMALIES, max_size=4).map(tuple),
    st.integers(0, 5000),
    st.lists(_SNOOZES, max_size=4).map(tuple),
    _TEXT,
)


@given(_STATES)
def test_a_state_comes_back_as_it_was_and_follows_its_schema(state):
    body = json.loads(encode_payload(state_to_dict(state)))

    jsonschema.validate(body, state_schema())
    assert state_from_dict(body) == state


def test_every_field_is_in_the_schema():
    properties = state_schema()["properties"]

    assert list(properties) == list(state_to_dict(StreamState("OFF", None, 1.0)))
    for name, kind in (("open", OpenEpisode), ("snoozed", Snoozed)):
        described = properties[name]["items"]["properties"]
        assert set(described) == {field.name for field in dataclasses.fields(kind)}
        assert all(field.get("description") for field in described.values())


def test_a_state_of_version_0_1_is_read():
    body = {"anomaly": "ON", "score": 1.7, "event_id": "e1", "time": 5.0}

    assert state_from_dict(body) == StreamState("ON", 1.7, 5.0)


@pytest.mark.parametrize(
    "body", [{}, {"anomaly": "MAYBE", "score": 1, "time": 1}, {"anomaly": "ON", "score": "x", "time": 1}]
)
def test_what_is_no_state_is_refused(body):
    with pytest.raises(StateError, match="no state"):
        state_from_dict(body)


def test_very_many_open_episodes_are_counted_and_the_worst_are_listed():
    rules = [OpenEpisode(f"r{n}", "rule", "warning", float(n), None, f"channel_{n}", "max") for n in range(3000)]
    anomaly = OpenEpisode("a", "anomaly", "warning", 9e9, 1.5, "flow")
    open_, more = listed([*rules, anomaly])
    state = StreamState("ON", 1.2, 1.0, open_, more)

    assert (len(open_), more) == (MOST_LISTED, 3001 - MOST_LISTED)
    assert state.event_id == "a"
    assert len(encode_payload(state_to_dict(state))) < 12_000
