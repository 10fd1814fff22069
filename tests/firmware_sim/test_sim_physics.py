"""The plant obeys the physics that the README promises."""

import math

import numpy as np
import pytest

from firmware_sim.board.simulation import SimulationSettings, record
from firmware_sim.machine import machine as physics
from firmware_sim.machine.channels import CHANNELS, INDEX
from firmware_sim.machine.load import Load, LoadProfile
from firmware_sim.machine.machine import Machine, machine_of
from firmware_sim.machine.plant import Plant
from firmware_sim.machine.recursion import Lag, Wander, running_sum

DAY_S = 86400.0


@pytest.fixture(scope="module")
def day() -> dict[str, np.ndarray]:
    """One normal day by channel."""
    values = record(SimulationSettings(0.0, DAY_S, seed=3)).values
    return {name: values[:, column] for name, column in INDEX.items()}


def test_the_scan_equals_the_recursion_written_as_a_loop():
    inputs = np.random.default_rng(0).normal(size=1000)
    expected, last = [], 5.0
    for value in inputs:
        last = 0.97 * last + value
        expected.append(last)

    assert running_sum(inputs, 0.97, 5.0) == pytest.approx(np.array(expected), abs=1e-12)


def test_a_lag_reaches_63_percent_of_a_step_after_its_time_constant():
    lag = Lag(tau_s=10.0, period_s=0.1, start=0.0)

    assert lag.follow(np.ones(100))[-1] == pytest.approx(1.0 - math.exp(-1.0), abs=1e-9)


def test_blocks_of_a_lag_join_without_a_seam():
    inputs = np.random.default_rng(1).normal(size=300)
    whole, parts = Lag(5.0, 1.0, 0.0), Lag(5.0, 1.0, 0.0)

    joined = np.concatenate([parts.follow(inputs[:123]), parts.follow(inputs[123:])])

    assert joined == pytest.approx(whole.follow(inputs), abs=1e-12)


def test_wander_has_the_spread_and_the_memory_it_was_given():
    values = Wander(np.random.default_rng(2), sd=2.0, tau_s=20.0, period_s=1.0).draw(200_000)

    assert values.std() == pytest.approx(2.0, rel=0.1)
    assert np.corrcoef(values[:-20], values[20:])[0, 1] == pytest.approx(math.exp(-1.0), abs=0.05)


def test_steady_flow_lies_on_the_pump_curve_and_on_the_pipe_curve():
    pump, speed = Machine(), np.array([0.75, 0.9, 1.0])
    head = physics.shutoff_head(pump, speed)

    flow = physics.steady_flow(pump, head, np.array(pump.static_head_m), np.array(pump.resistance))

    assert head - pump.pump_loss * flow**2 == pytest.approx(pump.static_head_m + pump.resistance * flow**2)
    assert flow[-1] == pytest.approx(pump.rated_flow)


def test_too_slow_a_pump_lifts_no_water():
    pump = Machine()
    head = physics.shutoff_head(pump, np.array([0.3]))

    assert physics.steady_flow(pump, head, np.array(pump.static_head_m), np.array(pump.resistance)) == 0.0


def test_current_grows_with_the_flow_and_is_nothing_at_standstill():
    pump = Machine()

    def amperes(speed: float, flow: float) -> float:
        torque = physics.torque(pump, np.array(speed), np.array(flow))
        return float(physics.current(pump, np.array(speed), torque))

    assert amperes(0.0, 0.0) == 0.0
    assert amperes(1.0, 20.0) < amperes(1.0, 40.0) == pytest.approx(math.hypot(4.0, 9.0))


def test_the_pump_starts_and_stops_and_its_load_varies(day: dict[str, np.ndarray]):
    standing = day["speed"] < 100.0
    starts = np.count_nonzero(standing[:-1] & ~standing[1:])

    assert 0.12 < standing.mean() < 0.28
    assert 50 < starts < 150
    assert day["speed"][day["speed"] > 2000].std() > 150.0


def test_a_standing_pump_moves_no_water_and_takes_no_current_but_holds_the_water_column(day: dict[str, np.ndarray]):
    standing = day["speed"] < 1.0

    assert np.median(day["flow"][standing]) < 0.3
    assert np.median(day["motor_current"][standing]) < 0.1
    assert np.median(day["pressure"][standing]) == pytest.approx(0.0981 * 8.0, abs=0.05)


@pytest.mark.parametrize(
    ("channel", "least"), [("flow", 0.98), ("pressure", 0.97), ("motor_current", 0.98), ("vibration", 0.75)]
)
def test_a_running_pump_follows_its_speed(day: dict[str, np.ndarray], channel: str, least: float):
    running = day["speed"] > 2000.0

    assert np.corrcoef(day["speed"][running], day[channel][running])[0, 1] > least


def test_the_bearing_cools_slowly_towards_ambient():
    class NoLoad(Load):
        def setpoint(self, times_s: np.ndarray, shift: float = 0.0) -> np.ndarray:  # noqa: ARG002
            return np.zeros(len(times_s))

    plant = Plant(Machine(), np.random.SeedSequence(1), 1.0)
    plant.load = NoLoad(np.random.default_rng(0), LoadProfile())
    values = plant.values(np.arange(3600.0), np.zeros(3600), {})
    over = values[:, INDEX["bearing_temperature"]] - values[:, INDEX["ambient_temperature"]].mean()

    assert over[900] == pytest.approx(over[0] * math.exp(-1.0), rel=0.1)


def test_the_air_is_warmest_in_the_afternoon():
    hours = np.arange(24)

    air = Plant.ambient_at(3600.0 * hours, 0.0)

    assert int(air.argmax()) == 16
    assert np.ptp(air) == pytest.approx(5.0)


def test_the_unit_of_sensor_faults_is_at_least_what_the_load_leaves_unexplained():
    """The scatter: two pumps under one load with different noise, sd of their difference / sqrt(2)."""
    first, second = (Plant(Machine(), np.random.SeedSequence(seed), 1.0) for seed in (11, 22))
    times = np.arange(20_000.0)
    values = [plant.values(times, times, {}) for plant in (first, _with_load_of(second, 11))]
    noisy = [
        part + [channel.noise for channel in CHANNELS] * np.random.default_rng(place).normal(size=part.shape)
        for place, part in enumerate(values)
    ]
    running = values[0][:, INDEX["speed"]] > 2000.0
    scatter = (noisy[0] - noisy[1])[running].std(axis=0) / math.sqrt(2.0)

    for channel, measured in zip(CHANNELS, scatter, strict=True):
        assert measured <= channel.fault_unit < 4.0 * measured, channel.name


def _with_load_of(plant: Plant, seed: int) -> Plant:
    plant.load = Plant(Machine(), np.random.SeedSequence(seed), 1.0).load
    return plant


def test_the_first_machine_is_nominal_and_every_other_one_itself():
    assert machine_of(1) == Machine()
    assert machine_of(2) == machine_of(2) != machine_of(3)
