"""A short chaos run, and the arithmetic of its table."""

from dataclasses import replace
from pathlib import Path

import pytest

from edge.wire.events import EventMessage
from tests.chaos import disks, faults, figures
from tests.chaos.trial import Kind, run
from tests.helpers.alerts import alert
from tests.helpers.mosquitto import executable, missing

SHORT = (
    Kind("agent killed after a commit", faults.kill_agent_after_commit, 8),
    Kind("any of them at random", faults.anything, 8),
    Kind("writing forbidden", disks.forbid_writing, 1, strike_again=False),
)


@pytest.mark.parametrize("kind", SHORT, ids=lambda kind: kind.name)
def test_no_alert_is_lost_out_of_order_or_orphaned(kind: Kind, tmp_path: Path) -> None:
    if executable() is None:
        missing("mosquitto (Debian: apt-get install mosquitto)")

    line, _ = run(kind, tmp_path / "trial", seed=2, times=kind.times)

    assert line.committed > kind.times
    assert line.faultless, figures.table([line])


def message(seq: int, event_type: str = "new", episode: str = "e1", log: str = "a", replayed: bool = False):
    return EventMessage(alert(1, event_type, episode=episode), "gw-1", log, seq, replayed)  # type: ignore[arg-type]


def test_an_episode_without_its_beginning_or_its_end_is_an_orphan() -> None:
    whole = [message(1), message(2, "update"), message(3, "end")]

    assert figures.orphans(whole) == []
    assert figures.orphans(whole[:2]) == [("pump1", "e1", ["new", "update"])]
    assert figures.orphans(whole[1:]) == [("pump1", "e1", ["update", "end"])]
    assert len(figures.orphans([message(1), message(2, "end", episode="e2")])) == 2


def test_a_number_after_a_higher_one_of_its_log_is_backward() -> None:
    assert figures.backward([("a", 1), ("a", 3), ("b", 1), ("a", 4), ("b", 2)]) == 0
    assert figures.backward([("a", 1), ("a", 3), ("a", 2), ("a", 1)]) == 2


def test_only_second_copies_that_are_not_marked_count() -> None:
    first, unmarked = figures.copies([message(1), message(2), message(1, replayed=True), message(2)])

    assert first == [("a", 1), ("a", 2)]
    assert unmarked == 1


def test_one_figure_that_should_be_0_spoils_a_line() -> None:
    good = figures.Figures("x", 1, 1, 0, 5, 5, 0, lost=0, disorder=0, orphans=0, seq_back=0, unmarked=0)

    assert good.faultless
    for name in ("lost", "disorder", "orphans", "seq_back", "unmarked"):
        assert not replace(good, **{name: 1}).faultless
