"""A bit that flips on disk is not taken for what was written."""

import json

import pytest

from edge.wire.checksum import ChecksumError, marked, unmarked

pytestmark = pytest.mark.arm

BODY = json.dumps({"id": "e1", "score": 1.25, "open": {"": {"time": 1000.0}}}, separators=(",", ":")).encode()


@pytest.mark.parametrize("body", [BODY, b"{}"])
def test_what_is_marked_comes_back_and_older_readers_pass_over_the_mark(body):
    on_disk = marked(body, "7")

    assert unmarked(on_disk, "7") == body
    assert {key: value for key, value in json.loads(on_disk).items() if key != "crc"} == json.loads(body)


def test_what_an_older_version_wrote_is_taken_as_it_is():
    assert unmarked(BODY, "7") == BODY


def test_no_single_bit_gives_another_body():
    on_disk = marked(BODY, "7")

    for place in range(8 * len(on_disk)):
        flipped = bytearray(on_disk)
        flipped[place // 8] ^= 1 << place % 8
        try:
            found = json.loads(unmarked(bytes(flipped), "7"))
        except ValueError:  # named and left out
            continue
        assert {key: value for key, value in found.items() if key in json.loads(BODY)} == json.loads(BODY)


def test_a_body_in_another_place_is_refused():
    with pytest.raises(ChecksumError):
        unmarked(marked(BODY, "7"), "8")
