"""The sensors: noise, the faults of the sensor itself, and the board's converter."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from firmware_sim.machine.channels import CHANNELS, Channel
from firmware_sim.machine.faults import OWN_GROUPS, Fault


def convert(values: np.ndarray, bits: int, channels: Sequence[Channel] = CHANNELS) -> np.ndarray:
    """What an analogue-digital converter of `bits` makes of `values` (rows, channels), in units again.

    Saturates at the sensor's range; 0 bits is an ideal converter.
    """
    if bits == 0:
        return values
    low, high = (np.array([getattr(channel, end) for channel in channels]) for end in ("low", "high"))
    steps = (high - low) / (2**bits - 1)
    return low + steps * np.rint((np.clip(values, low, high) - low) / steps)


class Sensors:
    """Adds the white noise of every sensor."""

    def __init__(self, seed: np.random.SeedSequence, channels: Sequence[Channel] = CHANNELS):
        self.rng = np.random.default_rng(seed)
        self.noise = np.array([channel.noise for channel in channels])

    def read(self, values: np.ndarray) -> np.ndarray:
        """Noisy signals for true values, both (rows, channels)."""
        return values + self.noise * self.rng.standard_normal(values.shape)


SIZES = {"drift": 16.0, "offset": 16.0, "noise": 8.0, "spikes": 24.0}
"""What a fault of severity 1 adds in the end, in fault units; of spikes, on the average."""


@dataclass
class SensorFault:
    """One sensor fault at work. It has random numbers of its own: the rest of the run stays as without it."""

    fault: Fault
    rng: np.random.Generator
    channel: Channel
    column: int
    held: float | None = None
    """What a stuck sensor goes on showing."""
    dead_rows: int = 0
    """Rows that an interruption lasts into the next block."""

    def apply(self, signals: np.ndarray, times: np.ndarray, period_s: float) -> None:
        """Spoil the fault's channel in `signals` (rows, channels) in place, at `times`, Unix seconds."""
        active = self.fault.active(times)
        if not active.any():
            return
        channel = self.channel
        column = signals[:, self.column]  # a view
        strength = self.fault.strength(times)[active]
        if self.fault.kind == "stuck":
            self.held = float(column[active][0]) if self.held is None else self.held
            column[active] = self.held
        elif self.fault.kind == "dropout":
            column[active] = np.where(self._interrupted(strength, period_s), channel.low, column[active])
        else:
            column[active] += channel.fault_unit * self._error(strength, period_s)

    def _error(self, strength: np.ndarray, period_s: float) -> np.ndarray:
        """What the fault adds, (rows,), in units of the channel's fault unit."""
        rows = len(strength)
        if self.fault.kind in ("drift", "offset"):
            return SIZES[self.fault.kind] * strength
        if self.fault.kind == "noise":
            return SIZES["noise"] * strength * self.rng.standard_normal(rows)
        # Spikes: about one in eight seconds, up or down, half as large again or less.
        hit = self.rng.random(rows) < min(period_s / 8.0, 0.3)
        size = strength * self.rng.uniform(12.0, 36.0, rows)
        return hit * size * self.rng.choice((-1.0, 1.0), rows)

    def _interrupted(self, strength: np.ndarray, period_s: float) -> np.ndarray:
        """Whether the wire is open, bool (rows,): for 2 to 12 s, about 3 times a minute at severity 1."""
        opened = self.rng.random(len(strength)) < np.minimum(strength * period_s / 20.0, 0.5)
        lengths = np.maximum(np.rint(self.rng.uniform(2.0, 12.0, len(strength)) / period_s), 1).astype(int)
        open_until = np.maximum.accumulate(np.where(opened, np.arange(len(strength)) + lengths, self.dead_rows))
        self.dead_rows = max(int(open_until[-1]) - len(strength), 0)
        return np.arange(len(strength)) < open_until


def sensor_faults(
    faults: tuple[Fault, ...], seed: np.random.SeedSequence, channels: Sequence[Channel] = CHANNELS
) -> list[SensorFault]:
    """The faults of `faults` that befall a sensor, ready to work."""
    seeds = seed.spawn(len(faults))
    columns = {channel.name: column for column, channel in enumerate(channels)}
    return [
        SensorFault(fault, np.random.default_rng(own), channels[columns[fault.channels[0]]], columns[fault.channels[0]])
        for fault, own in zip(faults, seeds, strict=True)
        if OWN_GROUPS.get(fault.kind) == "sensor"
    ]
