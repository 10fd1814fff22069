"""What a stream keeps over a restart, and how it commissions itself on its own first rows."""

import copy
import dataclasses
import json
import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.detector.bundle.files import Bundle, BundleError, write_bundle
from edge.detector.bundle.rules import ChannelRules
from edge.detector.group import StreamGroup, StreamSettings
from edge.detector.learn.commissioning import bundle_calibration
from edge.detector.rows.row import Row
from tests.fuzz.inputs import places, replaced
from tests.helpers.rig import (
    FAULT,
    START,
    WINDOW,
    events_of,
    group_of,
    normal,
    play,
    rows_of,
    variant,
    with_fault,
    write_rig_bundle,
)

OWN = StreamSettings("pump1", calibrate_rows=200)
RULES = StreamSettings("pump1", rules={"flow": ChannelRules(max=12.0)})


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Bundle:
    return write_rig_bundle(tmp_path_factory.mktemp("bundles") / "rig")


@pytest.fixture(scope="module")
def state(bundle) -> dict:
    return in_fault(bundle).snapshot(0)


def in_fault(bundle: Bundle, settings: StreamSettings = RULES) -> StreamGroup:
    """Normal rows, then 20 of a fault: both episodes are open."""
    group = group_of(bundle, settings)
    play(group, rows_of(with_fault(normal(80, 3), 60, 20)))
    return group


def restarted(bundle: Bundle, group: StreamGroup, settings: StreamSettings = RULES) -> StreamGroup:
    again = group_of(bundle, settings)
    again.restore(0, json.loads(json.dumps(group.snapshot(0), allow_nan=False)))
    return again


# Over a restart


def test_a_snapshot_is_plain_json_and_restores_to_itself(bundle):
    group = in_fault(bundle)

    assert restarted(bundle, group).snapshot(0) == group.snapshot(0)


def test_an_open_episode_goes_on_under_its_id_and_ends_when_the_fault_does(bundle):
    group = in_fault(bundle)
    before = {json.dumps(part["event"]["id"]) for part in group.snapshot(0)["open"].values()}
    again = restarted(bundle, group)

    during = play(again, rows_of(with_fault(normal(40, 5), 0, 40), START + 200))
    after = play(again, rows_of(normal(500, 7), START + 240))

    assert {outcome.anomaly for outcome in during} == {"ON"}
    assert {event.event_type for event in events_of(during)} <= {"update"}
    ends = [event for event in events_of(after) if event.event_type == "end"][:2]
    assert {json.dumps(event.id) for event in ends} == before
    assert {event.kind for event in ends} == {"anomaly", "rule"}


def test_an_episode_whose_fault_was_gone_at_the_restart_ends_with_the_first_low_score(bundle):
    again = restarted(bundle, in_fault(bundle))

    outcomes = play(again, rows_of(normal(60 * WINDOW, 7), START + 200))

    *calming, end = [event for event in events_of(outcomes) if event.kind == "anomaly"]
    assert end.event_type == "end"
    assert [event.calming for event in calming] == [True]
    assert end.end_time <= START + 200 + WINDOW
    assert end.start_time < START + 80
    assert outcomes[-1].anomaly == "OFF"


def test_an_episode_that_had_fallen_quiet_ends_when_it_fell_quiet_whatever_the_restart_took(bundle):
    group = group_of(bundle, StreamSettings("pump1"))
    quiet = []
    for row in rows_of(with_fault(normal(200, 3), 60, 20)):
        quiet += group.process([(0, row)])
        if quiet[-1].anomaly == "ON" and not quiet[-1].alarm:
            break
    again = restarted(bundle, group, StreamSettings("pump1"))

    outcomes = play(again, rows_of(normal(10, 7), START + 400))

    assert [event.event_type for event in events_of(outcomes)] == ["end"]
    assert events_of(outcomes)[0].end_time == quiet[-1].time
    assert not any(outcome.alarm for outcome in outcomes)


@pytest.mark.parametrize("calm", [{}, {"time": None}, {"time": "x", "score": 1, "return_period_s": 1}, 7])
def test_a_malformed_calm_row_is_refused(bundle, state, calm):
    broken = copy.deepcopy(state)
    broken["open"][""]["calm"] = calm

    with pytest.raises(ValueError):
        group_of(bundle, RULES).restore(0, broken)


def test_after_a_restart_there_is_no_score_until_the_window_is_full(bundle):
    outcomes = play(restarted(bundle, in_fault(bundle)), rows_of(normal(WINDOW), START + 81)[1:])

    assert all(math.isnan(outcome.score) for outcome in outcomes)


def test_an_open_episode_ends_where_it_was_said_last_when_the_clock_went_back_over_the_restart(bundle):
    group = in_fault(bundle)
    last = max(part["event"]["time"] for part in group.snapshot(0)["open"].values())

    events = events_of(play(restarted(bundle, group), rows_of(normal(20, 7), 5000.0)))

    assert [event.event_type for event in events] == ["end", "end"]
    assert all(event.start_time <= event.end_time <= last for event in events)


def test_updates_keep_their_distance_over_a_restart(bundle):
    group = in_fault(bundle)
    said = max(part["said_at"] for key, part in group.snapshot(0)["open"].items() if key == "")
    again = restarted(bundle, group)

    events = events_of(play(again, rows_of(with_fault(normal(80, 5), 0, 80), START + 80)))

    assert min(event.time for event in events if event.kind == "anomaly") >= said + 5.0


def test_the_baseline_goes_on_where_it_was(bundle):
    group = group_of(bundle)
    play(group, rows_of(normal(300) + np.array([0.5, 0.0, 0.0])))
    baseline = np.array(group.snapshot(0)["baseline"])

    again = restarted(bundle, group, StreamSettings("pump1"))

    assert abs(baseline[0, 0]) > 0.01
    assert np.array(again.snapshot(0)["baseline"]) == pytest.approx(baseline)


def test_a_start_from_a_state_saved_before_the_first_window_is_a_first_start(bundle):
    young, old = group_of(bundle), group_of(bundle)
    play(young, rows_of(normal(bundle.window - 1)))
    play(old, rows_of(normal(300)))

    assert [group.snapshot(0)["learned"] for group in (young, restarted(bundle, young))] == [False, False]
    assert [group.snapshot(0)["learned"] for group in (old, restarted(bundle, old))] == [True, True]


def test_a_state_of_version_0_1_has_learned_where_its_baseline_moved(bundle):
    group = group_of(bundle)
    play(group, rows_of(normal(300)))
    state = {key: value for key, value in group.snapshot(0).items() if key != "learned"}
    still = {**state, "baseline": np.zeros_like(state["baseline"]).tolist()}

    learned = []
    for body in (state, still):
        again = group_of(bundle)
        again.restore(0, body)
        learned.append(again.snapshot(0)["learned"])

    assert learned == [True, False]


def test_restoring_puts_back_the_whole_state_whatever_came_between(bundle):
    fresh = group_of(bundle).snapshot(0)
    group = in_fault(bundle)

    group.restore(0, fresh)

    rows = rows_of(with_fault(normal(200, 8), 100, 50), START + 5)
    found, wanted = play(group, rows), play(group_of(bundle), rows)
    assert [o.score for o in found] == pytest.approx([o.score for o in wanted], nan_ok=True)
    assert [(e.event_type, e.time) for e in events_of(found) if e.kind == "anomaly"] == [
        (e.event_type, e.time) for e in events_of(wanted)
    ]


# States that cannot be used


def removed(body: dict, path: tuple) -> dict:
    body = copy.deepcopy(body)
    part = body
    for key in path[:-1]:
        part = part[key]
    del part[path[-1]]
    return body


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"version": None},
        {"bundle": "another"},
        {"baseline": [[0.0]]},
        {"baseline": [[math.nan] * 3]},
        {"baseline": [[10**400] * 3]},
        {"baseline": None},
        {"open": []},
        {"open": {"": {}}},
        {"open": 7},
        {"calibration": {}},
    ],
)
def test_a_malformed_state_is_refused_and_changes_nothing(bundle, change):
    group = in_fault(bundle)
    before = group.snapshot(0)

    with pytest.raises(ValueError):
        group.restore(0, {**before, **change})

    assert group.snapshot(0) == before
    assert [event.event_type for event in group.close(0, START + 100)] == ["end", "end"]


def test_every_field_of_a_state_is_needed(bundle):
    own = group_of(bundle, OWN)
    play(own, rows_of(normal(200)))
    state = own.snapshot(0)
    for path in [place for place in places(state) if place and all(isinstance(key, str) for key in place)]:
        if path[-1] in ("fitted_range", "normal", "learned") or "normal" in path:
            continue  # states of before have none
        if path[:-1] == ("calibration", "members"):
            continue  # members may come and go
        with pytest.raises(ValueError):
            group_of(bundle, OWN).restore(0, removed(state, path))


def test_an_episode_under_the_key_of_another_kind_is_refused(bundle):
    group = in_fault(bundle)
    state = group.snapshot(0)
    state["open"]["max:flow"] = state["open"][""]

    with pytest.raises(ValueError, match="max:flow"):
        group.restore(0, state)


def test_an_episode_that_is_over_is_refused(bundle):
    group = in_fault(bundle)
    state = group.snapshot(0)
    state["open"][""]["event"]["event_type"] = "end"

    with pytest.raises(ValueError, match="over"):
        group.restore(0, state)


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_any_value_anywhere_in_a_state_is_taken_or_a_value_error(bundle, state, data):
    path = data.draw(st.sampled_from(places(state)))
    value = data.draw(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(10**400) | st.just([])
    )
    group = group_of(bundle, RULES)
    fresh = group.snapshot(0)
    try:
        group.restore(0, replaced(state, path, value))
    except ValueError:
        assert group.snapshot(0) == fresh
    else:
        play(group, rows_of(normal(WINDOW + 2), START + 200))


# Commissioning


def test_a_stream_commissions_itself_on_its_first_rows_and_scores_from_then_on(bundle):
    shifted = normal(400, 5) + np.array([3.0, 0.0, 0.0])
    outcomes = play(group_of(bundle, OWN), rows_of(shifted))

    assert {outcome.anomaly for outcome in outcomes[:199]} == {"commissioning"}
    assert all(math.isnan(outcome.score) for outcome in outcomes[:200])
    assert all(math.isfinite(outcome.score) for outcome in outcomes[200:])
    assert np.median([outcome.score for outcome in outcomes[200:]]) < 0.5, "what would be a fault for the bundle"
    assert not {outcome.anomaly for outcome in outcomes[200:]} & {"commissioning"}


def test_the_first_row_after_commissioning_is_scored_with_a_whole_window(bundle):
    fault = with_fault(normal(260, 5), 200, 60)
    events = events_of(play(group_of(bundle, OWN), rows_of(fault)))

    assert START + 200 <= events[0].time <= START + 200 + WINDOW


def test_step_by_step_commissioning_comes_to_the_same(bundle):
    rows = rows_of(normal(230, 5))
    at_once, stepwise = group_of(bundle, OWN), group_of(bundle, OWN, stepwise=True)
    wanted = play(at_once, rows)

    found = play(stepwise, rows[:200])
    steps = 0
    while stepwise.commissioning_under_way(0):
        stepwise.go_on(0)
        steps += 1
    found += play(stepwise, rows[200:])

    assert steps > 400, "each is short"
    assert stepwise.snapshot(0) == at_once.snapshot(0)
    assert [one.score for one in found[200:]] == [one.score for one in wanted[200:]]


def test_commissioning_goes_on_with_rows_collected_before(bundle):
    rows = rows_of(normal(200, 5))
    group, again = group_of(bundle, OWN), group_of(bundle, OWN)
    play(group, rows[:150])

    again.collect(0, group.collected(0))
    play(group, rows[150:])
    play(again, rows[150:])

    assert again.calibration(0).to_dict() == group.calibration(0).to_dict()
    assert group.collected(0) == again.collected(0) == []


def test_the_phase_of_the_stride_goes_on_over_commissioning(tmp_path):
    bundle = write_rig_bundle(tmp_path / "rig", stride=4)

    outcomes = play(group_of(bundle, StreamSettings("pump1", calibrate_rows=202)), rows_of(normal(210)))

    scored = [number for number, outcome in enumerate(outcomes) if math.isfinite(outcome.score)]
    assert scored[0] == 203, "windows are complete at rows 7, 11, ... 199, 203"


def test_while_commissioning_rules_alarm_and_scores_do_not(bundle):
    own = StreamSettings("pump1", calibrate_rows=200, rules={"flow": ChannelRules(max=12.0)})
    outcomes = play(group_of(bundle, own), rows_of(with_fault(normal(150), 60, 30)))

    assert {event.kind for event in events_of(outcomes)} == {"rule"}
    assert {outcome.anomaly for outcome in outcomes} == {"commissioning"}


def test_a_commissioned_stream_stays_so_over_a_restart(bundle):
    group = group_of(bundle, OWN)
    values = normal(400, 5) + np.array([3.0, 0.0, 0.0])
    play(group, rows_of(values[:300]))
    again = restarted(bundle, group, OWN)

    outcomes = play(again, rows_of(values[300:], START + 300))

    assert {outcome.anomaly for outcome in outcomes} == {"OFF"}
    assert again.calibration(0).to_dict() == group.calibration(0).to_dict()


def test_commissioning_begins_anew_when_a_restart_came_in_between(bundle):
    group = group_of(bundle, OWN)
    play(group, rows_of(normal(100)))
    again = restarted(bundle, group, OWN)

    outcomes = play(again, rows_of(normal(200), START + 100))

    assert {outcome.anomaly for outcome in outcomes[:199]} == {"commissioning"}
    assert again.calibration(0) is not None


def test_a_baseline_is_not_carried_over_to_another_calibration(bundle):
    group = group_of(bundle, OWN)
    play(group, rows_of(normal(200)) + rows_of(normal(400) + np.array([0.3, 0.0, 0.0]), START + 200))
    assert np.abs(group.snapshot(0)["baseline"]).max() > 0

    again = restarted(bundle, group, StreamSettings("pump1"))

    assert np.abs(again.snapshot(0)["baseline"]).max() == 0
    assert again.calibration(0).to_dict() == group_of(bundle).calibration(0).to_dict()


def test_a_channel_without_values_delays_commissioning_until_it_has_some(bundle):
    own = StreamSettings("pump1", calibrate_rows=100)
    values = normal(700)
    values[:300, 1] = np.nan
    group = group_of(bundle, own)
    outcomes = play(group, rows_of(values))

    assert {outcome.anomaly for outcome in outcomes[:300]} == {"commissioning"}
    assert group.calibration(0) is not None


def test_too_few_rows_for_a_calibration_are_added_to_until_they_suffice(bundle):
    group = group_of(bundle, StreamSettings("pump1", calibrate_rows=1))
    play(group, rows_of(normal(20 * WINDOW)))

    assert group.calibration(0) is not None


def test_rows_that_never_suffice_do_not_fill_the_memory(bundle):
    group = group_of(bundle, StreamSettings("pump1", calibrate_rows=1))
    most = [0, 0]
    tracemalloc.start()
    for step in range(4000):
        group.process([(0, Row(START + step, np.full(3, np.nan)))])
        most[step // 2000] = max(most[step // 2000], tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()

    assert group.calibration(0) is None
    assert most[1] < most[0] + 20_000


def test_streams_with_and_without_a_calibration_of_their_own_share_a_group(bundle):
    group = group_of(bundle, StreamSettings("a", calibrate_rows=150), StreamSettings("b"))
    rows = rows_of(normal(200))
    outcomes = [group.process([(0, row), (1, row)]) for row in rows]

    assert [first.anomaly for first, _ in outcomes] == ["commissioning"] * 149 + ["OFF"] * 51
    assert {second.anomaly for _, second in outcomes} == {"OFF"}


def test_a_bundle_without_a_calibration_serves_only_streams_that_make_their_own(bundle, tmp_path):
    manifest = json.loads((bundle.folder / "manifest.json").read_text())
    manifest["variants"][0]["calibration"] = None
    bare = write_bundle(tmp_path, manifest, {"float32.tflite": b"model"})

    with pytest.raises(BundleError, match="set calibrate_rows"):
        group_of(bare)
    assert group_of(bare, OWN).calibration(0) is None


def test_a_calibration_that_no_member_takes_part_in_is_refused(bundle, tmp_path):
    body = copy.deepcopy(bundle.variants[0].calibration)
    for member in body["members"].values():
        member["limit"] = None
    blind = write_rig_bundle(tmp_path, variants=[variant(calibration=body)])

    with pytest.raises(BundleError):
        group_of(blind)


def test_a_calibration_with_an_infinite_count_is_malformed_and_not_a_crash(bundle):
    [variant] = bundle.variants
    endless = dataclasses.replace(variant, calibration={**variant.calibration, "rows": math.inf})

    with pytest.raises(BundleError, match="malformed"):
        bundle_calibration(bundle, endless)


def test_a_fault_is_as_large_as_the_tests_take_it_to_be():
    assert normal(1000)[:, 0].max() < 12.0 < normal(1000)[:, 0].min() + FAULT[0]
