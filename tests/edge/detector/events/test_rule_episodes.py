"""Episodes of rules: one id from new to end, no flood from a value that swings about a limit."""

import itertools
import math

import numpy as np
import pytest

from edge.detector.bundle.rules import ChannelRules, RuleBook
from edge.detector.events.recurring import REMEMBERED_S
from edge.detector.events.rule_episodes import KEPT_ROWS, KEPT_S, RuleEpisodes
from edge.detector.rows.row import Row
from edge.wire.events import Event


def episodes(update_every_s: float = 60.0, **rules: float) -> RuleEpisodes:
    numbers = iter(range(1000))
    book = RuleBook(["flow"], {"flow": ChannelRules(**rules)} if rules else {})
    return RuleEpisodes("pump1", book, update_every_s, lambda _: str(next(numbers)))


def feed(one: RuleEpisodes, values: list[float], start: float = 0.0, period_s: float = 1.0) -> list[Event]:
    return [
        event
        for number, value in enumerate(values)
        for event in one.row(Row(start + number * period_s, np.array([value])))
    ]


def types(events: list[Event]) -> list[str]:
    return [event.event_type for event in events]


def test_an_episode_has_one_id_from_new_to_end_and_its_rule_with_it():
    found = feed(episodes(max=1.0), [0.0, 2.0, 2.0, *[0.0] * 10])

    assert types(found) == ["new", "end"]
    assert len({event.id for event in found}) == 1
    assert {(event.rule.name, event.rule.channel, event.kind) for event in found} == {("max", "flow", "rule")}
    assert [event.score for event in found] == [None, None]


def test_it_ends_when_the_rule_was_kept_for_long_enough_and_not_before():
    kept = int(KEPT_S)

    assert types(feed(episodes(max=1.0), [2.0, *[0.0] * kept])) == ["new"]
    assert types(feed(episodes(max=1.0), [2.0, *[0.0] * (kept + 1)])) == ["new", "end"]


def test_its_end_lies_where_the_rule_was_kept_again():
    end = feed(episodes(max=1.0), [0.0, 2.0, 2.0, *[0.0] * 10])[-1]

    assert (end.start_time, end.end_time, end.time) == (1.0, 3.0, 3.0 + KEPT_S)


def test_on_a_slow_grid_a_few_rows_must_keep_the_rule():
    assert types(feed(episodes(max=1.0), [2.0, *[0.0] * (KEPT_ROWS - 1)], period_s=1800)) == ["new"]
    assert types(feed(episodes(max=1.0), [2.0, *[0.0] * KEPT_ROWS], period_s=1800)) == ["new", "end"]


@pytest.mark.parametrize("quiet_rows", range(1, 6))
def test_a_value_that_swings_about_a_limit_makes_one_episode(quiet_rows):
    found = feed(episodes(max=1.0, update_every_s=1e9), [2.0, *[0.0] * quiet_rows] * 50)

    assert [kind for kind in types(found) if kind != "update"] == ["new"]


@pytest.mark.parametrize("period", [*range(2, 30)])
def test_no_swing_makes_more_than_one_new_in_five_seconds(period):
    found = feed(episodes(max=1.0), [2.0 if step % period == 0 else 0.0 for step in range(600)])
    opened = [event.time for event in found if event.event_type == "new"]

    assert all(after - before > 5.0 for before, after in itertools.pairwise(opened))


def test_updates_come_as_often_as_asked_and_carry_the_latest_value():
    found = feed(episodes(max=1.0, update_every_s=10.0), [2.0 + step for step in range(25)])

    assert [(event.event_type, event.time) for event in found] == [("new", 0.0), ("update", 10.0), ("update", 20.0)]
    assert [event.rule.value for event in found] == [2.0, 12.0, 22.0]


def test_updates_are_never_closer_than_five_seconds():
    found = feed(episodes(max=1.0, update_every_s=0.1), [2.0] * 20)

    assert [event.time for event in found] == [0.0, 5.0, 10.0, 15.0]


def test_rows_without_a_reading_neither_break_nor_keep_a_rule():
    one = episodes(max=1.0)

    assert types(feed(one, [2.0, *[math.nan] * 100])) == ["new"]
    assert types(feed(one, [0.0] * 10, start=200.0)) == ["end"]


def test_a_flat_line_starts_where_the_value_stopped_to_change():
    found = feed(episodes(flat_for_s=10.0), [1.0, 2.0, *[3.0] * 15])

    assert [(event.event_type, event.start_time, event.kind) for event in found] == [("new", 2.0, "sensor")]
    assert found[0].time == 12.0


def test_a_silence_starts_at_the_last_reading_and_ends_when_the_channel_speaks():
    one = episodes(silent_for_s=10.0)
    feed(one, [1.0, 2.0])

    assert one.idle(10.9) == []
    (new,) = one.idle(11.0)
    (end,) = feed(one, [1.0] * 10, start=20.0)
    assert (new.start_time, new.time, new.kind) == (1.0, 11.0, "sensor")
    assert (end.id, end.end_time) == (new.id, 20.0)


def test_no_row_ends_no_episode_of_another_rule():
    one = episodes(max=1.0, silent_for_s=10.0)
    feed(one, [2.0])

    assert types(one.idle(100.0)) == ["new"]
    assert set(one.open) == {"max:flow", "silent:flow"}


def test_the_end_of_a_stream_ends_all():
    one = episodes(max=1.0, flat_for_s=2.0)
    feed(one, [2.0, 2.0, 2.0])

    assert types(one.end(9.0)) == ["end", "end"]
    assert one.end(9.0) == []


def test_an_episode_goes_on_after_a_restart_and_ends_under_its_id():
    before, after = episodes(max=1.0), episodes(max=1.0)
    (new,) = feed(before, [2.0])
    after.restore(before.open, {key: before.more(key) for key in before.open})

    assert feed(after, [2.0], start=10.0) == []
    assert [(event.event_type, event.id) for event in feed(after, [0.0] * 9, start=11.0)] == [("end", new.id)]


def test_a_flat_line_that_lasts_over_a_restart_stays_one_episode():
    before, after = episodes(flat_for_s=10.0), episodes(flat_for_s=10.0)
    (new,) = feed(before, [1.0] * 12)
    after.restore(before.open, {key: before.more(key) for key in before.open})

    assert feed(after, [1.0] * 40, start=20.0) == []
    assert [(event.event_type, event.id) for event in feed(after, [2.0] * 9, start=60.0)] == [("end", new.id)]


def test_an_episode_whose_rule_is_no_longer_configured_ends_soon():
    before, after = episodes(max=1.0), episodes()
    feed(before, [2.0])
    after.restore(before.open, {key: before.more(key) for key in before.open})

    assert types(feed(after, [2.0] * 10, start=10.0)) == ["end"]
    assert not after.open


FLAP = [2.0, *[0.0] * 10]


def test_a_rule_that_is_broken_again_and_again_is_one_episode_from_the_fourth_time_on():
    found = feed(episodes(max=1.0, update_every_s=3600.0), FLAP * 200)

    assert types(found) == ["new", "end"] * 3 + ["new"]
    assert [event.occurrences for event in found] == [1, 1, 2, 2, 3, 3, 4]


def test_one_that_comes_and_goes_ends_once_it_was_kept_for_ten_minutes():
    one = episodes(max=1.0, update_every_s=3600.0)
    feed(one, FLAP * 5)

    end = feed(one, [0.0] * 1000, start=55.0)

    assert [(event.event_type, event.occurrences, event.end_time) for event in end] == [("end", 5, 45.0)]
    assert end[0].time == 45.0 + REMEMBERED_S


def test_while_it_is_waited_for_it_is_calm():
    one = episodes(max=1.0)

    feed(one, FLAP * 4)
    assert one.calm_since("max:flow") == 34.0
    feed(one, [2.0], start=44.0)
    assert one.calm_since("max:flow") is None


def test_a_restart_while_it_is_waited_for_keeps_how_often_it_came():
    before, after = episodes(max=1.0), episodes(max=1.0)
    feed(before, FLAP * 4)
    after.restore(before.open, {key: before.more(key) for key in before.open})

    feed(after, [0.0] * 10, start=50.0)
    assert feed(after, [2.0], start=60.0) == []
    assert after.open["max:flow"].last.occurrences == 5
