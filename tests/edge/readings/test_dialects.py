"""A table comes back the same from 200 random dialects, or is refused with the option that settles it."""

import math
import random

import pytest

from edge.readings.options import FileError, FileOptions
from tests.edge.readings.dialects import ROWS, Dialect, Table, make_dialect, make_table, with_remedy, write
from tests.edge.readings.reading import column, read


def with_holes(table: Table, dialect: Dialect, seed: int) -> Table:
    """The table with some values missing, where the dialect has a word for that."""
    for values in table.values.values() if dialect.missing else ():
        for row in random.Random(seed).sample(range(ROWS), 5):
            values[row] = math.nan
    return table


@pytest.mark.parametrize("first", range(0, 200, 20))
def test_nothing_is_read_otherwise_than_it_was_written(tmp_path, first):
    for seed in range(first, first + 20):
        dialect = make_dialect(seed)
        table = with_holes(make_table(seed), dialect, seed)
        path = tmp_path / f"{seed}.csv"
        path.write_bytes(write(table, dialect))

        try:
            layout, rows = read(path)
        except FileError as error:
            options = with_remedy(str(error), dialect)
            if options is None:
                raise AssertionError(dialect) from error
            layout, rows = read(path, options)

        names = {one.channel.split(" (")[0]: one.channel for one in layout.channels}
        start = table.times[0] if dialect.time_form == "seconds" else 0.0
        assert set(names) == set(table.values), dialect
        assert [round(row.time + start, 2) for row in rows if row.time == row.time] == table.times, dialect
        for name, channel in names.items():
            assert column(rows, channel) == pytest.approx(table.values[name], abs=1e-9, nan_ok=True), dialect


def test_a_table_of_one_day_is_never_read_with_day_and_month_exchanged(tmp_path):
    for form in ("%d/%m/%Y %H:%M", "%m/%d/%Y %I:%M:%S %p", "%d/%m/%y %H:%M:%S", "%m/%d/%y %H:%M", "%d-%m-%Y %H:%M:%S"):
        dialect = make_dialect(0)
        dialect.time_form, dialect.newest_first = form, False
        table = make_table(0)
        table.times = table.times[:80]
        table.values = {name: values[:80] for name, values in table.values.items()}
        path = tmp_path / "one.csv"
        path.write_bytes(write(table, dialect))

        with pytest.raises(FileError, match=r"'0[34].0[34].(20)?24 .*' \(line \d+\).*--day-first or --no-day-first"):
            read(path)
        _, rows = read(path, FileOptions(day_first=form.startswith("%d")))
        assert [row.time for row in rows if row.time == row.time] == table.times
