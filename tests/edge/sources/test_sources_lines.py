"""Lines of CSV and JSON, cut, bounded and parsed."""

import doctest
import io
import os

import pytest

from edge.readings.opening import MAX_LINE_CHARS
from edge.readings.options import FileError, FileOptions
from edge.sources import linebuffer
from edge.sources.linebuffer import LineBuffer
from edge.sources.lines import PipeText, read_lines
from edge.wire.readings import FrameError, Readings

T = 1_763_772_004


def parsed(text: str, **options) -> list:
    return list(read_lines(io.StringIO(text), **options))


def test_examples_in_docstrings_hold():
    assert doctest.testmod(linebuffer).failed == 0


@pytest.mark.parametrize("separator", [",", ";"])
@pytest.mark.parametrize("column", ["time", "Timestamp", "datetime"])
def test_csv_takes_either_separator_and_any_usual_time_column(column, separator):
    text = separator.join([column, "flow"]) + "\n" + separator.join([f"{T}.5", "2.5"]) + "\n"

    assert parsed(text) == [(None, Readings({"flow": 2.5}, T + 0.5))]


def test_csv_reads_a_byte_order_mark_windows_line_ends_and_blank_lines():
    assert parsed(f"\ufefftime,a\r\n\r\n{T},2\r\n") == [(None, Readings({"a": 2.0}, T))]


def test_csv_time_of_another_column_when_named():
    (found,) = parsed(f"time,clock,a\nnever,{T},1\n", options=FileOptions(time_column="clock"))

    assert found == (None, Readings({"a": 1.0}, T))


def test_csv_empty_field_and_words_for_none_are_missing_and_text_is_rejected():
    lines = "".join(f"{T + row},1,1,1,1\n" for row in range(3))

    assert parsed(f"time,a,b,c,d\n{lines}{T + 3},,x,nan,1_0\n")[-1] == (None, Readings({}, T + 3, None, ("b", "d")))


def test_csv_board_and_seq_columns_are_no_channels():
    assert parsed(f"time,board,seq,a\n{T},p1,9,2\n") == [("p1", Readings({"a": 2.0}, T, 9))]


@pytest.mark.parametrize("line", ["noon,2", ",2", "1e999,2"])
def test_csv_line_that_cannot_be_read_is_an_error_and_the_next_is_read(line):
    first, second, error, good = parsed(f"time,a\n{T},4\n{T + 1},5\n{line}\n{T + 2},6\n")

    assert isinstance(error, FrameError)
    assert [one[1].values["a"] for one in (first, second, good)] == [4.0, 5.0, 6.0]


def test_of_a_csv_line_with_too_many_fields_no_value_is_used():
    found = parsed("time,a\n" + "".join(f"{T + row},4\n" for row in range(9)) + f"{T + 9},2,3\n")

    assert found[-1] == (None, Readings({}, T + 9))


def test_csv_without_a_time_column_is_refused_with_what_was_found_and_the_remedy():
    with pytest.raises(FileError, match=r"no time column among a, b; .* --period"):
        parsed("a,b\n1,2\n")


def test_a_later_cell_in_another_dialect_is_refused_and_not_reread():
    lines = "".join(f"{T + row};2,5\n" for row in range(1000))

    *_, error, last = parsed(f"time;a\n{lines}{T + 1000};23.46\n")

    assert isinstance(error, FrameError)
    assert "'23.46'" in str(error)
    assert last == (None, Readings({}, T + 1000, None, ("a",)))


def test_a_pipe_that_pauses_is_judged_on_what_has_come():
    reading, writing = os.pipe()
    os.write(writing, f"Zeit;a\n{T};2,5\n{T + 1};3,5\n".encode())
    lines = read_lines(PipeText(reading))

    first = next(lines)
    os.write(writing, f"{T + 2};4,5\n".encode())
    os.close(writing)

    assert [first, *lines] == [(None, Readings({"a": a}, T + n)) for n, a in enumerate((2.5, 3.5, 4.5))]
    os.close(reading)


def test_empty_input_gives_nothing():
    assert parsed("") == parsed("\n\n") == []


def test_json_lines_carry_board_time_and_rejects():
    text = '{"values":{"a":1.0,"b":"x"}}\n{"board":"p2","time":5,"values":{"a":2}}\nnonsense\n'

    first, second, error = parsed(text)

    assert first == (None, Readings({"a": 1.0}, None, None, ("b",)))
    assert second == ("p2", Readings({"a": 2.0}, 5.0))
    assert isinstance(error, FrameError)


def test_json_of_any_form_gives_its_numbers_by_path():
    (line,) = parsed('{"ts":"2024-03-04T08:00:00Z","env":{"temp":"21.5","ok":true},"mode":"auto"}')

    assert line == (None, Readings({"env.temp": 21.5, "env.ok": 1.0}, 1709539200.0, None, ("mode",)))


def test_milliseconds_are_known_by_their_size_or_said():
    text = f"time,a\n{T}500,1\n"

    assert parsed(text)[0][1].time == T + 0.5
    (small,) = parsed("time,a\n1500,1\n", options=FileOptions(time_format="ms"))
    (json_line,) = parsed('{"time":1500,"values":{}}', unit_s=0.001)
    assert small[1].time == json_line[1].time == 1.5


def test_written_times_without_a_zone_are_in_the_given_one():
    (berlin,) = parsed("time,a\n2026-01-01 01:00:00,1\n", options=FileOptions(timezone="Europe/Berlin"))
    (utc,) = parsed("time,a\n2026-01-01T00:00:00Z,1\n")

    assert berlin == utc


def test_overlong_line_is_skipped_to_its_end():
    error, good = parsed("time,a\n" + "9" * (3 * MAX_LINE_CHARS) + f"\n{T},2\n")

    assert isinstance(error, FrameError)
    assert len(str(error)) < 200
    assert good == (None, Readings({"a": 2.0}, T))


def test_boards_that_are_no_ids_are_refused():
    (error,) = parsed(f"time,board,a\n{T},a/b,1\n")

    assert isinstance(error, FrameError)
    assert "board" in str(error)


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
