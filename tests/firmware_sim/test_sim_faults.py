"""Each fault does what its truth label says, judged against the same run without it."""

import numpy as np
import pytest

from firmware_sim.board.simulation import Block, SimulationSettings, record
from firmware_sim.machine.channels import CHANNELS, INDEX, NAMES
from firmware_sim.machine.faults import KINDS, Fault, FaultError, anomalous, make_fault
from firmware_sim.schedule.schedule import DrawSettings

START = 1_767_571_200.0
BEGIN, END = START + 3600.0, START + 3600.0 + 2700.0
SETTINGS = SimulationSettings(START, 3 * 3600.0, seed=5)
SCATTER = np.array([8.0, 0.32, 0.021, 0.073, 0.07, 0.18, 0.24])
"""What the load leaves unexplained; measured as in test_sim_physics."""
WEAKEST = DrawSettings().severity[0]
MACHINE_KINDS = [kind for kind in KINDS if KINDS[kind].group == "machine"]
SENSOR_KINDS = [kind for kind in KINDS if KINDS[kind].group == "sensor"]


@pytest.fixture(scope="module")
def sound() -> Block:
    """The run without a fault."""
    return record(SETTINGS)


def with_fault(kind: str, severity: float = 1.0, channel: str | None = None) -> tuple[Block, Fault]:
    fault = make_fault(kind, BEGIN, END, severity, channel)
    return record(SETTINGS, faults=(fault,)), fault


def shift_in_scatters(spoilt: Block, sound: Block, fault: Fault) -> np.ndarray:
    """RMS difference to the sound run in each channel while the fault is grown and the pump runs, (channels,)."""
    grown = fault.active(sound.times) & (fault.strength(sound.times) >= 0.9 * fault.severity)
    running = sound.values[:, INDEX["speed"]] > 2000.0
    difference = (spoilt.values - sound.values)[grown & running]
    return np.sqrt((difference**2).mean(axis=0)) / SCATTER


@pytest.mark.parametrize("kind", KINDS)
def test_the_weakest_fault_that_is_drawn_is_plain_in_its_first_channel(kind: str, sound: Block):
    spoilt, fault = with_fault(kind, WEAKEST)

    assert shift_in_scatters(spoilt, sound, fault)[INDEX[fault.channels[0]]] > 6.0


@pytest.mark.parametrize("kind", MACHINE_KINDS)
def test_a_fault_of_the_machine_moves_the_channels_of_its_label_most_affected_first(kind: str, sound: Block):
    spoilt, fault = with_fault(kind)
    shift = shift_in_scatters(spoilt, sound, fault)
    moved = sorted((name for name in NAMES if shift[INDEX[name]] > 2.0), key=lambda name: -shift[INDEX[name]])

    assert moved[0] == fault.channels[0]
    assert set(moved) <= set(fault.channels)


@pytest.mark.parametrize("kind", KINDS)
def test_before_its_start_a_fault_changes_nothing(kind: str, sound: Block):
    spoilt, _ = with_fault(kind)
    before = sound.times < BEGIN

    assert np.array_equal(spoilt.values[before], sound.values[before])


@pytest.mark.parametrize("kind", [*SENSOR_KINDS, "lost_coupling"])
@pytest.mark.parametrize("channel", ["flow", "vibration"])
def test_a_fault_of_a_sensor_spoils_its_channel_alone_and_only_while_it_lasts(kind: str, channel: str, sound: Block):
    spoilt, fault = with_fault(kind, channel=channel)
    changed = spoilt.values != sound.values

    assert fault.channels[0] == channel
    assert changed.any(axis=0).nonzero()[0].tolist() == [INDEX[channel]]
    assert not changed[(sound.times < BEGIN) | (sound.times >= END)].any()


def test_the_label_covers_start_to_end_and_no_row_more():
    fault = make_fault("leak", 100.0, 110.0)

    assert anomalous((fault,), np.array([99.9, 100.0, 109.9, 110.0])).tolist() == [False, True, True, False]


def test_a_stuck_sensor_repeats_one_value():
    spoilt, fault = with_fault("stuck", channel="pressure")

    assert np.ptp(spoilt.values[fault.active(spoilt.times), INDEX["pressure"]]) == 0.0


def test_a_dropout_shows_the_bottom_of_the_range_in_bursts(sound: Block):
    spoilt, fault = with_fault("dropout", channel="pressure")
    dead = (spoilt.values[:, INDEX["pressure"]] == 0.0) & fault.active(spoilt.times)
    bursts = np.count_nonzero(dead[1:] & ~dead[:-1])

    assert 0.1 < dead.sum() / fault.active(spoilt.times).sum() < 0.6
    assert 30 < bursts < 150
    assert np.array_equal(spoilt.values[~dead], sound.values[~dead])


def test_spikes_are_single_rows_up_and_down(sound: Block):
    spoilt, _ = with_fault("spikes", channel="vibration")
    error = spoilt.values[:, INDEX["vibration"]] - sound.values[:, INDEX["vibration"]]
    hit = np.abs(error) > 1e-9

    assert 0.05 < hit[(sound.times >= BEGIN) & (sound.times < END)].mean() < 0.2
    assert (error > 0.5).any()
    assert (error < -0.3).any()


def test_a_drifting_sensor_moves_away_steadily(sound: Block):
    spoilt, fault = with_fault("drift", channel="motor_current")
    error = (spoilt.values - sound.values)[fault.active(sound.times), INDEX["motor_current"]]

    assert error[0] == pytest.approx(0.0, abs=0.02)
    assert error[400] == pytest.approx(0.5 * error[-1], rel=0.05)


def test_a_lost_coupling_leaves_level_and_spread_and_breaks_the_relation():
    settings = SimulationSettings(START, 86400.0, seed=8)
    sound = record(settings).values
    spoilt = record(settings, faults=(make_fault("lost_coupling", START, START + 86400.0, channel="flow"),)).values
    running = sound[:, INDEX["speed"]] > 2000.0
    speed, before, after = (part[running] for part in (sound[:, 0], sound[:, INDEX["flow"]], spoilt[:, INDEX["flow"]]))

    assert after.mean() == pytest.approx(before.mean(), rel=0.02)
    assert after.std() == pytest.approx(before.std(), rel=0.1)
    assert np.corrcoef(speed, before)[0, 1] > 0.98
    assert np.corrcoef(speed, after)[0, 1] < 0.0


def test_slow_wear_grows_from_nothing_over_its_whole_duration():
    fault = make_fault("slow_bearing_wear", 0.0, 2 * 86400.0)

    assert fault.strength(np.array([0.0, 86400.0, 2 * 86400.0 - 1.0])) == pytest.approx([0.0, 0.5, 1.0], abs=1e-4)


@pytest.mark.parametrize("channel", CHANNELS, ids=lambda channel: channel.name)
def test_noise_can_befall_every_sensor(channel, sound: Block):
    spoilt, fault = with_fault("noise", channel=channel.name)
    active = fault.active(sound.times)
    error = (spoilt.values - sound.values)[active, INDEX[channel.name]]

    assert error.std() > 3.0 * channel.fault_unit


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("rust", 0.0, 1.0), "no fault is called 'rust'"),
        (("leak", 5.0, 5.0), "positive duration"),
        (("leak", 0.0, 1.0, 0.0), "severity"),
        (("leak", 0.0, 1.0, float("nan")), "severity"),
        (("leak", 0.0, 1.0, 1.0, "flow"), "takes no channel"),
        (("stuck", 0.0, 1.0, 1.0, "taste"), "no channel 'taste'"),
        (("lost_coupling", 0.0, 1.0, 1.0, "ambient_temperature"), "no channel"),
    ],
)
def test_an_impossible_fault_is_refused_with_a_reason(arguments: tuple, message: str):
    with pytest.raises(FaultError, match=message):
        make_fault(*arguments)
