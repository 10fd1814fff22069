"""Event messages: the published schema, the way there and back, and whatever else may arrive."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edge.wire.events import (
    Contributor,
    Event,
    EventError,
    EventMessage,
    ModelRef,
    Peak,
    RuleHit,
    WindowSpan,
    decode_message,
    encode_message,
    event_schema,
    message_to_dict,
)
from tests.fuzz.inputs import json_values

pytestmark = pytest.mark.arm

VALIDATOR = jsonschema.Draft202012Validator(event_schema())

ANOMALY = Event(
    event_type="new",
    id="0198",
    stream="pump1",
    kind="anomaly",
    start_time=1763772000.12,
    end_time=None,
    time=1763772004.12,
    score=1.74,
    top_score=1.74,
    severity="warning",
    return_period_s=43200.0,
    contributors=(Contributor("vibration", 0.71, 4.9, 2.2, "mm/s", 0.6, "above", "level"),),
    window=WindowSpan(1763771974.12, 1763772004.12, 30),
    model=ModelRef("pump", "9f2c"),
    peak=Peak(1763772003.12, 1.8, None, (Contributor("vibration", 0.8, 5.1, 2.2, "mm/s", 0.6, "above", "level"),)),
)
RULE = Event(
    event_type="end",
    id="0199",
    stream="pump1",
    kind="rule",
    start_time=1763772000.0,
    end_time=1763772060.0,
    time=1763772060.0,
    score=None,
    top_score=None,
    severity="critical",
    return_period_s=None,
    rule=RuleHit("max", "temperature", 90.0, 93.2),
)
FROM_VERSION_0_1 = """
{"schema":1,"event_type":"new","id":"0198…","log":"7c41…","seq":1841,"device":"gw-1","stream":"pump1","kind":"anomaly",
 "start_time":1763772000.12,"end_time":null,"time":1763772004.12,"score":1.74,"top_score":1.74,"severity":"warning",
 "return_period_s":43200,"contributors":[{"channel":"vibration","share":0.71,"value":4.9,"expected":2.2,"unit":"mm/s"}],
 "rule":null,"window":{"start":1763771974.12,"end":1763772004.12,"rows":30},
 "model":{"name":"pump","sha256":"9f2c…"},"replayed":false,"durable":true}
"""

times = st.floats(-1e12, 1e12)
scores = st.none() | st.floats(0, 1e9)
channels = st.text(max_size=20)
contributors = st.builds(
    Contributor,
    channels,
    st.floats(0, 1),
    scores,
    scores,
    st.text(max_size=5),
    tolerance=scores,
    direction=st.sampled_from(["above", "below", None]),
    reason=st.sampled_from(["level", "relation", "noise", "pattern", None]) | st.text(max_size=9),
)
peaks = st.builds(Peak, times, st.floats(0, 1e9), scores, st.lists(contributors, max_size=4).map(tuple))
anomalies = st.builds(
    Event,
    event_type=st.sampled_from(["new", "update"]),
    id=st.text(min_size=1, max_size=40),
    stream=st.from_regex(r"\A[a-zA-Z0-9_-]+\Z"),
    kind=st.sampled_from(["anomaly", "drift"]),
    start_time=times,
    end_time=st.none(),
    time=times,
    score=scores,
    top_score=scores,
    severity=st.sampled_from(["info", "warning", "critical"]),
    return_period_s=scores,
    contributors=st.lists(contributors, max_size=4).map(tuple),
    rule=st.none(),
    window=st.none() | st.builds(WindowSpan, times, times, st.integers(1, 10**6)),
    model=st.none() | st.builds(ModelRef, st.text(max_size=20), st.text(max_size=64)),
    peak=st.none() | peaks,
    calming=st.booleans(),
)
messages = st.builds(
    EventMessage,
    event=anomalies,
    device=st.from_regex(r"\A[a-zA-Z0-9_-]+\Z"),
    log=st.text(min_size=1, max_size=40),
    seq=st.integers(1, 2**63 - 1),
    replayed=st.booleans(),
    durable=st.booleans(),
    schema=st.just(1),
)


def message(event: Event = ANOMALY) -> EventMessage:
    return EventMessage(event, "gw-1", "7c41", 1841)


@pytest.mark.parametrize("event", [ANOMALY, RULE], ids=["anomaly", "rule"])
def test_messages_of_every_kind_satisfy_the_published_schema(event: Event) -> None:
    VALIDATOR.validate(json.loads(encode_message(message(event))))


def test_the_schema_itself_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(event_schema())


def described(schema: dict[str, Any], name: str) -> Iterator[tuple[str, bool]]:
    """Each field of a schema, and whether something tells what it is."""
    for key, part in schema.get("properties", {}).items():
        yield f"{name}{key}", bool(part.get("description"))
    for key, part in {**schema.get("properties", {}), **schema.get("$defs", {})}.items():
        for inner in [part.get("items", {}), *part.get("anyOf", [])]:
            yield from described(inner, f"{name}{key}.")


def test_every_field_is_described_in_the_schema() -> None:
    fields = dict(described(event_schema(), ""))

    assert {"contributors.reason", "peak.score", "rule.limit", "window.rows", "model.sha256"} <= set(fields)
    assert not [name for name, told in fields.items() if not told]


def test_a_message_has_the_fields_of_the_schema_and_no_others() -> None:
    schema, body = event_schema(), message_to_dict(message())

    assert set(body) == set(schema["properties"])
    assert set(body["contributors"][0]) == set(schema["$defs"]["contributors"]["items"]["properties"])
    assert set(body["peak"]) == set(schema["properties"]["peak"]["anyOf"][1]["properties"])


def test_fields_that_an_older_writer_did_not_know_take_their_defaults() -> None:
    VALIDATOR.validate(json.loads(FROM_VERSION_0_1))
    event = decode_message(FROM_VERSION_0_1).event

    assert (event.peak, event.calming) == (None, False)
    (part,) = event.contributors
    assert (part.tolerance, part.direction, part.reason) == (None, None, None)


def test_a_reason_of_a_newer_writer_is_kept() -> None:
    new = {**message_to_dict(message())["contributors"][0], "reason": "phase"}
    body = changed(contributors=[new])

    VALIDATOR.validate(body)
    assert decode_message(json.dumps(body)).event.contributors[0].reason == "phase"


def changed(**fields: Any) -> dict[str, Any]:
    return {**message_to_dict(message()), **fields}


def part(**fields: Any) -> dict[str, Any]:
    return {"channel": "v", "share": 1, "value": 1, "expected": 1, "unit": "", **fields}


def peak(**fields: Any) -> dict[str, Any]:
    return {"time": 1.0, "score": 1.0, "return_period_s": None, "contributors": [], **fields}


@pytest.mark.parametrize(
    "wrong",
    [
        changed(schema=2),
        changed(event_type="begin"),
        changed(id=""),
        changed(log=""),
        changed(seq=0),
        changed(seq=1.5),
        changed(device="a/b"),
        changed(stream=""),
        changed(kind="noise"),
        changed(severity="high"),
        changed(start_time=None),
        changed(end_time=1.0),
        changed(event_type="end"),
        changed(score="1"),
        changed(kind="rule"),
        changed(rule={"name": "max", "channel": "t", "limit": 1, "value": 2}),
        changed(contributors=[part(share=1.01)]),
        changed(contributors=[part(tolerance=-0.1)]),
        changed(contributors=[part(tolerance="1")]),
        changed(contributors=[part(direction="up")]),
        changed(contributors=[part(reason=1)]),
        changed(peak=1.5),
        changed(peak={}),
        changed(peak=peak(score=None)),
        changed(peak=peak(contributors=[part(share=2)])),
        changed(peak=peak(contributors=[part(tolerance=-1)])),
        changed(calming=None),
        {**message_to_dict(message(RULE)), "peak": peak()},
        changed(contributors=[{"channel": "v"}]),
        changed(contributors=None),
        changed(window={"start": 1, "end": 2, "rows": 0}),
        changed(model={"name": "pump"}),
        changed(replayed=None),
    ],
    ids=lambda body: str({key: value for key, value in body.items() if value != changed()[key]})[:60],
)
def test_the_schema_and_the_decoder_both_refuse(wrong: dict[str, Any]) -> None:
    assert not VALIDATOR.is_valid(wrong)
    with pytest.raises(EventError):
        decode_message(json.dumps(wrong))


def test_keys_of_a_newer_sender_are_passed_over() -> None:
    body = changed(colour="red", contributors=[part(x=1)])

    VALIDATOR.validate(body)
    assert decode_message(json.dumps(body)).seq == 1841


def test_numbers_that_are_not_finite_travel_as_null() -> None:
    body = json.loads(encode_message(message(replace(ANOMALY, score=float("nan"), return_period_s=float("inf")))))

    assert (body["score"], body["return_period_s"]) == (None, None)
    VALIDATOR.validate(body)


@given(messages)
def test_every_message_validates_and_decodes_to_itself(sent: EventMessage) -> None:
    payload = encode_message(sent)

    VALIDATOR.validate(json.loads(payload))
    assert decode_message(payload) == sent


@given(st.binary(max_size=200))
@example(b"[" * 100_000)
@example(b"\xff\xfe{\x00}\x00")
def test_any_bytes_give_a_message_or_an_event_error(payload: bytes) -> None:
    try:
        decode_message(payload)
    except EventError:
        return


@given(st.dictionaries(st.sampled_from(sorted(message_to_dict(message()))), json_values, max_size=3), st.booleans())
def test_what_the_decoder_takes_satisfies_the_schema_whatever_the_fields_hold(
    fields: dict[str, Any], rule: bool
) -> None:
    body = {**message_to_dict(message(RULE if rule else ANOMALY)), **fields}
    try:
        decoded = decode_message(json.dumps(body))
    except EventError:
        return

    VALIDATOR.validate(json.loads(encode_message(decoded)))
