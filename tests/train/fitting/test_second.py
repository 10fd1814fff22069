import numpy as np
import pytest

from edge.detector.members.registry import MEMBERS, wanted_rows
from edge.detector.members.tuning import DEFAULT
from train.fitting.second import second_split
from train.read.dataset import Run, Segment
from train.read.split import split_runs

WINDOW = 10
SLOW = max(wanted_rows(member.name, WINDOW, DEFAULT) for member in MEMBERS if member.network)
QUICK = min(wanted_rows(member.name, WINDOW, DEFAULT) for member in MEMBERS if member.network)


def second_of(rows: int):
    runs = [Run("run", (Segment(np.arange(float(rows)), np.zeros((rows, 1))),))]
    return second_split(runs, split_runs(runs, 0.25, WINDOW), WINDOW)


@pytest.mark.parametrize("wanted", [QUICK, SLOW])
def test_a_second_network_is_fitted_where_it_gives_a_member_the_rows_that_it_wants(wanted):
    rows = int(np.ceil((wanted + 2 * WINDOW) / 0.75)) + 4

    second = second_of(rows)

    assert second is not None
    assert rows / 4 + sum(run.rows for run in second.calibrate) >= wanted


def test_none_is_where_the_rows_held_back_suffice_for_every_member():
    assert second_of(4 * SLOW + 4) is None


def test_none_is_where_it_would_let_no_member_take_part():
    assert second_of(int(QUICK / 0.75) - 20) is None
