import numpy as np
import pytest

from edge.detector.group import StreamSettings
from tests.helpers.rig import CHANNELS, START, WINDOW, events_of, group_of, normal, play, rows_of, write_rig_bundle

RAMP = 5000
"""Rows over which a channel creeps: slowly enough that its baseline follows in control."""
BY = 4.0
"""It creeps by so many scales; the bound is 3."""
SEED = 4
DEAF = StreamSettings("pump1", level=1000.0)
"""Never in alarm: a creep that the network calls one is a fault, and no drift."""


def scale_of(bundle) -> float:
    return float(bundle.scaler.scale[0, 1])


def creeping(bundle, rows: int = RAMP, by: float = BY) -> np.ndarray:
    """Normal rows whose pressure rises by `by` scales."""
    values = normal(rows, SEED)
    values[:, 1] += np.linspace(0, by * scale_of(bundle), rows)
    return values


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return write_rig_bundle(tmp_path_factory.mktemp("rig"))


@pytest.fixture(scope="module")
def drifted(bundle):
    """A group after a creep, and the events of kind drift on the way."""
    group = group_of(bundle, DEAF)
    events = [event for event in events_of(play(group, rows_of(creeping(bundle)))) if event.kind == "drift"]
    return group, events


def test_a_baseline_that_reaches_its_bound_is_told_as_a_drift(bundle, drifted):
    new = drifted[1][0]

    assert (new.event_type, new.kind, new.stream, new.rule) == ("new", "drift", "pump1", None)
    worst = new.contributors[0]
    assert worst.channel == CHANNELS[1]
    assert worst.value - worst.expected == pytest.approx(3 * scale_of(bundle), rel=1e-3)


def test_a_lasting_drift_is_told_again_once_an_hour_at_most(drifted):
    times = [event.time for event in drifted[1]]

    assert np.diff(times).min(initial=np.inf) >= 3600


def test_small_creep_within_the_bound_is_followed_in_silence(bundle):
    events = events_of(play(group_of(bundle), rows_of(creeping(bundle, by=0.2))))

    assert events == []


def test_the_bound_can_be_set_for_a_stream(bundle):
    wide = group_of(bundle, StreamSettings("pump1", level=1000.0, max_drift_sd=9.0))

    events = events_of(play(wide, rows_of(creeping(bundle))))

    assert [event for event in events if event.kind == "drift"] == []


def test_a_drift_ends_when_the_machine_comes_back(bundle, drifted):
    group = group_of(bundle, DEAF)
    group.restore(0, drifted[0].snapshot(0))
    back = creeping(bundle)[::-1]

    events = [event for event in events_of(play(group, rows_of(back, START + RAMP))) if event.kind == "drift"]

    assert [event.event_type for event in events] == [*["update"] * (len(events) - 1), "end"]
    assert {event.id for event in events} == {drifted[1][0].id}


def test_a_drift_that_was_open_goes_on_after_a_restart(bundle, drifted):
    again = group_of(bundle, DEAF)
    again.restore(0, drifted[0].snapshot(0))
    still = np.full(4 * WINDOW, BY)[:, None] * [0, scale_of(bundle), 0] + normal(4 * WINDOW, SEED, RAMP)

    events = [event for event in events_of(play(again, rows_of(still, START + RAMP))) if event.kind == "drift"]

    assert [event for event in events if event.event_type == "new"] == []
    assert again.snapshot(0)["open"]["drift"]["event"]["id"] == drifted[1][0].id


def test_a_fault_that_is_in_alarm_is_not_told_as_a_drift_too(bundle):
    values = normal(600, 9)
    values[200:, 0] += 6.0

    outcomes = play(group_of(bundle), rows_of(values))

    in_alarm = [outcome for outcome in outcomes if outcome.alarm]
    assert {event.kind for event in events_of(in_alarm)} == {"anomaly"}


def test_an_alarm_in_a_drift_does_not_keep_the_baseline_from_following(bundle):
    values = creeping(bundle, by=1.4)
    values[1000:1030, 0] += 6.0

    outcomes = play(group_of(bundle), rows_of(values))

    assert np.mean([outcome.alarm for outcome in outcomes[2000:]]) < 0.2
