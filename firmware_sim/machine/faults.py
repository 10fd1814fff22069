"""The faults: their kinds, what each one touches, and how strong it is at a given time."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from firmware_sim.machine.channels import NAMES

Group = Literal["machine", "coupling", "rhythm", "sensor"]


class FaultError(ValueError):
    """A fault or schedule that cannot be; one line that says what is wanted."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault."""

    group: Group
    channels: tuple[str, ...]
    """Of a machine fault: what it moves, most affected first. Else: the channels it may befall."""
    onset_s: float = 20.0
    """From the start to full strength, seconds."""
    onset_share: float = 0.0
    """The same as a part of the fault's duration; the longer of the two counts."""
    duration_s: tuple[float, float] = (480.0, 1500.0)
    """Shortest and longest, where it is drawn at random, seconds."""


# Channels that stand at zero whenever the pump does: there a stuck, drifting or dead sensor stays within limits.
_WORKING = ("speed", "flow", "pressure", "motor_current", "vibration")

KINDS = {
    "bearing_wear": Kind("machine", ("vibration", "bearing_temperature", "motor_current")),
    "slow_bearing_wear": Kind(
        "machine",
        ("vibration", "bearing_temperature", "motor_current"),
        onset_share=1.0,
        duration_s=(43200.0, 172800.0),
    ),
    "cavitation": Kind("machine", ("vibration", "pressure", "flow", "motor_current")),
    "blockage": Kind("machine", ("flow", "pressure", "motor_current")),
    "leak": Kind("machine", ("pressure", "motor_current", "flow")),
    "electrical_imbalance": Kind("machine", ("motor_current", "vibration", "bearing_temperature")),
    "lost_coupling": Kind("coupling", ("flow", "pressure", "motor_current", "vibration"), onset_s=0.0),
    "stuck": Kind("sensor", _WORKING, onset_s=0.0),
    "drift": Kind("sensor", _WORKING, onset_share=0.3),
    "spikes": Kind("sensor", NAMES, onset_s=0.0),
    "dropout": Kind("sensor", _WORKING, onset_s=0.0),
    "noise": Kind("sensor", NAMES, onset_s=0.0),
}
SLOW_KINDS = ("slow_bearing_wear",)
"""Kinds that last for days; drawn at random only when asked for."""


@dataclass(frozen=True)
class Catalog:
    """Which faults a machine can have."""

    names: tuple[str, ...]
    """Its channels."""
    kinds: Mapping[str, Kind]

    def kind(self, name: str) -> Kind:
        """The kind of that name.

        Raises:
            FaultError: the machine has none.
        """
        if name not in self.kinds:
            raise FaultError(f"no fault is called {name!r}; there are {', '.join(self.kinds)}")
        return self.kinds[name]

    @property
    def drawn(self) -> tuple[str, ...]:
        """Kinds that are drawn at random unless told."""
        return tuple(kind for kind in self.kinds if kind not in SLOW_KINDS)


PUMP = Catalog(NAMES, KINDS)

OWN_GROUPS: Mapping[str, Group] = {
    "offset": "sensor",
    **{kind: about.group for kind, about in KINDS.items() if about.group == "sensor"},
    "lost_coupling": "coupling",
    "rhythm": "rhythm",
}
"""Kinds of fault of a machine that a user describes."""


AT_ONCE = Kind("sensor", (), onset_s=0.0)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of one board: what the truth file says."""

    kind: str
    start: float
    """Unix seconds; the first row at or after it is affected."""
    end: float
    """Unix seconds; the first row at or after it is sound again."""
    severity: float
    """1 is a clear fault of its kind; the README says what it amounts to."""
    channels: tuple[str, ...]
    """The channels affected, most affected first."""
    board: str = "pump1"

    def active(self, times: np.ndarray) -> np.ndarray:
        """Whether it acts, bool (rows,), at `times`, Unix seconds."""
        return (times >= self.start) & (times < self.end)

    def strength(self, times: np.ndarray) -> np.ndarray:
        """Its strength (rows,): 0 outside, growing from the start to `severity`."""
        kind = KINDS.get(self.kind, AT_ONCE)
        onset_s = max(kind.onset_s, kind.onset_share * (self.end - self.start), 1e-9)
        grown = np.minimum((times - self.start) / onset_s, 1.0)
        return self.severity * np.where(self.active(times), np.where(onset_s > 1e-6, grown, 1.0), 0.0)


def make_fault(
    kind: str,
    start: float,
    end: float,
    severity: float = 1.0,
    channel: str | None = None,
    board: str = "pump1",
    catalog: Catalog = PUMP,
) -> Fault:
    """A fault with its channels filled in; `channel` chooses the sensor, where the kind befalls one.

    Raises:
        FaultError: no such kind or channel, an end before the start, or a severity that is not positive.
    """
    catalog.kind(kind)
    if not end > start:
        raise FaultError(f"{kind}: it ends {start - end:g} s before it starts; give a positive duration")
    if not 0.0 < severity <= 100.0:
        raise FaultError(f"{kind}: severity {severity:g}; give a number above 0, 1 is a clear fault")
    return Fault(kind, start, end, severity, _channels(kind, channel, catalog), board)


def _channels(kind: str, channel: str | None, catalog: Catalog) -> tuple[str, ...]:
    group, channels = catalog.kinds[kind].group, catalog.kinds[kind].channels
    if group == "machine":
        if channel is not None:
            raise FaultError(f"{kind} is a fault of the machine and takes no channel, found {channel!r}")
        return channels
    allowed = catalog.names if group == "sensor" else channels
    chosen = channels[0] if channel is None and channels else str(channel)
    if chosen not in allowed:
        raise FaultError(f"{kind}: no channel {chosen!r} to befall; choose one of {', '.join(allowed)}")
    return (chosen, "speed") if group == "coupling" and catalog is PUMP else (chosen,)


def anomalous(faults: tuple[Fault, ...], times: np.ndarray) -> np.ndarray:
    """Whether any fault acts, bool (rows,)."""
    acting = np.zeros(len(times), dtype=bool)
    for fault in faults:
        acting |= fault.active(times)
    return acting
