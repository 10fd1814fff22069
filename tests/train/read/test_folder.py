import numpy as np
import pytest

from tests.helpers.files import write_lines
from train.console.errors import DatasetError
from train.read.tables import ReadOptions, read_tables


def test_a_folder_with_a_file_a_sensor_is_one_table(tmp_path):
    write_lines(tmp_path / "flow.csv", "timestamp,value", *(f"{1700000000 + row},{row / 2}" for row in range(20)))
    write_lines(tmp_path / "heat.csv", "timestamp,value", *(f"{1700000000 + 2 * row},{row}" for row in range(10)))

    (table,) = read_tables([tmp_path], ReadOptions())

    assert table.channels == ("flow", "heat")
    assert table.values[:3].tolist()[0] == [0.0, 0.0]
    assert np.isnan(table.values[1, 1])
    assert len(table.times) == 20
    assert read_tables([tmp_path], ReadOptions(channels=("heat",)))[0].channels == ("heat",)


def test_files_with_the_same_channels_at_the_same_times_are_refused(tmp_path):
    for name in ("one", "other"):
        write_lines(tmp_path / f"{name}.csv", "time,a,b", "1700000000,1,2", "1700000001,1,2")

    with pytest.raises(DatasetError, match=r"one and other have the same 2 channels at the same times"):
        read_tables([tmp_path], ReadOptions())


def test_a_channel_that_two_files_have_beside_others_is_refused(tmp_path):
    write_lines(tmp_path / "one.csv", "time,a,b", "1700000000,1,2", "1700000001,1,2")
    write_lines(tmp_path / "other.csv", "time,a,c", "1700000000,1,2", "1700000001,1,2")

    with pytest.raises(DatasetError, match=r"several files have a channel 'a' beside others"):
        read_tables([tmp_path], ReadOptions())
