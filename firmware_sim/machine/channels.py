"""The channels of the simulated pump set, their sensors and converters."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Channel:
    """One measured quantity and the sensor behind it."""

    name: str
    unit: str
    low: float
    """What the converter's smallest code means, in `unit`; readings saturate there."""
    high: float
    """What the converter's largest code means, in `unit`."""
    noise: float
    """White noise of the sensor, one sd, in `unit`."""
    fault_unit: float
    """What the size of a sensor fault is counted in, in `unit`.

    At least the scatter: what load and history leave unexplained while the pump runs, one sd
    (a test measures it); and about a tenth of what the load moves the channel.
    """
    decimals: int
    """Digits after the point in messages and files; finer than a 12-bit step."""


CHANNELS = (
    Channel("speed", "rpm", 0.0, 3500.0, 8.0, 20.0, 1),
    Channel("flow", "m3/h", 0.0, 60.0, 0.15, 0.45, 3),
    Channel("pressure", "bar", 0.0, 6.0, 0.010, 0.035, 4),
    Channel("motor_current", "A", 0.0, 25.0, 0.05, 0.12, 3),
    Channel("vibration", "mm/s", 0.0, 12.0, 0.03, 0.09, 4),
    Channel("bearing_temperature", "°C", -20.0, 120.0, 0.06, 0.30, 3),
    Channel("ambient_temperature", "°C", -20.0, 60.0, 0.05, 0.35, 3),
)
NAMES = tuple(channel.name for channel in CHANNELS)
INDEX = {name: column for column, name in enumerate(NAMES)}
