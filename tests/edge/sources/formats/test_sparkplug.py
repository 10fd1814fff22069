"""Sparkplug 3.0 as the specification has it: each test names its clause where there is one."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.sources.formats.message import Message
from edge.sources.formats.sparkplug import Sparkplug, rebirth
from edge.sources.formats.sparkplug_payload import read_payload
from edge.sources.messages import decoder_of
from edge.sources.settings import MqttSource
from edge.wire.readings import FrameError, Readings
from tests.helpers.sparkplug import field, metric, payload

AT = 1_709_539_200_000
DEVICE = "spBv1.0/plant/{}/gw/pump1"
NODE = "spBv1.0/plant/{}/gw"


def decoded(decoder: Sparkplug, topic: str, data: bytes) -> list:
    return [(board, dict(one.values), one.time) for board, one in decoder.decode(Message(topic, data))]


def born(decoder: Sparkplug, session: int = 1) -> None:
    """A node and a device behind it, with two aliases."""
    node = [metric("bdSeq", datatype=8, number=session), metric("load", 1, 10, AT, 0.5)]
    device = [metric("temp", 7, 10, AT, 21.5), metric("count", 8, 3, AT, number=2**32 - 5)]
    decoded(decoder, NODE.format("NBIRTH"), payload(AT, node, seq=0))
    decoded(decoder, DEVICE.format("DBIRTH"), payload(AT, device, seq=1))


# tck-id-payloads-alias-data-cmd-requirement: data carries the alias alone.
def test_births_explain_aliases_and_datatypes():
    decoder = Sparkplug()
    birth = [metric("Inputs/temp", 7, 10, AT, 21.5), metric("count", 8, 3, number=2**32 - 5)]
    data = [metric(alias=7, time_ms=AT + 1500, double=22.5), metric(alias=8, time_ms=AT + 1500, number=2**32 - 6)]

    assert decoded(decoder, DEVICE.format("DBIRTH"), payload(AT, birth, 0)) == [
        ("gw_pump1", {"Inputs/temp": 21.5, "count": -5.0}, 1709539200.0)
    ]
    assert decoded(decoder, DEVICE.format("DDATA"), payload(AT, data, 1)) == [
        ("gw_pump1", {"Inputs/temp": 22.5, "count": -6.0}, 1709539201.5)
    ]


# tck-id-operational-behavior-device-ddeath, -edge-node-termination-host-action-ndeath-node-offline, -devices-offline.
def test_deaths_say_at_once_which_boards_are_offline():
    decoder = Sparkplug()
    born(decoder)
    offline = Readings({}, offline=True)

    assert list(decoder.decode(Message(DEVICE.format("DDEATH"), payload(AT, [], 2)))) == [("gw_pump1", offline)]
    death = payload(None, [metric("bdSeq", datatype=8, number=1)])
    assert list(decoder.decode(Message(NODE.format("NDEATH"), death))) == [("gw", offline), ("gw_pump1", offline)]
    with pytest.raises(FrameError, match="alias 7 of a birth that was not heard"):
        decoded(decoder, DEVICE.format("DDATA"), payload(AT, [metric(alias=7, double=22.5)], 0))


# tck-id-payloads-ndeath-bdseq: the will of an earlier session may come after the birth of the next.
def test_a_death_of_an_earlier_session_is_none():
    decoder = Sparkplug()
    born(decoder, session=4)

    assert decoded(decoder, NODE.format("NDEATH"), payload(None, [metric("bdSeq", datatype=8, number=3)])) == []
    assert decoded(decoder, DEVICE.format("DDATA"), payload(AT, [metric(alias=7, double=1.0)], 2)) == [
        ("gw_pump1", {"temp": 1.0}, AT / 1000)
    ]


@pytest.mark.parametrize(("birth", "death", "dies"), [(4, 4, True), (0, 255, False), (0, 1, True), (255, 0, True)])
def test_a_death_counts_unless_its_session_came_before(birth, death, dies):
    decoder = Sparkplug()
    born(decoder, session=birth)
    message = Message(NODE.format("NDEATH"), payload(None, [metric("bdSeq", datatype=8, number=death)]))

    assert bool(list(decoder.decode(message))) == dies


def test_a_node_that_is_born_again_has_no_aliases_of_before():
    decoder = Sparkplug()
    born(decoder)
    decoded(decoder, NODE.format("NBIRTH"), payload(AT, [metric("bdSeq", datatype=8, number=2)], seq=0))

    with pytest.raises(FrameError, match="alias 7"):
        decoded(decoder, DEVICE.format("DDATA"), payload(AT, [metric(alias=7, double=1.0)], 1))


# tck-id-operational-behavior-host-reordering-rebirth; a host may ask at any time for what it does not know.
def test_births_that_were_missed_are_asked_for_once_a_minute():
    asked: list[tuple[str, bytes]] = []
    clock = [0.0]
    decoder = Sparkplug(lambda topic, data: asked.append((topic, data)), lambda: clock[0])
    strange = Message(DEVICE.format("DDATA"), payload(AT, [metric(alias=7, double=22.5)], 9))
    for seconds in (0.0, 30.0, 61.0):
        clock[0] = seconds
        with pytest.raises(FrameError):
            list(decoder.decode(strange))

    assert [topic for topic, _ in asked] == 2 * ["spBv1.0/plant/NCMD/gw"]
    (name, _, _, _, others) = read_payload(asked[0][1])[2][0]
    assert (name, dict(others)) == ("Node Control/Rebirth", {0x20: 11, 0x70: 1})


@pytest.mark.parametrize(("seq", "asks"), [(2, 0), (3, 1), (1, 1), (None, 0)])
def test_a_gap_in_seq_asks_for_births_and_loses_nothing(seq, asks):
    asked: list[str] = []
    decoder = Sparkplug(lambda topic, _data: asked.append(topic))
    born(decoder)
    data = payload(AT, [metric(alias=7, double=22.5)], seq)

    assert decoded(decoder, DEVICE.format("DDATA"), data) == [("gw_pump1", {"temp": 22.5}, AT / 1000)]
    assert len(asked) == asks


def test_seq_goes_on_at_0_after_255():
    asked: list[str] = []
    decoder = Sparkplug(lambda topic, _data: asked.append(topic))
    for seq in (254, 255, 0, 1):
        decoded(decoder, NODE.format("NDATA"), payload(AT, [metric("load", double=0.5)], seq))

    assert asked == []


def test_what_is_null_or_no_number_is_rejected_and_what_is_no_measurement_passed_over():
    metrics = [
        metric("null", datatype=10, null=True),
        metric("nan", datatype=10, double=float("nan")),
        metric("Node Control/Rebirth", datatype=11, number=0),
        metric("when", datatype=13, number=AT),
        field(1, b"text") + field(4, 12) + field(15, b"hello"),
        metric("ok", datatype=10, double=1.0, historical=True, time_ms=AT - 60_000),
    ]

    found = list(Sparkplug().decode(Message(NODE.format("NDATA"), payload(AT, metrics, 0))))

    assert found == [
        ("gw", Readings({}, AT / 1000, rejected=("null", "nan"))),
        ("gw", Readings({"ok": 1.0}, AT / 1000 - 60)),
    ]


def test_a_compressed_payload_is_named():
    with pytest.raises(FrameError, match="compressed"):
        decoded(Sparkplug(), NODE.format("NDATA"), field(4, b"SPBV1.0_COMPRESSED") + field(5, b"x"))


@pytest.mark.parametrize("length", range(1, 60))
def test_a_payload_that_is_cut_off_is_a_frame_error_or_shorter(length):
    whole = payload(AT, [metric("temp", 7, 10, AT, 21.5), metric(alias=300, number=2**63)], 3)

    try:
        list(Sparkplug().decode(Message(NODE.format("NDATA"), whole[:length])))
    except FrameError:
        return


def test_a_request_for_births_is_read_as_it_was_written():
    time_ms, _, metrics = read_payload(rebirth(1_709_539_200.0))

    assert time_ms == AT
    assert [name for name, *_ in metrics] == ["Node Control/Rebirth"]


@pytest.mark.parametrize(("rebirth_", "asks"), [(True, 1), (False, 0)])
def test_nothing_is_published_where_the_source_says_so(rebirth_, asks):
    asked: list[str] = []
    source = MqttSource(name="field", type="mqtt", format="sparkplug", rebirth=rebirth_)
    decoder = decoder_of(source, lambda topic, _data: asked.append(topic))
    assert decoder is not None

    with pytest.raises(FrameError, match="alias 7"):
        list(decoder.decode(Message(DEVICE.format("DDATA"), payload(AT, [metric(alias=7, double=1.0)], 4))))

    assert len(asked) == asks


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_payload_is_anything_but_readings_or_a_frame_error(data):
    whole = payload(AT, [metric("temp", 7, 10, AT, 21.5), metric("n", 300, 4, number=2**63), metric(alias=7)], 3)
    mended = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 5))):
        mended[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))

    for kind in ("NBIRTH", "NDATA", "NDEATH"):
        try:
            found = list(Sparkplug().decode(Message(NODE.format(kind), bytes(mended))))
        except FrameError:
            continue
        assert all(math.isfinite(value) for _, readings in found for value in readings.values.values())
