"""Layouts of Azure Anomaly Detector and Metrics Advisor and of AWS Lookout for Equipment, as their documentation says.

Sources: learn.microsoft.com, Anomaly Detector, "Prepare your data" (OneTable, MultiTable) and "Detect" of API v1.1
(series); Metrics Advisor, "Onboard your data" (timestamp, dimensions, measures); docs.aws.amazon.com, Lookout for
Equipment, "Formatting your data" (`2020/1/1 0:00`) and "Labeling your data" (`1/1/2020 0:00,1/3/2020 0:00`).
"""

import json
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.files import write_lines
from train.console.errors import DatasetError
from train.read.intervals import is_intervals, read_intervals
from train.read.tables import RawTable, ReadOptions, read_tables

START = datetime(2020, 1, 1, tzinfo=UTC)
AS_FOUND = ReadOptions()


def one(path: Path) -> RawTable:
    (table,) = read_tables([path], AS_FOUND)
    return table


def unix(*when: int) -> float:
    return datetime(*when, tzinfo=UTC).timestamp()


def multi_table(folder: Path) -> Path:
    """Two variables, a minute apart, one of them with a hole."""
    folder.mkdir()
    for name, skip in (("temperature", 5), ("humidity", None)):
        rows = [f"{START + timedelta(minutes=row):%Y-%m-%dT%H:%M:%SZ},{row / 4}" for row in range(60) if row != skip]
        write_lines(folder / f"{name}.csv", "timestamp,value", *rows)
    return folder


def dataset(folder: Path) -> Path:
    """Two components, one with its data in two files; both have a Sensor1."""
    for component, sensors in (("motor", ("Sensor1", "Sensor2")), ("pump", ("Sensor1",))):
        (folder / component).mkdir(parents=True)
        for part in range(2):
            moments = [START + timedelta(minutes=5 * row) for row in range(100 * part, 100 * part + 100)]
            rows = [f"{t.year}/{t.month}/{t.day} {t.hour}:{t:%M}" + f",{t.minute}" * len(sensors) for t in moments]
            write_lines(folder / component / f"part{part}.csv", ",".join(("Timestamp", *sensors)), *rows)
    return folder


def test_azure_multi_table_as_a_folder_and_as_the_zip_that_was_uploaded(tmp_path):
    folder = multi_table(tmp_path / "mv")
    for name, front in (("flat", ""), ("nested", "mv/")):
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as archive:
            for file in folder.iterdir():
                archive.write(file, front + file.name)
            archive.writestr("__MACOSX/._humidity.csv", "rubbish")

    for path in (folder, tmp_path / "flat.zip", tmp_path / "nested.zip"):
        found = one(path)

        assert found.name == path.stem
        assert found.channels == ("humidity", "temperature")
        assert found.times[0] == START.timestamp()
        assert found.values[4].tolist() == [1.0, 1.0]
        assert found.values[5, 0] == 1.25
        assert np.isnan(found.values[5, 1])


def test_azure_one_table(tmp_path):
    rows = [f"{START + timedelta(minutes=row):%Y-%m-%dT%H:%M:%SZ},{row},{row / 2}" for row in range(60)]
    write_lines(tmp_path / "one.csv", "timestamp,series_0,series_1", *rows)

    assert one(tmp_path / "one.csv").channels == ("series_0", "series_1")


@pytest.mark.parametrize("indent", [None, 2])
def test_azure_series_of_a_univariate_request(tmp_path, indent):
    days = [START + timedelta(days=row) for row in range(30)]
    series = [{"timestamp": f"{day:%Y-%m-%dT%H:%M:%SZ}", "value": row + 0.5} for row, day in enumerate(days)]
    (tmp_path / "request.json").write_text(json.dumps({"series": series, "granularity": "daily"}, indent=indent))
    (tmp_path / "array.json").write_text(json.dumps(series, indent=indent))

    for name in ("request.json", "array.json"):
        found = one(tmp_path / name)

        assert found.channels == ("value",)
        assert found.times[:2].tolist() == [START.timestamp(), START.timestamp() + 86400]
        assert found.values[:2, 0].tolist() == [0.5, 1.5]


def test_azure_metrics_advisor_with_a_dimension(tmp_path):
    rows = [f"{START + timedelta(days=day):%Y-%m-%dT%H:%M:%SZ},{region},{day + place}"
            for day in range(40) for place, region in enumerate(("Europe", "Asia"))]  # fmt: skip
    write_lines(tmp_path / "metrics.csv", "timestamp,region,revenue", *rows)

    from edge.readings.options import FileOptions

    (found,) = read_tables([tmp_path / "metrics.csv"], ReadOptions(more=FileOptions(id_column="region")))

    assert len(found.channels) == 2
    assert found.values[:2].tolist() in ([[0.0, 1.0], [1.0, 2.0]], [[1.0, 0.0], [2.0, 1.0]])


def test_aws_dataset_with_a_folder_a_component(tmp_path):
    found = one(dataset(tmp_path / "data"))

    assert found.channels == ("motor.Sensor1", "motor.Sensor2", "pump.Sensor1")
    assert len(found.times) == 200
    assert np.diff(found.times).tolist() == [300.0] * 199
    assert not np.isnan(found.values).any()


def test_aws_one_component_alone_keeps_its_sensors_names(tmp_path):
    assert one(dataset(tmp_path / "data") / "motor").channels == ("Sensor1", "Sensor2")


def test_aws_one_csv_a_sensor(tmp_path):
    (tmp_path / "pump").mkdir()
    for sensor in ("Sensor1", "Sensor2"):
        rows = [f"{START + timedelta(minutes=5 * row):%Y-%m-%d %H:%M:%S},{row}" for row in range(50)]
        write_lines(tmp_path / "pump" / f"{sensor}.csv", f"Timestamp,{sensor}", *rows)

    assert one(tmp_path / "pump").channels == ("Sensor1", "Sensor2")


def test_aws_labels_in_the_dataset_label_its_rows_and_are_no_readings(tmp_path):
    folder = dataset(tmp_path / "data")
    (folder / "label-data").mkdir()
    write_lines(folder / "label-data" / "labels.csv", "2020-01-01T01:00:00.000000,2020-01-01T02:00:00.000000")

    found = one(folder)

    assert found.channels == ("motor.Sensor1", "motor.Sensor2", "pump.Sensor1")
    assert found.labels is not None
    assert np.flatnonzero(found.labels).tolist() == list(range(12, 25))
    assert "labels.csv: 1 label windows; 13 of 200 rows" in " ".join(found.notes)


@pytest.mark.parametrize("header", [(), ("start,end",), ("Timestamp 1,Timestamp 2",), ("row,start_time,end_time",)])
def test_aws_labels_without_and_with_a_header(tmp_path, header):
    rows = ["1/1/2020 0:00,1/3/2020 0:00", "2/2/2020 0:05,2/7/2020 0:05", "4/11/2020 0:10,4/21/2020 0:10"]
    front = "7," if header and header[0].startswith("row") else ""
    write_lines(tmp_path / "labels.csv", *header, *(front + row for row in rows))

    assert read_intervals(tmp_path / "labels.csv", AS_FOUND).tolist() == [
        [unix(2020, 1, 1), unix(2020, 1, 3)],
        [unix(2020, 2, 2, 0, 5), unix(2020, 2, 7, 0, 5)],
        [unix(2020, 4, 11, 0, 10), unix(2020, 4, 21, 0, 10)],
    ]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["2020-01-03,2020-01-01"], "label window 1 is 2020-01-03 to 2020-01-01: wanted a start and a later end"),
        (["time,label", "2020-01-01 00:00,0", "2020-01-02 00:00,1"], "labels.csv"),
        (["a,b,c", "1,2,3"], "wanted two columns, start and end"),
        (["2020-01-01,2020-01-02", "2020-01-03"], "wanted a start and an end in each row"),
        ([], "no label windows in it"),
    ],
)
def test_what_is_no_label_file_is_told(tmp_path, lines, said):
    write_lines(tmp_path / "labels.csv", *lines)

    assert not is_intervals(tmp_path / "labels.csv", AS_FOUND)
    with pytest.raises(DatasetError, match=said):
        read_intervals(tmp_path / "labels.csv", AS_FOUND)


def test_a_damaged_zip_and_one_with_nothing_in_it_are_told(tmp_path):
    with zipfile.ZipFile(tmp_path / "notes.zip", "w") as archive:
        archive.writestr("a.md", "x")
        archive.writestr("b.md", "y")

    with pytest.raises(DatasetError, match=r"notes\.zip: no recordings in it"):
        one(tmp_path / "notes.zip")
