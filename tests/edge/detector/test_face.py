"""A detector alone gives what the agent's group gives, closes what is open, and says what is wrong with a reading."""

import dataclasses
import json
import math

import numpy as np
import pytest

from edge.detector.bundle.files import Bundle
from edge.detector.bundle.rules import ChannelRules
from edge.detector.events.settings import StreamSettings
from edge.detector.face import Detector, Options
from edge.detector.learn.prepare import CalibrationError
from edge.detector.outcome import Outcome
from edge.detector.replay import Recording, replay
from edge.wire.events import Event
from tests.helpers.rig import CHANNELS, START, WINDOW, group_of, network, normal, play, rows_of, with_fault
from tests.helpers.rig import write_rig_bundle as write_bundle

pytestmark = pytest.mark.arm

PUMP = "models/pump"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Bundle:
    return write_bundle(tmp_path_factory.mktemp("bundles") / "rig")


def detector_of(bundle: Bundle, **options) -> Detector:
    return Detector(bundle, bundle.variants[0], network(), StreamSettings(**{"id": "pump1", **options}))


def pairs(values: np.ndarray, start: float = START) -> list[tuple[float, np.ndarray]]:
    return [(start + number, row) for number, row in enumerate(values)]


def updated(detector: Detector, values: np.ndarray, start: float = START) -> list[Outcome]:
    return [outcome for time, row in pairs(values, start) for outcome in detector.update(time, row)]


def same(events: list[Event]) -> list[Event]:
    """Without what is drawn by chance."""
    return [dataclasses.replace(event, id="") for event in events]


# The same as the agent


def test_outcomes_and_events_are_those_of_a_group_that_plays_the_rows(bundle):
    values = with_fault(normal(300), 150, 40)

    found = updated(detector_of(bundle), values)

    wanted = play(group_of(bundle), rows_of(values))
    np.testing.assert_array_equal([one.score for one in found], [one.score for one in wanted])
    assert [one.time for one in found] == [one.time for one in wanted]
    assert [one.anomaly for one in found] == [one.anomaly for one in wanted]
    assert [one.shares for one in found] == [one.shares for one in wanted]
    events, expected = ([event for one in played for event in one.events] for played in (found, wanted))
    assert same(events) == same(expected)
    assert {event.event_type for event in events} >= {"new", "end"}


def test_events_are_those_of_a_replay_also_between_the_instants_of_the_grid(bundle):
    values = with_fault(normal(200), 150, 50)
    times = START + np.arange(200) * 0.999 - 0.3
    detector = detector_of(bundle)

    events = [
        event
        for time, row in zip(times.tolist(), values, strict=True)
        for one in detector.update(time, row)
        for event in one.events
    ]
    events += detector.close()

    (wanted,) = replay(group_of(bundle), [Recording(times, values)], bundle.aligner)
    assert same(events) == same(wanted.events)
    assert events[-1].event_type == "end"


def test_a_mapping_gives_what_a_sequence_gives_and_channels_may_come_apart(bundle):
    whole, apart = detector_of(bundle), detector_of(bundle)
    outcomes = []

    for time, row in pairs(normal(40)):
        for name, value in zip(CHANNELS, row.tolist(), strict=True):
            outcomes += apart.update(time, {name: value})

    assert [one.score for one in outcomes][WINDOW:] == [one.score for one in updated(whole, normal(40))][WINDOW:]


def test_a_channel_without_a_reading_is_left_out_or_none(bundle):
    left_out, none = detector_of(bundle), detector_of(bundle)
    for detector in (left_out, none):
        updated(detector, normal(30))
    values = dict(zip(CHANNELS, normal(1, start=30)[0], strict=True))

    first = [*left_out.update(START + 30, {**values, "flow": None}), *left_out.flush()]
    del values["flow"]
    second = [*none.update(START + 30, values), *none.flush()]

    assert len(first) == len(second) == 1
    assert first[0].score == second[0].score


def test_the_committed_bundle_finds_a_flow_that_leaves_the_others():
    detector = Detector.load(PUMP, level=1.0, id="p1")
    center = detector.bundle.scaler.center[0]
    noise = np.random.default_rng(0).normal(0, 0.02, (240, len(center))) * detector.bundle.scaler.scale[0]
    values = center + noise
    values[120:, 1] *= 0.3

    outcomes = updated(detector, values)

    (event,) = [event for one in outcomes for event in one.events if event.event_type == "new"]
    assert event.stream == "p1"
    assert event.contributors[0].channel == outcomes[130].top_channel == "flow"
    assert outcomes[130].expected["flow"] > outcomes[130].tolerance["flow"] > 0


# Flush, close


def test_flush_closes_the_row_that_waits_for_a_channel(bundle):
    detector = detector_of(bundle)

    assert detector.update(START, {"flow": 10.0}) == ()
    assert [one.time for one in detector.flush()] == [START]
    assert detector.flush() == ()


def test_close_ends_open_episodes_and_the_detector_goes_on_with_an_earlier_recording(bundle):
    detector = detector_of(bundle)
    updated(detector, with_fault(normal(200), 150, 50))

    ends = detector.close()

    assert [(event.event_type, event.end_time) for event in ends] == [("end", START + 199)]
    assert detector.close() == ()
    again = updated(detector, normal(40), START - 5000)
    assert math.isnan(again[WINDOW - 2].score)
    assert not math.isnan(again[WINDOW - 1].score)
    assert not any(one.events for one in again)


def test_close_without_a_reading_gives_nothing(bundle):
    assert detector_of(bundle).close() == ()


# Own calibration


def test_calibrating_is_what_a_stream_does_that_commissions_itself(bundle):
    own, later = normal(900, seed=5), with_fault(normal(200, seed=6, start=900), 120, 40)
    called, waited = detector_of(bundle), detector_of(bundle, calibrate_rows=900)

    called.calibrate(pairs(own))

    assert {one.anomaly for one in updated(waited, own)[:-1]} == {"commissioning"}
    first, second = (updated(one, later, START + 900) for one in (called, waited))
    assert [one.score for one in first] == [one.score for one in second]
    assert same([event for one in first for event in one.events]) == same([e for one in second for e in one.events])


def test_rows_that_do_not_suffice_leave_the_detector_as_it_was(bundle):
    detector = detector_of(bundle)
    updated(detector, normal(100))
    before = detector.snapshot()

    with pytest.raises(CalibrationError, match="rows"):
        detector.calibrate(pairs(normal(20)))
    with pytest.raises(ValueError, match="no readings"):
        detector.calibrate([])

    assert detector.snapshot() == before
    assert not math.isnan(detector.update(START + 100, normal(1, start=100)[0])[0].score)


def test_a_snapshot_brings_back_own_calibration_and_open_episode(bundle):
    first, second = detector_of(bundle), detector_of(bundle)
    first.calibrate(pairs(normal(900, seed=5)))
    faulty = with_fault(normal(100, start=900), 50, 50)
    new = next(event for one in updated(first, faulty, START + 900) for event in one.events)

    second.restore(json.loads(json.dumps(first.snapshot())))

    assert second.snapshot() == first.snapshot()
    later = updated(second, normal(100, start=1000), START + 1000)
    assert [event.id for one in later for event in one.events if event.event_type == "end"] == [new.id]


def test_the_snapshot_of_another_bundle_is_refused(bundle, tmp_path):
    other = detector_of(write_bundle(tmp_path / "other", timezone="Europe/Berlin"))

    with pytest.raises(ValueError, match="another"):
        detector_of(bundle).restore(other.snapshot())


# What is wrong


@pytest.mark.parametrize(
    ("time", "values", "message"),
    [
        (START, {"flwo": 1.0}, "rig has no channel 'flwo'; its channels are flow, pressure, current"),
        (START, [1.0, 2.0], "2 values for 3 channels; wanted one for each of flow, pressure, current"),
        (START, [1.0, math.nan, 2.0], "pressure is nan.*leave it out, or give None"),
        (START, {"current": math.inf}, "current is inf.*leave it out"),
        (START, {"current": "high"}, "current is 'high', which is no number"),
        (START * 1000, [1.0, 2.0, 3.0], "no Unix time in seconds; is it in milliseconds"),
        (math.nan, [1.0, 2.0, 3.0], "nan is no Unix time"),
        (START - 2, [1.0, 2.0, 3.0], "lies 2 s before that of the last reading"),
    ],
)
def test_a_reading_that_cannot_be_right_is_refused_with_what_to_do_and_changes_nothing(bundle, time, values, message):
    detector, untouched = detector_of(bundle), detector_of(bundle)
    for one in (detector, untouched):
        one.update(START, normal(1)[0])

    with pytest.raises(ValueError, match=message):
        detector.update(time, values)

    rest = normal(40, start=1)
    assert [one.score for one in updated(detector, rest, START + 1)][WINDOW:] == [
        one.score for one in updated(untouched, rest, START + 1)
    ][WINDOW:]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"level": 0.0}, "level is 0.0; wanted a number above 0"),
        ({"min_windows": 0}, "min_windows is 0; wanted 1 or more"),
        ({"calibrate_rows": -1}, "calibrate_rows is -1"),
        ({"rules": {"flwo": ChannelRules(max=3.0)}}, "a rule for 'flwo': pump has no such channel"),
    ],
)
def test_an_option_that_cannot_be_right_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Detector.load(PUMP, **options)


def test_learned_rules_are_the_bundles_and_own_ones_go_before_them():
    detector = Detector.load(PUMP, learned_rules=True, rules={"flow": ChannelRules(max=0.5)})

    outcomes = updated(detector, np.tile(detector.bundle.scaler.center[0], (5, 1)))

    kinds = {event.rule.name for one in outcomes for event in one.events}
    assert kinds == {"max"}


def test_the_options_are_those_of_a_stream():
    assert list(Options.__annotations__) == [field.name for field in dataclasses.fields(StreamSettings)]
