"""Fourteen kinds of machine, each (rows, channels) of normal operation; none is like another, nor like the pump."""

from collections.abc import Callable

import numpy as np

from tests.machines.signals import Chance, lagging, noise, switching, wandering


def pulses(chance: Chance, rows: int) -> np.ndarray:
    """A beat of about 60 rows, and two sensors that see it later or turned."""
    beat, at, one = np.zeros(rows + 50), 10, np.arange(50)
    shape = np.exp(-0.5 * ((one - 10) / 2.0) ** 2) - 0.35 * np.exp(-0.5 * ((one - 16) / 2.5) ** 2)
    shape += 0.3 * np.exp(-0.5 * ((one - 30) / 5.0) ** 2)
    while at < rows:
        beat[at : at + 50] += (shape * (1 + 0.05 * chance.normal()))[: len(beat[at : at + 50])]
        at += int(60 + 3 * chance.normal())
    beat = beat[:rows]
    later = np.roll(lagging(beat, 4), 2)
    return np.stack([beat, later, beat - 0.5 * later], axis=1) + 0.04 * noise(chance, rows, 3)


def tank(chance: Chance, rows: int) -> np.ndarray:
    """Filled and emptied between two levels: level, inflow, the pump's current."""
    level, inflow, now, filling, rate = np.zeros(rows), np.zeros(rows), 20.0, True, 1.2
    for row in range(rows):
        inflow[row] = rate if filling else 0.0
        now += (rate if filling else -0.8) + 0.05 * chance.normal()
        if filling and now > 90 + chance.normal() * 2:
            filling = False
        elif not filling and now < 20 + chance.normal() * 2:
            filling, rate = True, 1.2 * (1 + 0.1 * chance.normal())
        level[row] = now
    current = lagging(inflow * 4, 3) + 0.1 * noise(chance, rows)
    return np.stack([level + 0.3 * noise(chance, rows), inflow + 0.03 * noise(chance, rows), current], axis=1)


def compressor(chance: Chance, rows: int) -> np.ndarray:
    """On at 6 bar and off at 8: pressure, current, temperature."""
    on, pressure, now, runs = np.zeros(rows), np.zeros(rows), 6.0, 0
    used = 0.05 + 0.02 * np.abs(wandering(chance, rows, 200))
    for row in range(rows):
        runs = 1 if now < 6 else 0 if now > 8 else runs
        now += runs * 0.12 - used[row] * 0.5
        on[row], pressure[row] = runs, now
    pressure += 0.02 * noise(chance, rows)
    current = on * (12 + 0.3 * noise(chance, rows)) + 0.05 * noise(chance, rows)
    return np.stack([pressure, current, lagging(20 + 40 * on, 80) + 0.2 * noise(chance, rows)], axis=1)


def modes(chance: Chance, rows: int) -> np.ndarray:
    """Three speeds, each for a while: speed, power, temperature, vibration."""
    speed = lagging(switching(chance, rows, 80, 400, [0.0, 1.0, 2.2]), 3)
    turns = 1000 * speed + 8 * noise(chance, rows)
    power = 0.2 + speed**2 * 0.5 * (1 + 0.1 * noise(chance, rows)) + 0.02 * noise(chance, rows)
    warm = lagging(25 + 12 * speed**1.5, 60) + 0.15 * noise(chance, rows)
    return np.stack([turns, power, warm, np.abs(0.1 + speed * 0.3) * np.exp(0.15 * noise(chance, rows))], axis=1)


def counts(chance: Chance, rows: int) -> np.ndarray:
    """Requests, errors and a heavy-tailed answer time, with a day of 288 rows."""
    day, busy = np.sin(np.arange(rows) * 2 * np.pi / 288), np.exp(0.15 * wandering(chance, rows, 30))
    requests = chance.poisson(20 * (1 + 0.6 * day) * busy)
    errors = chance.poisson(0.3 * requests + 0.5)
    answer = np.exp(np.log(50) + 0.1 * requests / 20 + 0.25 * chance.standard_t(4, size=rows))
    return np.stack([requests, errors, answer], axis=1)


def latent(chance: Chance, rows: int) -> np.ndarray:
    """Four sensors of two slow causes."""
    causes = np.stack([wandering(chance, rows, 20), wandering(chance, rows, 60)], axis=1)
    return causes @ np.array([[1, 0.2], [0.8, -0.6], [0.1, 1], [-0.7, 0.5]]).T + 0.15 * noise(chance, rows, 4)


def daily(chance: Chance, rows: int) -> np.ndarray:
    """Weather, a day of 96 rows: temperature, humidity, air pressure."""
    warm = 8 * np.sin(2 * np.pi * (np.arange(rows) / 96 - 0.3)) + 3 * wandering(chance, rows, 300)
    temperature = 15 + warm + 0.2 * noise(chance, rows)
    humidity = np.clip(60 - 1.5 * warm + 3 * wandering(chance, rows, 100) + noise(chance, rows), 5, 100)
    pressure = 1013 + 6 * wandering(chance, rows, 400) + 0.1 * noise(chance, rows)
    return np.stack([temperature, humidity, pressure], axis=1)


def coarse(chance: Chance, rows: int) -> np.ndarray:
    """A room in steps of half a degree and of one per cent."""
    warm = 21 + 1.2 * wandering(chance, rows, 150)
    humidity = np.round(45 + 4 * wandering(chance, rows, 200) + noise(chance, rows) * 0.5)
    return np.stack([np.round(warm * 2) / 2, humidity, np.round((warm + 0.3 * noise(chance, rows)) * 2) / 2], axis=1)


def door(chance: Chance, rows: int) -> np.ndarray:
    """A cold room: its door, 0 or 1, temperature, the fan's current."""
    opened, row = np.zeros(rows), 0
    while row < rows:
        row += int(chance.integers(40, 160))
        length = int(chance.integers(3, 15))
        opened[row : row + length] = 1
        row += length
    warm = lagging(4 + 6 * opened, 15) + 0.1 * noise(chance, rows)
    return np.stack([opened, warm, lagging(0.5 + 2 * (1 - opened), 5) + 0.08 * noise(chance, rows)], axis=1)


def wide(chance: Chance, rows: int) -> np.ndarray:
    """Twenty sensors of three causes."""
    causes = np.stack([wandering(chance, rows, slow) for slow in (3, 15, 50)], axis=1)
    return causes @ np.random.default_rng(5).normal(size=(3, 20)) + 0.5 * noise(chance, rows, 20)


def vibration(chance: Chance, rows: int) -> np.ndarray:
    """Skewed and heavy-tailed: two levels of vibration, a crest factor, temperature."""
    load = np.exp(0.3 * wandering(chance, rows, 40))
    first = load * np.exp(0.12 * noise(chance, rows))
    crest = 3 + np.abs(0.3 * chance.standard_t(5, size=rows))
    second = load**0.5 * np.exp(0.1 * noise(chance, rows))
    return np.stack([first, crest, second, 40 + 2 * lagging(load, 50) + 0.1 * noise(chance, rows)], axis=1)


def batch(chance: Chance, rows: int) -> np.ndarray:
    """One recipe again and again, with pauses: temperature, valve, flow."""
    recipe = [
        *np.linspace(20, 80, 60), *np.full(90, 80), *(80 + 15 * np.sin(np.linspace(0, np.pi, 60))),
        *np.linspace(80, 25, 70),
    ]  # fmt: skip
    wanted: list[float] = []
    opened: list[float] = []
    while len(wanted) < rows:
        pause = int(chance.integers(15, 60))
        wanted += [20.0] * pause + recipe
        opened += [0.0] * pause + [1.0] * 150 + [2.0] * 60 + [0.5] * 70
    warm, valve = lagging(np.array(wanted[:rows]), 5), lagging(np.array(opened[:rows]), 2)
    temperature, position = warm + 0.4 * noise(chance, rows), valve + 0.03 * noise(chance, rows)
    return np.stack([temperature, position, 5 * valve + 0.05 * warm + 0.15 * noise(chance, rows)], axis=1)


def phases(chance: Chance, rows: int) -> np.ndarray:
    """Currents of three phases, whose frequency and size wander."""
    angle = np.cumsum(2 * np.pi / 25 * (1 + 0.03 * wandering(chance, rows, 200)))
    size = 10 * (1 + 0.05 * wandering(chance, rows, 150))
    currents = np.stack([size * np.sin(angle + turned) for turned in (0, 2.094, 4.189)], axis=1)
    return currents + 0.3 * noise(chance, rows, 3)


def solar(chance: Chance, rows: int) -> np.ndarray:
    """Nothing at night, clouds by day (144 rows): power, current, temperature."""
    sun = np.clip(np.sin(2 * np.pi * np.arange(rows) / 144), 0, None)
    power = sun * np.clip(1 - 0.5 * np.abs(wandering(chance, rows, 12)), 0.1, 1) * 5
    measured, current = power + 0.01 * noise(chance, rows), power * 230 / 5 * 0.2 + 0.05 * noise(chance, rows)
    return np.stack([measured, current, lagging(15 + 4 * power, 30) + 0.3 * noise(chance, rows)], axis=1)


KINDS: dict[str, Callable[[Chance, int], np.ndarray]] = {
    "pulses": pulses, "tank": tank, "compressor": compressor, "modes": modes, "counts": counts, "latent": latent,
    "daily": daily, "coarse": coarse, "door": door, "wide": wide, "vib": vibration, "batch": batch,
    "phases": phases, "solar": solar,
}  # fmt: skip
