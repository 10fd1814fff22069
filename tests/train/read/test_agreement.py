"""What fit reads of a file the agent's file source reads too, bit for bit; what one refuses the other refuses."""

import random
import re

import numpy as np
import pytest

from edge.readings.options import FileError, FileOptions
from edge.sources.lines import read_file
from edge.wire.readings import FrameError
from tests.edge.readings.dialects import make_dialect, make_table, write
from tests.edge.readings.test_kinds import CASES
from train.console.errors import DatasetError
from train.read.tables import ReadOptions, read_table


def of_fit(path, options: FileOptions):
    table = read_table(path, ReadOptions(time_column=options.time_column, timezone=options.timezone, more=options))
    return table.channels, table.times, table.values


def of_agent(path, options: FileOptions, channels):
    lines = [line for line in read_file(path, options) if not isinstance(line, FrameError)]
    times = np.array([readings.time for _, readings in lines])
    values = [[readings.values.get(name, np.nan) for name in channels] for _, readings in lines]
    return times, np.array(values)


def assert_alike(path, options: FileOptions):
    try:
        channels, times, values = of_fit(path, options)
    except DatasetError as error:
        with pytest.raises(FileError, match=re.escape(str(error))):
            list(read_file(path, options))
        return
    read = np.isfinite(times)
    agents_times, agents_values = of_agent(path, options, channels)
    assert agents_times.tobytes() == times[read].tobytes()
    np.testing.assert_array_equal(agents_values, values[read])


@pytest.mark.parametrize("name", CASES)
def test_of_files_as_they_are_exported(tmp_path, name):
    text, options = CASES[name]
    (tmp_path / "x.csv").write_text(text, "utf-8")

    assert_alike(tmp_path / "x.csv", FileOptions(**options))
    assert_alike(tmp_path / "x.csv", FileOptions())


def test_of_random_dialects(tmp_path):
    for seed in random.Random(7).sample(range(10_000), 25):
        (tmp_path / "x.csv").write_bytes(write(make_table(seed), make_dialect(seed)))

        assert_alike(tmp_path / "x.csv", FileOptions())
