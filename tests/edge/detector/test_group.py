"""A group of streams: which rows give which events, with one id from new to end."""

import itertools
import math

import jsonschema
import numpy as np
import pytest

from edge.detector.bundle.files import Bundle
from edge.detector.bundle.rules import ChannelRules
from edge.detector.group import StreamSettings
from edge.detector.rows.row import Row
from edge.wire.events import EventMessage, event_schema, message_to_dict
from tests.helpers.rig import (
    CHANNELS,
    FAULT,
    START,
    WINDOW,
    events_of,
    group_of,
    network,
    normal,
    play,
    rows_of,
    with_fault,
)
from tests.helpers.rig import write_rig_bundle as write

BEGIN, LENGTH, COUNT = 60, 90, 300
"""Rows before the fault, in it, and in all."""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Bundle:
    return write(tmp_path_factory.mktemp("bundles") / "rig")


def faulty(seed: int = 4) -> list[Row]:
    return rows_of(with_fault(normal(COUNT, seed), BEGIN, LENGTH))


@pytest.fixture(scope="module")
def outcomes(bundle):
    return play(group_of(bundle), faulty())


def test_normal_rows_make_no_event_and_hardly_ever_pass_the_level(bundle):
    outcomes = play(group_of(bundle), rows_of(normal(COUNT, seed=4)))
    scores = np.array([outcome.score for outcome in outcomes[WINDOW:]])

    assert events_of(outcomes) == []
    assert (scores > 1.0).mean() < 0.01
    assert np.median(scores) < 0.5
    assert {outcome.anomaly for outcome in outcomes} == {"OFF"}


def test_there_is_no_score_until_the_window_is_full(bundle):
    outcomes = play(group_of(bundle), rows_of(normal(WINDOW + 5)))

    assert [math.isnan(outcome.score) for outcome in outcomes] == [True] * (WINDOW - 1) + [False] * 6
    assert [outcome.top_channel is None for outcome in outcomes[: WINDOW + 1]] == [True] * (WINDOW - 1) + [False] * 2


def test_a_fault_makes_one_episode_with_one_id_from_new_to_end(outcomes):
    events = events_of(outcomes)

    assert events[0].event_type == "new"
    assert events[-1].event_type == "end"
    assert {event.event_type for event in events[1:-1]} <= {"update"}
    assert {event.id for event in events} == {"id-1"}
    assert {(event.stream, event.kind) for event in events} == {("pump1", "anomaly")}


def test_an_episode_starts_at_the_onset_and_ends_after_the_fault(outcomes):
    first, last = events_of(outcomes)[0], events_of(outcomes)[-1]

    assert START + BEGIN <= first.start_time <= first.time <= START + BEGIN + WINDOW
    assert first.end_time is None
    assert START + BEGIN + LENGTH <= last.end_time < last.time
    assert {event.start_time for event in events_of(outcomes)} == {first.start_time}


def test_the_state_is_on_while_the_episode_is_open_and_names_it(outcomes):
    times = {event.event_type: event.time for event in events_of(outcomes)}
    on = [outcome.time for outcome in outcomes if outcome.anomaly == "ON"]

    assert on == [outcome.time for outcome in outcomes if times["new"] <= outcome.time < times["end"]]
    assert {outcome.event_id for outcome in outcomes if outcome.anomaly == "ON"} == {"id-1"}
    assert {outcome.event_id for outcome in outcomes if outcome.anomaly == "OFF"} == {None}


def test_the_broken_channel_is_blamed_with_its_value_and_what_was_expected(outcomes):
    new = events_of(outcomes)[0]
    flow = new.contributors[0]
    index = round(new.time - START)

    assert flow.channel == "flow"
    assert flow.unit == "V"
    assert flow.value == pytest.approx(faulty()[index].values[0], rel=1e-5)
    assert flow.expected is not None
    assert abs(flow.expected - flow.value) > 1.0
    assert flow.share > 0.5
    assert sum(part.share for part in new.contributors) <= 1.0 + 1e-3
    assert [part.share for part in new.contributors] == sorted((p.share for p in new.contributors), reverse=True)


def test_the_top_score_is_the_highest_so_far_and_severity_goes_with_it(outcomes):
    for event in events_of(outcomes):
        seen = [o.score for o in outcomes if o.event_id == "id-1" and o.time <= event.time]
        assert event.top_score == pytest.approx(max([event.score, *seen]), abs=1e-3)
        assert event.severity == ("critical" if event.top_score >= 2.0 else "warning")


def test_a_return_period_is_not_told_where_the_calibration_cannot_know_it(outcomes, bundle):
    span_s = bundle.variants[0].calibration["span_s"]

    for event in events_of(outcomes):
        assert event.return_period_s is None or 0 < event.return_period_s <= 10 * span_s


def test_updates_are_as_often_as_asked_and_never_closer_than_five_seconds(bundle):
    for every_s in (0.0, 5.0, 20.0):
        group = group_of(bundle, StreamSettings("pump1", update_every_s=every_s))
        said = [event.time for event in events_of(play(group, faulty())) if event.event_type != "end"]

        steps = [after - before for before, after in itertools.pairwise(said)]
        assert steps
        assert min(steps) >= 5.0
        assert max(steps) <= max(every_s, 5.0) + 2, "a row under the alarm level is not told"


def test_the_window_of_an_event_is_the_one_that_was_scored(outcomes):
    for event in events_of(outcomes):
        scored = event.time if event.end_time is None else event.end_time
        assert (event.window.start, event.window.end, event.window.rows) == (scored - WINDOW + 1, scored, WINDOW)


def test_every_event_is_one_of_the_published_schema(bundle):
    rules = {"flow": ChannelRules(max=12.0, flat_for_s=5.0, silent_for_s=5.0, max_rate=3.0)}
    group = group_of(bundle, StreamSettings("pump1", rules=rules))
    values = with_fault(normal(COUNT, 3), BEGIN, LENGTH)
    values[200:215, 0] = np.nan
    events = [*events_of(play(group, rows_of(values))), *group.close(0, START + COUNT)]

    assert {event.kind for event in events} == {"anomaly", "rule", "sensor"}
    for seq, event in enumerate(events, 1):
        jsonschema.validate(message_to_dict(EventMessage(event, "gw-1", "log", seq)), event_schema())


def test_a_fault_that_is_over_makes_no_second_episode(bundle):
    streams = [StreamSettings(f"s{number}") for number in range(12)]
    group = group_of(bundle, *streams)
    recordings = [rows_of(with_fault(normal(COUNT, 200 + n), BEGIN, LENGTH)) for n in range(len(streams))]
    outcomes = [one for row in zip(*recordings, strict=True) for one in group.process(list(enumerate(row)))]

    told = [event.stream for event in events_of(outcomes) if event.event_type == "new"]

    assert len(told) <= len(streams) + 1, "normal rows alone make one in three thousand"


def test_a_channel_that_drops_out_is_no_anomaly_of_the_machine(bundle):
    values = normal(COUNT, 4)
    values[150:, 1] = np.nan

    assert events_of(play(group_of(bundle), rows_of(values))) == []


def test_two_faults_far_apart_have_two_ids(bundle):
    values = with_fault(with_fault(normal(600, 3), 60, 60), 400, 60)

    outcomes = play(group_of(bundle), rows_of(values))

    assert outcomes[80].event_id is not None
    assert outcomes[420].event_id is not None
    assert outcomes[80].event_id != outcomes[420].event_id
    assert outcomes[300].event_id is None


@pytest.mark.parametrize("lasted", [20, 100])
@pytest.mark.parametrize(("silence", "ids"), [(WINDOW, 1), (4 * WINDOW, 2)])
def test_a_fault_that_comes_back_after_a_short_silence_is_the_same_episode(bundle, lasted, silence, ids):
    values = with_fault(normal(60 + lasted + silence + 30, 3), 60, lasted)
    values = with_fault(values, 60 + lasted + silence, 30)

    outcomes = play(group_of(bundle), rows_of(values))

    assert len({outcome.event_id for outcome in outcomes} - {None}) == ids


@pytest.mark.parametrize("wanted", [1, 3, 10])
def test_an_episode_opens_after_as_many_scores_above_the_level_as_asked(bundle, wanted):
    group = group_of(bundle, StreamSettings("pump1", min_windows=wanted))
    outcomes = play(group, faulty())
    new = next(event for event in events_of(outcomes) if event.event_type == "new")
    above = [outcome.score > 1.0 for outcome in outcomes if outcome.time <= new.time]

    assert all(above[-wanted:])
    assert above[:-wanted].count(True) == 0, "with the first of the fault it begins to count"


def test_a_higher_level_lowers_every_score_alike(bundle):
    # Neither of them alarms: charts begin anew where an alarm ends.
    usual = play(group_of(bundle, StreamSettings("pump1", level=1e4)), faulty())
    lowered = play(group_of(bundle, StreamSettings("pump1", level=4e4)), faulty())

    assert not any(o.alarm for o in usual)
    assert [o.score for o in lowered] == pytest.approx([o.score / 4.0 for o in usual], nan_ok=True)


def test_the_end_of_the_stream_ends_what_is_open(bundle):
    group = group_of(bundle, StreamSettings("pump1", rules={"flow": ChannelRules(max=12.0)}))
    play(group, faulty()[: BEGIN + 30])

    ends = group.close(0, START + 1000)

    assert [(event.event_type, event.kind, event.end_time) for event in ends] == [
        ("end", "anomaly", START + 1000),
        ("end", "rule", START + 1000),
    ]
    assert group.close(0, START + 1001) == ()
    assert group.snapshot(0)["open"] == {}


def test_rules_alarm_beside_the_score_with_ids_of_their_own(bundle):
    group = group_of(bundle, StreamSettings("pump1", rules={"flow": ChannelRules(max=12.0)}))
    events = events_of(play(group, faulty()))
    ids = {kind: {event.id for event in events if event.kind == kind} for kind in ("anomaly", "rule")}

    assert [len(found) for found in ids.values()] == [1, 1]
    assert ids["anomaly"] != ids["rule"]


def test_silence_alarms_when_no_row_comes_and_ends_when_one_does(bundle):
    group = group_of(bundle, StreamSettings("pump1", rules={"flow": ChannelRules(silent_for_s=10.0)}))
    play(group, rows_of(normal(20)))

    assert group.idle(0, START + 28.9) == ()
    (new,) = group.idle(0, START + 29.0)
    (end,) = events_of(play(group, rows_of(normal(20), START + 100)))
    assert (new.kind, new.start_time) == ("sensor", START + 19)
    assert (end.id, end.end_time) == (new.id, START + 100)


# Gaps and clocks


def test_after_a_gap_the_window_starts_over_and_an_open_episode_goes_on(bundle):
    group = group_of(bundle)
    play(group, faulty()[: BEGIN + 20])
    after = play(group, rows_of(with_fault(normal(40, 5), 0, 40), START + 500))

    assert [math.isnan(outcome.score) for outcome in after[:WINDOW]] == [True] * (WINDOW - 1) + [False]
    assert {outcome.event_id for outcome in after} == {"id-1"}


def test_a_clock_set_back_ends_an_open_episode_where_the_old_clock_stood(bundle):
    group = group_of(bundle, StreamSettings("pump1", rules={"flow": ChannelRules(max=12.0)}))
    play(group, faulty()[: BEGIN + 20])
    events = events_of(play(group, rows_of(normal(100, 5), START - 5000)))

    assert [(event.event_type, event.end_time) for event in events] == [("end", START + BEGIN + 19)] * 2
    assert all(event.start_time <= event.end_time for event in events)


def test_no_episode_outlives_a_clock_that_was_set_forward_and_back(bundle):
    group = group_of(bundle)
    play(group, faulty()[: BEGIN + 20])
    ahead = play(group, rows_of(with_fault(normal(50), 0, 50), START + 1e6))
    back = play(group, rows_of(normal(100, 5), START + 200))

    assert ahead[-1].event_id == "id-1"
    assert [(event.event_type, event.end_time) for event in back[0].events] == [("end", START + 1e6 + 49)]
    assert "id-1" not in {outcome.event_id for outcome in back}


# Stride


@pytest.mark.parametrize("stride", [2, 5])
def test_between_two_inferences_rows_carry_the_last_score(tmp_path, stride):
    model = network()
    group = group_of(write(tmp_path, stride=stride), network=model)
    scores = [outcome.score for outcome in play(group, rows_of(normal(60)))]

    assert all(math.isnan(score) for score in scores[: WINDOW - 1])
    scores = scores[WINDOW - 1 :]
    assert scores == [scores[number - number % stride] for number in range(len(scores))]
    assert len(model.batches) == math.ceil(len(scores) / stride)


# Many streams


def test_streams_of_one_group_give_what_each_gives_alone(bundle):
    count = 5
    names = [StreamSettings(f"s{number}") for number in range(count)]
    recordings = [rows_of(with_fault(normal(200, 10 + n), 40 + 7 * n, 60, [1.0 * n, 0, 0])) for n in range(count)]
    group = group_of(bundle, *names)
    together = [[] for _ in names]
    for step in range(200):
        batch = [(stream, rows[step]) for stream, rows in enumerate(recordings) if (step + stream) % 17]
        for outcome in group.process(batch):
            together[outcome.stream].append(outcome)

    for stream, rows in enumerate(recordings):
        alone = play(group_of(bundle, names[stream]), [row for step, row in enumerate(rows) if (step + stream) % 17])
        assert [o.score for o in together[stream]] == pytest.approx([o.score for o in alone], rel=1e-6, nan_ok=True)
        assert [o.anomaly for o in together[stream]] == [o.anomaly for o in alone]
        assert [o.top_channel for o in together[stream]] == [o.top_channel for o in alone]
        assert [(e.event_type, e.time) for e in events_of(together[stream])] == [
            (e.event_type, e.time) for e in events_of(alone)
        ]


def test_rows_that_failed_together_give_one_by_one_what_they_would_have_given(bundle):
    class Flaky:
        """Refuses three batches of two, as a runtime that is short of memory would."""

        def __init__(self) -> None:
            self.good, self.batches = network(), 0

        def run(self, windows: np.ndarray) -> np.ndarray:
            self.batches += len(windows) > 1
            if len(windows) > 1 and self.batches in (10, 70, 200):
                raise MemoryError("batch of 2")
            return self.good.run(windows)

    rules = {"flow": ChannelRules(max=12.0)}
    streams = [StreamSettings(name, rules=rules) for name in ("a", "b")]
    flaky, good = group_of(bundle, *streams, network=Flaky()), group_of(bundle, *streams)
    found, wanted = [], []
    for row in faulty():
        batch = [(0, row), (1, row)]
        try:
            found += flaky.process(batch)
        except MemoryError:
            found += [outcome for part in batch for outcome in flaky.process([part])]
        wanted += good.process(batch)

    said = [[(one.event_type, one.stream, one.kind) for one in events_of(each)] for each in (found, wanted)]
    assert [one for one in said[0] if one[0] != "update"] == [one for one in said[1] if one[0] != "update"]


def test_streams_whose_rows_come_together_are_scored_in_one_call(bundle):
    model = network()
    group = group_of(bundle, *(StreamSettings(f"s{n}") for n in range(6)), network=model)
    rows = rows_of(normal(WINDOW + 3))
    for row in rows:
        group.process([(stream, row) for stream in range(6)])

    assert model.batches == [6] * 4


# Readings that are missing or wrong


@pytest.fixture
def recovered(bundle):
    """Feeds rows in which some values were replaced, then normal ones; the outcomes of both."""

    def feed(replace) -> tuple[list, list]:
        group = group_of(bundle)
        values = normal(400, 6)
        replace(values[100:130])
        outcomes = play(group, rows_of(values))
        return outcomes[100:130], outcomes[300:]

    return feed


def test_a_row_without_any_value_is_not_scored_and_ends_no_episode(bundle):
    group = group_of(bundle)
    rows = faulty()
    play(group, rows[: BEGIN + 20])
    blank = [row._replace(values=np.full(3, np.nan)) for row in rows[BEGIN + 20 : BEGIN + 60]]
    outcomes = play(group, blank)

    assert all(math.isnan(outcome.score) for outcome in outcomes)
    assert {(outcome.anomaly, outcome.top_channel) for outcome in outcomes} == {("ON", None)}


def test_a_missing_channel_is_never_blamed_and_the_others_are_still_watched(bundle):
    values = with_fault(normal(300, 6), BEGIN, LENGTH)
    values[:, 2] = np.nan

    outcomes = play(group_of(bundle), rows_of(values))

    parts = [part for event in events_of(outcomes) for part in event.contributors]
    assert "current" not in {part.channel for part in parts}
    assert outcomes[BEGIN + 5].anomaly == "ON"
    assert outcomes[BEGIN + 5].top_channel == "flow"


@pytest.mark.parametrize("value", [1e14, -1e14, 1e300, -1e300])
def test_an_absurd_value_gives_a_finite_score_and_passes_again(recovered, value):
    def spoil(values):
        values[0] = value

    during, after = recovered(spoil)

    assert all(math.isfinite(outcome.score) for outcome in during)
    assert np.median([outcome.score for outcome in after]) < 0.5
    assert {outcome.anomaly for outcome in after} == {"OFF"}


def test_readings_missing_at_random_give_finite_scores_and_are_forgotten(recovered):
    def spoil(values):
        values[np.random.default_rng(0).random(values.shape) < 0.3] = np.nan

    during, after = recovered(spoil)

    assert all(math.isfinite(outcome.score) for outcome in during)
    assert {outcome.anomaly for outcome in after} == {"OFF"}


def test_a_channel_that_stands_still_while_it_should_move_is_found(bundle):
    values = normal(600, 6)
    values[200:400, 0] = values[199, 0]

    assert any(event.event_type == "new" for event in events_of(play(group_of(bundle), rows_of(values))))


def test_channels_are_those_of_the_bundle(bundle):
    assert bundle.channel_names == CHANNELS
    assert len(FAULT) == len(CHANNELS)
