"""Files that would forge a log, steer a terminal or hide a row: refused or said, with the line and the remedy."""

import pytest

from train.console.errors import DatasetError
from train.read.columns import ReadOptions
from train.read.tables import read_table

HEAD = "time,flow,pressure"
ROWS = [f"{1763772000 + number},{number / 7:.3f},{5 + number % 3}" for number in range(40)]


def written(tmp_path, head: str = HEAD, rows=ROWS, more: bytes = b""):
    path = tmp_path / "a.csv"
    path.write_bytes("\n".join([head, *rows, ""]).encode() + more)
    return path


@pytest.mark.parametrize("mark", ["\x1b[2J", "\x07", "\x7f", "\x9b", "\u202e", "\u2066", "\u200b", "\ue000"])
def test_a_channel_whose_name_cannot_be_printed_is_refused_before_training(tmp_path, mark):
    file = written(tmp_path, HEAD.replace("flow", f"fl{mark}ow"))

    with pytest.raises(DatasetError) as caught:
        read_table(file, ReadOptions())

    assert f"U+{ord(mark[0]):04X}" in str(caught.value)
    assert "--drop" in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("end", ["\x85", "\u2028"])
def test_a_line_end_within_a_name_is_a_space(tmp_path, end):
    assert read_table(written(tmp_path, HEAD.replace("flow", f"fl{end}ow"))).channels == ("fl ow", "pressure")


def test_such_a_column_can_be_left_out(tmp_path):
    file = written(tmp_path, HEAD.replace("flow", "fl\x1bow"))

    assert read_table(file, ReadOptions(drop=("fl\x1bow",))).channels == ("pressure",)


def test_a_file_of_a_folder_is_a_channel_like_any_other(tmp_path):
    from train.read.folder import read_folder

    for name in ("flow", "pres\u202esure"):
        (tmp_path / f"{name}.csv").write_text(
            "time,value\n" + "".join(f"{1763772000 + n},{n % 7}\n" for n in range(40))
        )

    with pytest.raises(DatasetError, match=r"U\+202E"):
        read_folder(tmp_path, ReadOptions())


@pytest.mark.parametrize("cell", ["9" * 200_000, '"' + "x" * 140_000 + '"', '"' + "\n".join(["y" * 60_000] * 3) + '"'])
def test_a_cell_of_more_than_128_kb_costs_its_row_and_is_named_with_its_line(tmp_path, cell):
    rows = [*ROWS[:20], f"{1763772020},{cell},1", *ROWS[21:]]

    table = read_table(written(tmp_path, rows=rows), ReadOptions())

    assert len(table.times) == 39
    assert any("line 22" in note and "longer than 65536 characters" in note for note in table.notes)


def test_a_header_of_more_than_128_kb_is_refused_with_its_line(tmp_path):
    with pytest.raises(DatasetError, match="line 1: longer than 65536 characters"):
        read_table(written(tmp_path, HEAD + ",p" + "p" * 140_000), ReadOptions())


def test_nul_bytes_change_no_value_and_no_row(tmp_path):
    clean = read_table(written(tmp_path), ReadOptions())
    with_nul = [row.replace(",", ",\0", 1) if number % 5 == 0 else row for number, row in enumerate(ROWS)]

    table = read_table(written(tmp_path, rows=with_nul, more=b"\0" * 5000), ReadOptions())

    assert table.channels == clean.channels
    assert table.values[:40].tolist() == clean.values.tolist()
