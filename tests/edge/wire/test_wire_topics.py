"""Topics, and what may stand in them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.wire.topics import RESERVED_STREAMS, DeviceTopics, board_of, readings_topic, valid_id, valid_stream_id

pytestmark = pytest.mark.arm


def test_the_topics_are_those_of_the_contract() -> None:
    topics = DeviceTopics("gw-1")

    assert [topics.status, topics.info, topics.health] == [
        "offbeat/gw-1/status",
        "offbeat/gw-1/info",
        "offbeat/gw-1/health",
    ]
    assert [topics.availability("p"), topics.state("p"), topics.event("p")] == [
        "offbeat/gw-1/p/availability",
        "offbeat/gw-1/p/state",
        "offbeat/gw-1/p/event",
    ]
    assert [topics.request("replay"), topics.response("replay")] == [
        "offbeat/gw-1/request/replay",
        "offbeat/gw-1/response/replay",
    ]


def test_another_root_moves_them_all() -> None:
    assert DeviceTopics("gw-1", root="plant/7").event("p") == "plant/7/gw-1/p/event"


@pytest.mark.parametrize("name", ["a", "A-1_b", "0", "x" * 200])
def test_ids_of_letters_digits_dash_and_underscore_are_valid(name: str) -> None:
    assert valid_id(name)


@pytest.mark.parametrize("name", ["", "a/b", "+", "#", "a b", "ä", "a\n", "$SYS", "a."])
def test_anything_else_is_no_id(name: str) -> None:
    assert not valid_id(name)


@pytest.mark.parametrize("name", sorted(RESERVED_STREAMS))
def test_a_stream_takes_no_word_that_is_the_devices(name: str) -> None:
    assert valid_id(name)
    assert not valid_stream_id(name)


@given(st.from_regex(r"\A[a-zA-Z0-9_-]+\Z"), st.sampled_from(["sensors", "plant/7"]))
def test_the_board_of_its_own_topic_is_found(board: str, root: str) -> None:
    assert board_of(readings_topic(board, root), root) == board


@given(st.text(max_size=40) | st.text(max_size=10).map(lambda name: f"sensors/{name}/readings"))
def test_any_topic_names_a_valid_board_or_none(topic: str) -> None:
    board = board_of(topic)

    assert board is None or (valid_id(board) and readings_topic(board) == topic)


def test_a_topic_too_short_for_both_ends_names_nobody() -> None:
    assert board_of("sensors/readings") is None
