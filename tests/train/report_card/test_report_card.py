"""The report card of `fit`: its lines for the files of a command line, and the options that change them."""

import argparse
import io

import numpy as np
import pytest
from rich.console import Console

from tests.helpers.files import write_lines
from train.commands import fit
from train.console.errors import DatasetError
from train.options.readings import LoadedReadings, load_readings
from train.report.fit_tables import card_parts
from train.report_card.card import Card, ColumnFinding, Line
from train.report_card.table import print_card

ROWS = np.arange(600)
COLUMNS = {
    "flow": 10 + np.sin(ROWS / 7.0) + np.random.default_rng(0).normal(0, 0.05, 600),
    "oil temp": np.where(ROWS % 97 == 5, -127.0, 40 + np.random.default_rng(1).normal(0, 0.3, 600)),
    "energy": np.cumsum(np.random.default_rng(2).integers(0, 3, 600)),
    "record": 1000 + ROWS,
    "valve": (np.sin(ROWS / 50.0) > 0).astype(int),
    "set": np.full(600, 4.2),
    "Störung": (ROWS % 200 == 0).astype(int),
}


def write_columns(path, columns=COLUMNS):
    names = list(columns)
    rows = zip(*(columns[name] for name in names), strict=True)
    lines = [
        f"{1_700_000_000 + number}," + ",".join(f"{value:.6g}" for value in row) for number, row in enumerate(rows)
    ]
    return write_lines(path, ",".join(["time", *names]), *lines)


@pytest.fixture
def file(tmp_path):
    return write_columns(tmp_path / "machine.csv")


def read(*options: object) -> LoadedReadings:
    parser = argparse.ArgumentParser()
    fit.add_parser(parser.add_subparsers())
    arguments = parser.parse_args(["fit", "--out", "unused", *map(str, options)])
    return load_readings(arguments, Console(file=io.StringIO()))


def graded(readings: LoadedReadings) -> dict[str, str]:
    return {line.name: line.grade for line in readings.card.lines}


def line(readings: LoadedReadings, name: str) -> Line:
    (found,) = [one for one in readings.card.lines if one.name == name]
    return found


def test_every_column_has_a_line_and_those_that_count_or_label_are_no_channels(file):
    readings = read(file)

    assert graded(readings) == {
        "flow": "ok",
        "oil temp": "look",
        "valve": "ok",
        "set": "look",
        "Störung": "left out",
        "energy": "left out",
        "record": "left out",
    }
    assert readings.tables[0].channels == ("flow", "oil temp", "valve", "set")
    assert readings.runs[0].segments[0].values.shape == (600, 4)


def test_whatever_is_found_names_the_option_that_changes_it(file):
    options = {one.name: [found.option for found in one.findings] for one in read(file).card.lines}

    assert options == {
        "flow": [],
        "oil temp": ["--missing 'oil temp=-127'"],
        "valve": [],
        "set": ["--drop set"],
        "Störung": ["--label-column 'Störung', or --keep 'Störung'"],
        "energy": ["--rate energy, or --keep energy"],
        "record": ["--keep record"],
    }


def test_columns_that_are_kept_are_channels_with_a_word_of_warning(file):
    readings = read(file, "--keep", "record", "--keep", "Störung", "--keep", "energy")

    assert graded(readings)["record"] == graded(readings)["energy"] == "look"
    assert graded(readings)["Störung"] == "ok"
    assert line(readings, "energy").findings[0].option == "--rate energy, or --drop energy"
    assert "score as anomalies" in line(readings, "record").findings[0].text
    assert set(readings.tables[0].channels) == set(COLUMNS)


def test_channels_that_are_named_stay_whatever_they_look_like_and_are_graded(file):
    readings = read(file, "--channels", "record,flow,Störung")

    assert readings.tables[0].channels == ("record", "flow", "Störung")
    assert graded(readings) == {"record": "look", "flow": "ok", "Störung": "ok"}


def test_dropped_columns_are_listed_as_left_out(file):
    readings = read(file, "--drop", "set", "--drop", "record")

    assert readings.tables[0].channels == ("flow", "oil temp", "valve")
    assert graded(readings)["set"] == graded(readings)["record"] == "left out"


def test_a_counter_that_is_read_as_a_rate_is_ok(file):
    readings = read(file, "--rate", "energy")

    rises = np.diff(COLUMNS["energy"])
    at = readings.tables[0].channels.index("energy")
    np.testing.assert_array_equal(readings.runs[0].segments[0].values[1:, at], rises)
    assert graded(readings)["energy"] == "ok"
    assert readings.settings.rates == ("energy",)


def test_a_rate_of_what_is_no_counter_is_worth_a_look(file):
    found = line(read(file, "--rate", "flow"), "flow")

    assert found.grade == "look"
    assert "no counter" in found.findings[0].text


@pytest.mark.parametrize("code", ["oil temp=-127", "-127"])
def test_codes_that_are_named_are_missing_readings(file, code):
    readings = read(file, "--missing", code)

    assert graded(readings)["oil temp"] == "ok"
    assert readings.settings.missing["oil temp"] == (-127.0,)
    values = readings.runs[0].segments[0].values[:, readings.tables[0].channels.index("oil temp")]
    assert not (values == -127).any()


@pytest.mark.parametrize(
    ("options", "what"),
    [
        (["--rate", "energi"], "'energi' is not in the file; nearest: energy"),
        (["--channels", "flow", "--missing", "flaw=-1"], "--missing flaw: no such channel; nearest: flow"),
        (["--keep", "set", "--drop", "set"], "--drop set: it is also named by --keep or --rate"),
        (["--drop", "nothing"], "'nothing' is not in the file"),
    ],
)
def test_options_that_name_no_column_or_contradict_each_other_are_told(file, options, what):
    with pytest.raises(DatasetError, match=what):
        read(file, *options)


@pytest.mark.parametrize("text", ["oil temp=", "x", "=-1", "a=nan", "inf"])
def test_a_code_that_is_no_number_is_told(file, text, capsys):
    with pytest.raises(SystemExit):
        read(file, "--missing", text)

    assert "neither VALUE nor NAME=VALUE" in capsys.readouterr().err


def test_a_file_of_counters_alone_names_the_way_to_keep_one(tmp_path):
    file = write_columns(tmp_path / "counts.csv", {name: COLUMNS[name] for name in ("energy", "record")})

    with pytest.raises(DatasetError, match="every column would be left out; 'energy' a counter") as caught:
        read(file)

    assert str(caught.value).endswith("--rate energy, or --keep energy makes it a channel")
    assert "\n" not in str(caught.value)


def test_only_the_rows_that_are_used_are_graded(tmp_path):
    rises = np.where(ROWS < 300, ROWS * 2.0 + ROWS % 2, 300.0 - ROWS % 3)
    file = write_columns(tmp_path / "a.csv", {"flow": COLUMNS["flow"], "fill": rises})

    assert "fill" in read(file).tables[0].channels
    assert "fill" not in read(file, "--rows", "0:300").tables[0].channels


def test_a_machine_that_was_off_is_noted_with_the_stretches_to_exclude(tmp_path):
    resting = (ROWS >= 120) & (ROWS < 300)
    columns = {name: np.where(resting, 0.0, COLUMNS["flow"] + extra) for name, extra in (("a", 0), ("b", 5))}

    (note,) = read(write_columns(tmp_path / "a.csv", columns), "--timezone", "Europe/Berlin").card.notes

    assert "off for 3.0 min, 30.0 % of the rows" in note
    assert "--exclude '2023-11-14 23:15:20..2023-11-14 23:18:20'" in note


def printed(card: Card) -> str:
    out = io.StringIO()
    print_card(card, Console(file=out, width=120))
    return out.getvalue()


CARD = Card(
    (
        Line("flow", "ok"),
        Line("[red]heat", "look", (ColumnFinding("is odd", "--drop x"), ColumnFinding("has holes", "--period"))),
        Line("n", "left out", (ColumnFinding("counts", "--keep n"),)),
    ),
    ("off for long",),
)


def test_the_card_is_printed_with_a_line_for_each_finding_and_note():
    lines = [text.split() for text in printed(CARD).splitlines()]

    assert ["flow", "ok"] in lines
    assert ["[red]heat", "look", "is", "odd", "--drop", "x"] in lines
    assert ["has", "holes", "--period"] in lines
    assert ["n", "left", "out", "counts", "--keep", "n"] in lines
    assert ["note:", "off", "for", "long"] in lines


def test_of_many_columns_only_those_are_printed_in_which_something_was_found():
    text = printed(Card((*CARD.lines, *(Line(f"c{number}", "ok") for number in range(50)))))

    assert "c7" not in text
    assert "is odd" in text
    assert "and 51 columns in which nothing was found" in text


def test_the_report_shows_every_column():
    html = "".join(card_parts(CARD))

    for text in ("flow", "left out", "--keep n", "has holes", "off for long"):
        assert text in html
