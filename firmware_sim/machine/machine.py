"""The pump set: dimensions of the machine and the physics between its quantities."""

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Machine:
    """A centrifugal pump of about 5 kW on a variable-speed drive, with its pipe."""

    rated_rpm: float = 2900.0
    shutoff_head_m: float = 44.0
    """Head at rated speed without flow."""
    pump_loss: float = 0.00875
    """Steepness of the pump curve, m per (m3/h)^2."""
    static_head_m: float = 8.0
    """Height that the water is lifted; the check valve holds it while the pump stands."""
    resistance: float = 0.01375
    """Of the pipe, m per (m3/h)^2; with these the duty point is 40 m3/h at 30 m."""
    rated_flow: float = 40.0
    """m3/h at rated speed."""
    magnetizing_a: float = 4.0
    torque_a: float = 9.0
    """Current that makes the rated torque, A."""
    vibration_floor: float = 0.2
    """mm/s, what the sensor sees from the rest of the plant."""
    vibration_rated: float = 2.2
    """mm/s that rated speed adds."""
    resonance_speed: float = 0.86
    """Where the base plate swings along, part of rated speed."""
    bearing_rise_c: float = 24.0
    """Bearing over ambient after long running at rated speed, °C."""


def machine_of(number: int) -> Machine:
    """The machine under board `number`: 1 is the nominal one, the others differ as built machines do.

    The tolerances belong to the number, not to the seed of a run: pump 3 is always the same pump.
    """
    nominal = Machine()
    if number == 1:
        return nominal
    rng = np.random.default_rng([7091, number])
    spread = {
        "shutoff_head_m": 0.02,
        "pump_loss": 0.04,
        "static_head_m": 0.04,
        "resistance": 0.05,
        "magnetizing_a": 0.03,
        "torque_a": 0.03,
        "vibration_floor": 0.15,
        "vibration_rated": 0.12,
        "resonance_speed": 0.02,
        "bearing_rise_c": 0.08,
    }
    built = {name: getattr(nominal, name) * (1.0 + sd * rng.standard_normal()) for name, sd in spread.items()}
    return replace(nominal, **built)


def shutoff_head(machine: Machine, speed: np.ndarray) -> np.ndarray:
    """Head without flow, m: the square of the speed (affinity laws). `speed` is a part of rated."""
    return machine.shutoff_head_m * speed**2


def steady_flow(machine: Machine, head: np.ndarray, static: np.ndarray, resistance: np.ndarray) -> np.ndarray:
    """Flow where pump curve and pipe curve meet, m3/h; none while the head does not lift the water."""
    return np.sqrt(np.maximum(head - static, 0.0) / (machine.pump_loss + resistance))


def torque(machine: Machine, speed: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """Shaft torque, part of rated: power over speed, with power = n^3 (0.6 + 0.4 q), the usual radial pump."""
    return 0.6 * speed**2 + 0.4 * speed * flow / machine.rated_flow


def current(machine: Machine, speed: np.ndarray, shaft_torque: np.ndarray) -> np.ndarray:
    """Motor current, A: magnetizing and torque current at right angles; none when the drive is off."""
    energized = np.clip(speed / 0.1, 0.0, 1.0)
    return energized * np.hypot(machine.magnetizing_a, machine.torque_a * shaft_torque)


def vibration(machine: Machine, speed: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """Of the running pump, mm/s RMS without the floor.

    Unbalance grows with the square of the speed, away from the best flow it
    runs rougher, and near the base plate's resonance it is a quarter more.
    """
    relative_flow = flow / (machine.rated_flow * np.maximum(speed, 0.05))
    roughness = 1.0 + 0.6 * np.minimum((relative_flow - 1.0) ** 2, 1.0)
    resonance = 1.0 + 0.25 * np.exp(-(((speed - machine.resonance_speed) / 0.03) ** 2))
    return machine.vibration_rated * speed**2 * roughness * resonance


def bearing_rise(machine: Machine, speed: np.ndarray) -> np.ndarray:
    """Where the bearing would settle above ambient, °C: friction of seal and grease."""
    return machine.bearing_rise_c * (0.35 * speed + 0.65 * speed**2)
