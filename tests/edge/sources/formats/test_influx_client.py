"""Whatever the published writer of line protocol writes is read as what was given to it."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.sources.formats.influx import Influx
from edge.sources.formats.message import Message, board_id
from tests.helpers.mosquitto import missing

try:
    from influxdb_client import Point
except ImportError:
    Point = None

# Control characters, and a backslash before what it would escape, have no form of their own in line protocol.
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z"), exclude_characters="\\#"), min_size=1)
FIELD_NAMES = NAMES.filter(lambda name: '"' not in name)
FIELDS = st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.integers(-(2**53), 2**53))


@pytest.fixture(autouse=True)
def _library() -> None:
    if Point is None:
        missing("influxdb-client (pip install 'offbeat[dev]')")


@settings(max_examples=200, deadline=None)
@given(
    measurement=NAMES,
    board=NAMES,
    site=NAMES,
    fields=st.dictionaries(FIELD_NAMES, FIELDS, min_size=1, max_size=8),
    nanoseconds=st.integers(0, 4 * 10**18),
)
def test_a_point_is_read_as_it_was_written(measurement, board, site, fields, nanoseconds):
    point = Point(measurement).tag("host", board).tag("site", site).time(nanoseconds)
    for name, value in {**fields, "text": 'a "b", c=d'}.items():
        point.field(name, value)

    ((found, readings),) = Influx().decode(Message("telegraf/x", point.to_line_protocol().encode()))

    assert found == board_id(board)
    assert readings.time == nanoseconds / 1e9
    wanted = {f"{measurement}.{site}.{name}": float(value) for name, value in fields.items() if name != "text"}
    assert readings.values == wanted
    assert all(math.isfinite(value) for value in readings.values.values())
