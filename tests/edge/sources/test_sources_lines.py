"""Lines of CSV and JSON, cut, bounded and parsed."""

import doctest
import io
from zoneinfo import ZoneInfo

import pytest

from edge.sources import csv_lines, linebuffer
from edge.sources.csv_lines import CsvParser, parse_time
from edge.sources.linebuffer import LineBuffer
from edge.sources.lines import MAX_LINE_CHARS, read_lines
from edge.wire.readings import FrameError, Readings

UTC = ZoneInfo("UTC")


def parsed(text: str, **options) -> list:
    return list(read_lines(io.StringIO(text), **options))


@pytest.mark.parametrize("module", [csv_lines, linebuffer])
def test_examples_in_docstrings_hold(module):
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("separator", [",", ";"])
@pytest.mark.parametrize("column", ["time", "Timestamp", "datetime"])
def test_csv_takes_either_separator_and_any_usual_time_column(column, separator):
    text = separator.join([column, "flow"]) + "\n" + separator.join(["1763772004.5", "2.5"]) + "\n"

    assert parsed(text) == [(None, Readings({"flow": 2.5}, 1763772004.5))]


def test_csv_reads_a_byte_order_mark_windows_line_ends_and_blank_lines():
    assert parsed("\ufefftime,a\r\n\r\n1,2\r\n") == [(None, Readings({"a": 2.0}, 1.0))]


def test_csv_time_of_another_column_when_named():
    assert parsed("time,clock,a\nnever,7,1\n", time_column="clock") == [
        (None, Readings({"a": 1.0}, 7.0, None, ("time",)))
    ]


def test_csv_empty_field_is_missing_and_text_or_nan_is_rejected():
    assert parsed("time,a,b,c,d\n1,,x,nan,1_0\n") == [(None, Readings({}, 1.0, None, ("b", "c", "d")))]


def test_csv_board_and_seq_columns_are_no_channels():
    assert parsed("time,board,seq,a\n1,p1,9,2\n") == [("p1", Readings({"a": 2.0}, 1.0, 9))]


@pytest.mark.parametrize("line", ["1,2,3", "noon,2", ",2", "1e999,2", '"1,2'])
def test_csv_line_that_cannot_be_read_is_an_error_and_the_next_is_read(line):
    error, good = parsed(f"time,a\n{line}\n5,6\n")

    assert isinstance(error, FrameError)
    assert good == (None, Readings({"a": 6.0}, 5.0))


def test_csv_without_a_time_column_is_refused_with_what_was_found():
    with pytest.raises(FrameError, match="time, timestamp, datetime column; found a, b"):
        parsed("a,b\n1,2\n")


def test_empty_input_gives_nothing():
    assert parsed("") == parsed("\n\n") == []


def test_json_lines_carry_board_time_and_rejects():
    text = '{"values":{"a":1.0,"b":"x"}}\n{"board":"p2","time":5,"values":{"a":2}}\nnonsense\n'

    first, second, error = parsed(text)

    assert first == (None, Readings({"a": 1.0}, None, None, ("b",)))
    assert second == ("p2", Readings({"a": 2.0}, 5.0))
    assert isinstance(error, FrameError)


def test_milliseconds_apply_to_numbers_and_not_to_written_times():
    csv_line, written = parsed("time,a\n1500,1\n1970-01-01T00:00:02,1\n", unit_s=0.001)
    (json_line,) = parsed('{"time":1500,"values":{}}', unit_s=0.001)

    assert csv_line[1].time == json_line[1].time == 1.5
    assert written[1].time == 2.0


def test_written_times_without_a_zone_are_in_the_given_one():
    berlin = ZoneInfo("Europe/Berlin")

    assert parse_time("2026-01-01 01:00:00", berlin) == parse_time("2026-01-01T00:00:00Z", berlin)


def test_overlong_line_is_skipped_to_its_end():
    error, good = parsed("time,a\n" + "9" * (3 * MAX_LINE_CHARS) + "\n1,2\n")

    assert isinstance(error, FrameError)
    assert len(str(error)) < 200
    assert good == (None, Readings({"a": 2.0}, 1.0))


def test_csv_parser_refuses_boards_that_are_no_ids():
    with pytest.raises(FrameError, match="board"):
        CsvParser("time,board", UTC).parse("1,a/b")


def test_line_buffer_gives_the_same_lines_however_the_bytes_come():
    data = b"$a\r\n$bb\n\r\n$ccc\n"
    whole = LineBuffer(10, b"$").feed(data)
    buffer = LineBuffer(10, b"$")

    assert [line for byte in data for line in buffer.feed(bytes([byte]))] == whole == [b"$a", b"$bb", b"$ccc"]


@pytest.mark.parametrize(("length", "overlong"), [(10, 0), (11, 1), (1000, 1)])
def test_line_buffer_drops_lines_over_the_limit_once_and_goes_on(length, overlong):
    buffer = LineBuffer(10, b"$")
    buffer.feed(b"\n")

    got = [line for start in range(0, length, 4) for line in buffer.feed((b"$" * length)[start : start + 4])]
    got += buffer.feed(b"\n$next\n")

    assert got == [b"$" * length, b"$next"][overlong:]
    assert buffer.overlong == overlong
