"""An episode is called normal: its pattern alerts no more, faults still do."""

import json

import numpy as np
import pytest

from edge.detector.bundle.rules import ChannelRules
from edge.detector.events.called_normal import ENDED, FeedbackError
from edge.detector.events.familiar import BODY, MOST, NOT, Capture, familiar_from_dict
from edge.detector.events.settings import StreamSettings
from tests.helpers.rig import START, WINDOW, events_of, group_of, normal, play, rows_of, write_rig_bundle

COLUMNS = 6
FLUSH_ROWS = 40
FLUSH = np.array([3.0, 0.0, 0.8])
FAULT = np.array([0.0, 2.0, 0.0])
"""Another channel than the flush's."""


def looking(*args):
    """A group whose episodes can be called normal."""
    group = group_of(*args)
    group.keep_looks()
    return group


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return write_rig_bundle(tmp_path_factory.mktemp("rig") / "rig")


def flushed(count, at, seed=7, fault=None, size=1.0):
    """(count, 3) readings with flushes that begin at these rows; `fault` are rows with another thing added."""
    values, chance = normal(count + FLUSH_ROWS, seed), np.random.default_rng(seed)
    ramp = np.clip(np.minimum(np.arange(1, FLUSH_ROWS + 1), np.arange(FLUSH_ROWS, 0, -1)) / 3, 0, 1)
    for first in at:
        values[first : first + FLUSH_ROWS] += ramp[:, None] * FLUSH * (1 + 0.03 * chance.normal())
    if fault is not None:
        values[fault.start : fault.stop] += size * FAULT
    return values[:count]


def alerts(outcomes, among):
    """Starts of the anomalies told within these rows."""
    times = [event.time - START for event in events_of(outcomes) if event.event_type == "new"]
    return [time for time in times if time in among]


def taught(bundle, end=700, **settings):
    """A group whose flush at row 500 was called normal, `end` rows old."""
    group = looking(bundle, StreamSettings("pump1", level=1.5, **settings))
    outcomes = play(group, rows_of(flushed(end, [500])))
    event = next(event for event in events_of(outcomes) if event.kind == "anomaly" and event.time >= START + 500)
    return group, event.id, group.call_normal(0, event.id, "ann")


def go_on(group, values, start):
    rows = rows_of(values)[start:]
    return play(group, rows)


def capture(rows, event_id="e1", window=4):
    taken = Capture(window)
    for end in range(window, len(rows) + 1):
        last = rows[end - window : end]
        taken.add(float(end), 2.0, last, loud=bool(np.abs(last).max() > 3))
    return taken.pattern(event_id)


def bump(height=8.0, first=10, count=6, length=30, columns=2):
    rows = np.zeros((length, columns), np.float32)
    rows[first : first + count, 0] = height
    return rows


def test_a_pattern_outlives_being_written():
    pattern = capture(bump())

    again = familiar_from_dict(json.loads(json.dumps(pattern.to_dict())), 4, 2)

    assert again.to_dict() == pattern.to_dict()
    assert again.nearest(bump()[10:14]) == BODY


@pytest.mark.parametrize(
    "changes", [{"time": "soon"}, {"radius": float("nan")}, {"parts": [{"rows": "AAAA", "use": ""}]}]
)
def test_a_pattern_that_is_none_is_refused(changes):
    with pytest.raises(ValueError):
        familiar_from_dict({**capture(bump()).to_dict(), **changes}, 4, 2)


@pytest.mark.parametrize(("beside", "use"), [(1.3, BODY), (1.4, NOT)])
def test_what_goes_another_way_than_the_pattern_is_another_thing(beside, use):
    window = bump()[10:14]
    window[:, 1] = beside * window[:, 0]  # a cosine of 0.6 is reached at 4/3

    assert capture(bump()).nearest(window) == use


@pytest.mark.parametrize(("times", "use"), [(0.3, NOT), (0.6, BODY), (1.4, BODY), (1.6, NOT)])
def test_what_is_much_smaller_or_larger_is_another_thing(times, use):
    steady = bump(first=4, count=22, length=30)[6:]  # begins and ends within it: no window is half a bump

    assert capture(steady[:18]).nearest(times * bump()[10:14]) == use


def test_another_channel_is_another_thing_however_small_it_is():
    window = np.zeros((4, 2), np.float32)
    window[:, 1] = 3.0

    assert capture(bump()).nearest(window) == NOT


def test_what_looks_as_normal_rows_do_is_none_of_it():
    assert capture(bump()).nearest(np.zeros((4, 2), np.float32)) == NOT


def test_noise_is_not_even_like_itself():
    noise = np.random.default_rng(1).normal(0, 6, (60, 6))

    assert not capture(noise, window=8).distinct


def test_a_long_episode_keeps_its_start_and_its_end():
    rows = bump(first=5, count=990, length=1000)

    pattern = capture(rows)

    assert sum(len(part.rows) for part in pattern.parts) <= 15 * 4
    assert pattern.nearest(rows[6:10]) == BODY
    assert pattern.nearest(rows[992:996]) == BODY


def test_said_once_the_same_pattern_alerts_no_more_at_any_phase(bundle):
    at = [500, *range(1000, 10_000, 731)]
    values = flushed(10_000, at)
    inside = {row for first in at[1:] for row in range(first, first + FLUSH_ROWS + 2 * WINDOW)}
    untaught = looking(bundle, StreamSettings("pump1", level=1.5))
    group, *_ = taught(bundle)

    before = alerts(play(untaught, rows_of(values)), inside)
    after = alerts(go_on(group, values, 700), inside)

    assert len(before) >= len(at) - 1
    assert after == []


@pytest.mark.parametrize(
    ("fault", "size"),
    [(range(1010, 1050), 2.0), (range(1060, 1100), 1.0), (range(1300, 1340), 1.0)],
    ids=["on top of it", "right after it", "elsewhere"],
)
def test_a_fault_still_alerts(bundle, fault, size):
    group, *_ = taught(bundle)

    outcomes = go_on(group, flushed(1500, [500, 1000], fault=fault, size=size), 700)

    assert alerts(outcomes, fault)


def test_a_familiar_row_scores_just_under_the_level(bundle):
    group, *_ = taught(bundle)

    outcomes = go_on(group, flushed(1100, [500, 1000]), 700)

    assert max(outcome.score for outcome in outcomes[300:340]) == pytest.approx(0.99)


def test_an_open_episode_ends_and_does_not_come_back(bundle):
    values = flushed(700, [500])
    group, event_id, ends = taught(bundle, end=525)

    assert [(event.event_type, event.id) for event in ends] == [("end", event_id)]
    assert alerts(go_on(group, values, 525), range(525, 600)) == []


def test_the_rest_of_a_pattern_that_was_called_normal_half_way_is_remembered_too(bundle):
    group, *_ = taught(bundle, end=525)

    outcomes = go_on(group, flushed(1100, [500, 1000]), 525)

    assert alerts(outcomes, range(1000, 1100)) == []


def test_it_survives_a_restart_through_the_snapshot(bundle):
    group, event_id, _ = taught(bundle)
    again = looking(bundle, StreamSettings("pump1", level=1.5))

    again.restore(0, json.loads(json.dumps(group.snapshot(0))))

    assert [one.event_id for one in again.normal.patterns(0)] == [event_id]
    assert again.normal.patterns(0)[0].by == "ann"
    assert again.snapshot(0)["normal"] == group.snapshot(0)["normal"]
    assert alerts(go_on(again, flushed(1100, [500, 1000]), 700), range(1000, 1100)) == []


def test_an_episode_can_be_called_normal_after_a_restart(bundle):
    group = looking(bundle, StreamSettings("pump1", level=1.5))
    events = events_of(play(group, rows_of(flushed(520, [500]))))
    again = looking(bundle, StreamSettings("pump1", level=1.5))
    again.restore(0, group.snapshot(0))

    ends = again.call_normal(0, events[-1].id, "")

    assert [event.event_type for event in ends] == ["end"]


def test_a_state_of_before_has_nothing_that_was_called_normal(bundle):
    group, *_ = taught(bundle)
    state = group.snapshot(0)
    del state["normal"]

    group.restore(0, state)

    assert group.normal.patterns(0) == ()


@pytest.mark.parametrize("wrong", [[], {"familiar": [{}]}, {"ended": [3]}])
def test_a_malformed_state_is_refused_and_nothing_changes(bundle, wrong):
    group, event_id, _ = taught(bundle)

    with pytest.raises(ValueError):
        group.restore(0, {**group.snapshot(0), "normal": wrong})

    assert [one.event_id for one in group.normal.patterns(0)] == [event_id]


def test_revoked_it_alerts_again_and_can_be_said_anew(bundle):
    group, event_id, _ = taught(bundle)

    assert group.normal.revoke(0, event_id)
    assert not group.normal.revoke(0, event_id)

    assert alerts(go_on(group, flushed(1100, [500, 1000]), 700), range(1000, 1050))
    group.call_normal(0, event_id, "")
    assert [one.event_id for one in group.normal.patterns(0)] == [event_id]


def test_saying_it_twice_is_saying_it_once(bundle):
    group, event_id, _ = taught(bundle)

    assert group.call_normal(0, event_id, "bob") == ()

    assert [one.by for one in group.normal.patterns(0)] == ["ann"]


def test_an_unknown_episode_is_refused_with_those_that_are_known(bundle):
    group = looking(bundle)
    event = events_of(play(group, rows_of(flushed(520, [500]))))[-1]

    with pytest.raises(FeedbackError, match=f"known are .*{event.id}"):
        group.call_normal(0, "stranger", "")


def test_only_the_last_episodes_are_known(bundle):
    group = looking(bundle)
    at = range(500, 500 + 400 * (ENDED + 3), 400)
    play(group, rows_of(flushed(at[-1] + 200, at)))

    assert len(group.normal.known(0)) <= ENDED + 1


def test_a_rule_is_refused_with_the_remedy(bundle):
    group = looking(bundle, StreamSettings("pump1", rules={"flow": ChannelRules(max=12.0)}))
    events = events_of(play(group, rows_of(flushed(510, [500]))))
    rule = next(event for event in events if event.kind == "rule")

    with pytest.raises(FeedbackError, match=r"of kind rule; change the rule in \[stream.rules\]"):
        group.call_normal(0, rule.id, "")


def test_there_is_an_end_to_what_can_be_remembered(bundle):
    group, event_id, _ = taught(bundle)
    state = group.snapshot(0)
    (one,) = state["normal"]["familiar"]
    state["normal"] = {
        "familiar": [{**one, "event_id": f"e{number}"} for number in range(MOST)],
        "ended": [one],
    }
    group.restore(0, state)

    with pytest.raises(FeedbackError, match="revoke one, such as e0"):
        group.call_normal(0, event_id, "")

    assert len(group.normal.patterns(0)) == MOST
