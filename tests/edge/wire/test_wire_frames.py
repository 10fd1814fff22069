"""Serial frames and JSON readings: both sides of every limit, and every bytes there are."""

import json
import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edge.wire.frame import MAX_FRAME_BYTES, crc16, decode_frame, encode_frame
from edge.wire.readings import FrameError, Readings, decode_readings, encode_readings, split_values
from tests.fuzz.inputs import json_values

pytestmark = pytest.mark.arm

ids = st.from_regex(r"\A[a-zA-Z0-9_-]{1,20}\Z")
finite = st.floats(allow_nan=False, allow_infinity=False)
readings = st.builds(
    Readings,
    values=st.dictionaries(ids, finite, max_size=8),
    time=st.none() | st.integers(0, 10**13).map(lambda ms: ms / 1000),
    seq=st.none() | st.integers(0, 2**32),
)


def sealed(body: bytes) -> bytes:
    return b"$%s*%04X" % (body, crc16(body))


def test_a_frame_looks_as_the_contract_says() -> None:
    frame = encode_frame("pump1", Readings({"vibration": 2.2, "flow": 11.0}, time=1763772004.12, seq=17))

    body = b"pump1,17,1763772004120,vibration=2.2,flow=11.0"
    assert frame == b"$" + body + b"*%04X\r\n" % crc16(body)


def test_the_crc_is_ccitt_false() -> None:
    assert crc16(b"123456789") == 0x29B1  # the check value of the catalogue of CRC algorithms
    assert crc16(b"") == 0xFFFF


@given(ids, readings)
def test_every_frame_decodes_to_what_it_carried(board: str, sent: Readings) -> None:
    assert decode_frame(encode_frame(board, sent)) == (board, sent)


def test_a_board_without_clock_or_counter_leaves_the_fields_empty() -> None:
    assert decode_frame(sealed(b"b,,,a=1")) == ("b", Readings({"a": 1.0}))


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_the_line_end_is_optional(end: bytes) -> None:
    assert decode_frame(sealed(b"b,1,1000,a=1") + end) == ("b", Readings({"a": 1.0}, 1.0, 1))


@given(st.data())
def test_one_wrong_bit_is_always_noticed(data: st.DataObject) -> None:
    frame = bytearray(sealed(b"pump1,17,1763772004120,vibration=2.2"))
    frame[data.draw(st.integers(1, len(frame) - 6))] ^= 1 << data.draw(st.integers(0, 7))

    with pytest.raises(FrameError, match="CRC"):
        decode_frame(bytes(frame))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"", "no frame"),
        (b"$", "no frame"),
        (b"b,1,1,a=1", "no frame"),
        (b"$b,1,1,a=1", "no frame"),
        (b"$b,1,1,a=1*0000", "CRC"),
        (b"$b,1,1,a=1*XYZ", "no frame"),
        (sealed(b"b,1"), "fields"),
        (sealed(b"b,one,1,a=1"), "fields"),
        (sealed(b"b,1,1.5,a=1"), "fields"),
        (sealed(b"b\xff,1,1,a=1"), "fields"),
        (sealed(b"a b,1,1,a=1"), "ids"),
        (sealed(b",1,1,a=1"), "ids"),
        (sealed(b"b,1," + b"9" * 400 + b",a=1"), "fields"),
    ],
)
def test_a_line_that_is_no_frame_says_why(line: bytes, said: str) -> None:
    with pytest.raises(FrameError, match=said):
        decode_frame(line)


def test_the_longest_frame_decodes_and_one_byte_more_does_not() -> None:
    room = MAX_FRAME_BYTES - len(sealed(b"b,1,1,="))
    longest = sealed(b"b,1,1," + b"a" * (room - 1) + b"=1")
    assert len(longest) == MAX_FRAME_BYTES

    assert len(decode_frame(longest)[1].values) == 1
    with pytest.raises(FrameError, match="4097 bytes"):
        decode_frame(sealed(b"b,1,1," + b"a" * room + b"=1"))


@pytest.mark.parametrize("text", [b"nan", b"inf", b"-inf", b"1e999", b"", b"warm", b"1,5"])
def test_one_bad_value_in_a_frame_leaves_the_others(text: bytes) -> None:
    values = decode_frame(sealed(b"b,1,1,a=" + text + b",c=2"))[1]

    assert values.values["c"] == 2.0
    assert "a" in values.rejected or text == b"1,5"


@pytest.mark.parametrize("name", ["", "a b", "a=b", "a,b", "ä", "a*"])
def test_a_name_that_a_frame_cannot_carry_is_refused(name: str) -> None:
    with pytest.raises(FrameError, match="name"):
        encode_frame("b", Readings({name: 1.0}))
    with pytest.raises(FrameError, match="name"):
        encode_frame(name, Readings({"a": 1.0}))


@given(st.binary(max_size=100))
def test_any_bytes_give_a_frame_or_a_frame_error(line: bytes) -> None:
    try:
        decode_frame(line)
    except FrameError:
        return


@given(st.binary(max_size=60))
@example(b"b," + b"1" * 5000 + b",1,a=1")
def test_any_bytes_under_a_good_crc_give_finite_readings_or_a_frame_error(body: bytes) -> None:
    try:
        found = decode_frame(sealed(body))[1]
    except FrameError:
        return

    assert all(math.isfinite(value) for value in found.values.values())
    assert found.time is None or math.isfinite(found.time)


@given(readings)
def test_json_readings_decode_to_what_they_carried(sent: Readings) -> None:
    assert decode_readings(encode_readings(sent)) == sent


@pytest.mark.parametrize(
    "bad", ["NaN", "Infinity", "-Infinity", "null", '"on"', "nan", "-inf", "true", "[]", "1e999", "1" + "0" * 400]
)
def test_one_bad_value_in_json_is_rejected_and_the_others_count(bad: str) -> None:
    found = decode_readings('{"values": {"a": ' + bad + ', "b": 2}}')

    assert (dict(found.values), found.rejected) == ({"b": 2.0}, ("a",))


def test_text_that_is_a_number_counts() -> None:
    assert decode_readings('{"values": {"a": "21.5", "b": "1_0"}}') == Readings({"a": 21.5}, rejected=("b",))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"values": []}',
        b'{"values": {}, "time": "now"}',
        b'{"values": {}, "time": NaN}',
        b'{"values": {}, "time": 1e999}',
        b'{"values": {}, "time": true}',
        b'{"values"',
        b"\xff",
        b"[" * 100_000,
    ],
)
def test_what_is_no_readings_object_is_a_frame_error(payload: bytes) -> None:
    with pytest.raises(FrameError):
        decode_readings(payload)


@pytest.mark.parametrize("seq", ["true", "1.5", '"3"', "null"])
def test_a_counter_that_is_no_integer_counts_as_absent(seq: str) -> None:
    assert decode_readings('{"values": {}, "seq": ' + seq + "}").seq is None


@given(st.binary(max_size=200))
def test_any_bytes_give_readings_or_a_frame_error(payload: bytes) -> None:
    try:
        decode_readings(payload)
    except FrameError:
        return


@given(st.dictionaries(st.sampled_from(["values", "time", "seq", "x"]), json_values))
def test_any_object_gives_finite_readings_or_a_frame_error(body: dict[str, object]) -> None:
    try:
        found = decode_readings(json.dumps(body))
    except FrameError:
        return

    assert all(type(value) is float and math.isfinite(value) for value in found.values.values())
    assert found.time is None or math.isfinite(found.time)


@given(st.dictionaries(st.text(max_size=5), json_values))
def test_every_value_is_either_taken_or_rejected(values: dict[str, object]) -> None:
    good, rejected = split_values(values)

    assert set(good) | set(rejected) == set(values)
    assert not set(good) & set(rejected)
