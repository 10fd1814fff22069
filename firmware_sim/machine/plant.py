"""The machine in its surroundings: true values of every channel, row after row."""

import math
from collections.abc import Mapping

import numpy as np

from firmware_sim.machine import machine as physics
from firmware_sim.machine.channels import INDEX, NAMES
from firmware_sim.machine.load import Load, LoadProfile
from firmware_sim.machine.machine import Machine
from firmware_sim.machine.recursion import Lag, Wander

DAY_S = 86400.0
Effects = Mapping[str, np.ndarray]
"""Strength of each physical fault that acts, (rows,); a fault that is absent acts nowhere."""
NONE = np.zeros(1)


class Plant:
    """True values of the pump set. `load_shift` gives the same plant under another load (see `Load`)."""

    def __init__(self, machine: Machine, seeds: np.random.SeedSequence, period_s: float, load_shift: float = 0.0):
        self.machine = machine
        self.period_s = period_s
        self.load_shift = load_shift
        load_seed, *noise_seeds = seeds.spawn(9)
        self.load = Load(np.random.default_rng(load_seed), LoadProfile())
        noise = iter([np.random.default_rng(seed) for seed in noise_seeds])
        # Standard deviations and correlation times of what moves a plant besides its setpoint.
        self.throttle = Wander(next(noise), 0.025, 60.0, period_s)  # valve and consumers, part of the resistance
        self.tank = Wander(next(noise), 0.12, 1200.0, period_s)  # level, m
        self.swirl = Wander(next(noise), 0.004, 3.0, period_s)  # inflow turbulence, part of the head
        self.drag = Wander(next(noise), 0.008, 8.0, period_s)  # part of the torque
        self.shake = Wander(next(noise), 0.035, 4.0, period_s)  # logarithm of the vibration
        self.weather = Wander(next(noise), 0.35, 0.5 * DAY_S, period_s)  # °C
        self.draught = Wander(next(noise), 0.15, 120.0, period_s)  # °C, at the ambient sensor
        self.bubbles = Wander(next(noise), 1.0, 1.5, period_s)  # cavitation is unsteady
        self.rotor = Lag(0.7, period_s)
        self.water = Lag(1.8, period_s)  # inertia of the water in the pipe
        self.bearing = Lag(900.0, period_s)
        self.last_speed: float | None = None

    def values(self, since_s: np.ndarray, day_s: np.ndarray, effects: Effects) -> np.ndarray:
        """The next block, (rows, channels), at the instants after those of the block before.

        Args:
            since_s: seconds since the start of the simulation, (rows,).
            day_s: seconds since the epoch, (rows,), for the time of day.
        """
        rows = len(since_s)
        speed = self.rotor.follow(self.load.setpoint(since_s, self.load_shift))
        self.load.forget_before(float(since_s[-1]))
        bubbles = self.bubbles.draw(rows)
        flow, metered, head = self._water(speed, bubbles, effects)
        ambient = self.ambient_at(day_s, self.weather.draw(rows))
        values = np.empty((rows, len(NAMES)))
        values[:, INDEX["speed"]] = self.machine.rated_rpm * speed
        values[:, INDEX["flow"]] = metered
        values[:, INDEX["pressure"]] = 0.0981 * head  # bar per metre of water
        values[:, INDEX["motor_current"]] = self._current(speed, flow, effects)
        values[:, INDEX["vibration"]] = self._vibration(speed, flow, bubbles, effects)
        values[:, INDEX["bearing_temperature"]] = self._bearing(speed, ambient, effects)
        values[:, INDEX["ambient_temperature"]] = ambient + self.draught.draw(rows)
        return values

    @staticmethod
    def ambient_at(day_s: np.ndarray | float, weather: np.ndarray | float) -> np.ndarray:
        """Air in the pump house, °C: coldest at 4, warmest at 16 o'clock."""
        return np.asarray(21.0 + 2.5 * np.cos(2.0 * math.pi * (day_s / DAY_S - 16.0 / 24.0)) + weather)

    def _water(
        self, speed: np.ndarray, bubbles: np.ndarray, effects: Effects
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Flow through the pump, flow at the meter (m3/h), head at the pressure tap (m)."""
        rows, machine = len(speed), self.machine
        cavitation, lost = effects.get("cavitation", NONE), 0.30 * effects.get("leak", NONE)
        unsteady = 1.0 + self.swirl.draw(rows) - cavitation * (0.07 + 0.04 * bubbles)
        shutoff = physics.shutoff_head(machine, speed) * unsteady
        static = machine.static_head_m + self.tank.draw(rows)
        pipe = machine.resistance * (1.0 + self.throttle.draw(rows)) * (1.0 + 0.75 * effects.get("blockage", NONE))
        # The leak lies between pump and meter: the pipe behind it sees only what is left.
        flow = self.water.follow(physics.steady_flow(machine, shutoff, static, pipe * (1.0 - lost) ** 2))
        head = np.maximum(shutoff - machine.pump_loss * flow**2, static)
        return flow, flow * (1.0 - lost), head

    def _current(self, speed: np.ndarray, flow: np.ndarray, effects: Effects) -> np.ndarray:
        before = speed[0] if self.last_speed is None else self.last_speed
        acceleration = np.diff(speed, prepend=before) / self.period_s
        self.last_speed = float(speed[-1])
        shaft = physics.torque(self.machine, speed, flow) * (1.0 + self.drag.draw(len(speed)))
        shaft = np.maximum(shaft + 1.5 * acceleration, 0.0) + 0.06 * effects.get("bearing_wear", NONE) * speed
        return physics.current(self.machine, speed, shaft) * (1.0 + 0.20 * effects.get("electrical_imbalance", NONE))

    def _vibration(self, speed: np.ndarray, flow: np.ndarray, bubbles: np.ndarray, effects: Effects) -> np.ndarray:
        running = physics.vibration(self.machine, speed, flow) * (1.0 + 0.5 * effects.get("bearing_wear", NONE))
        running = running * np.exp(self.shake.draw(len(speed)))
        rough = effects.get("cavitation", NONE) * np.abs(0.8 + 0.4 * bubbles) * speed**2
        hum = 0.4 * effects.get("electrical_imbalance", NONE) * np.clip(speed / 0.1, 0.0, 1.0)
        return self.machine.vibration_floor + running + rough + hum

    def _bearing(self, speed: np.ndarray, ambient: np.ndarray, effects: Effects) -> np.ndarray:
        heat = physics.bearing_rise(self.machine, speed) * (1.0 + 0.15 * effects.get("bearing_wear", NONE))
        if self.bearing.last is None:  # warm from the day before; a pump runs about four fifths of the time
            self.bearing.last = float(ambient[0]) + 0.65 * self.machine.bearing_rise_c
        return self.bearing.follow(ambient + heat + 1.5 * effects.get("electrical_imbalance", NONE) * speed)
