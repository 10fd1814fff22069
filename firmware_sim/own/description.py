"""The description of a machine, read and checked."""

import math
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from edge.wire.topics import valid_id
from firmware_sim.machine.channels import Channel
from firmware_sim.machine.faults import OWN_GROUPS
from firmware_sim.machine.sensors import SIZES
from firmware_sim.own import table as check
from firmware_sim.own.table import MachineError, Table

SHAPES = ("sine", "triangle", "sawtooth", "square", "pulse")


@dataclass(frozen=True)
class Rhythm:
    """Something that comes again and again."""

    period_s: float
    amplitude: float
    """From the level to the top, in the channel's unit."""
    shape: str = "sine"
    phase: float = 0.0
    """Where in the period the run begins, 0 to 1."""


@dataclass(frozen=True)
class Coupling:
    """How a channel follows another."""

    to: str
    gain: float
    """In the channel's unit for each unit by which the other is off its level."""
    lag_s: float = 0.0
    """Time constant of a first-order lag, seconds."""


@dataclass(frozen=True)
class Quantity:
    """A channel as described."""

    channel: Channel
    level: float
    rhythms: tuple[Rhythm, ...]
    couplings: tuple[Coupling, ...]


@dataclass(frozen=True)
class PlannedFault:
    """A fault of the description."""

    kind: str
    channel: str
    start_s: float
    """After the start of the run, seconds."""
    duration_s: float
    severity: float


@dataclass(frozen=True)
class Description:
    """A machine."""

    quantities: tuple[Quantity, ...]
    """As written."""
    order: tuple[int, ...]
    """Their places, each after those that it is coupled to."""
    faults: tuple[PlannedFault, ...]


def read_machine(path: Path) -> Description:
    """The machine that a TOML file describes.

    Raises:
        MachineError: it cannot be read, or a key is wrong, unknown or missing.
    """
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise MachineError(f"machine {path}: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MachineError(f"machine {path}: is not TOML: {error}") from error
    top = Table(f"machine {path}", content)
    quantities = tuple(_quantity(one) for one in top.tables("channel"))
    planned = top.tables("fault")
    top.done()
    if not quantities:
        raise MachineError(f"machine {path}: it has no [[channel]]; give one with a name")
    _refuse_doubles(f"machine {path}", [one.channel.name for one in quantities])
    order = _in_order(f"machine {path}", quantities)
    swings = _swings(quantities, order)
    quantities = tuple(_with_fault_unit(one, swing) for one, swing in zip(quantities, swings, strict=True))
    faults = tuple(_fault(one, quantities) for one in planned)
    ranged = [_ranged(one, swing, faults) for one, swing in zip(quantities, swings, strict=True)]
    for one in ranged:
        if not one.channel.low < one.channel.high:
            raise MachineError(
                f"machine {path}, channel {one.channel.name}, high: found {one.channel.high:g}, "
                f"wanted more than low, {one.channel.low:g}"
            )
    return Description(tuple(ranged), order, faults)


def _quantity(one: Table) -> Quantity:
    name = one.take("name", _channel_name)
    one.where = f"{one.where.rpartition(',')[0]}, channel {name}"
    level, noise = one.take("level", check.number, 0.0), one.take("noise", check.not_negative, 0.0)
    rhythms = tuple(_rhythm(part) for part in one.tables("rhythm"))
    couplings = tuple(_coupling(part) for part in one.tables("coupling"))
    low, high = one.take("low", check.number, math.nan), one.take("high", check.number, math.nan)
    unit, fault_unit = one.take("unit", check.text, ""), one.take("fault_unit", check.positive, math.nan)
    places = one.take("decimals", check.decimals, 3)
    one.done()
    return Quantity(Channel(name, unit, low, high, noise, fault_unit, places), level, rhythms, couplings)


def _swings(quantities: Sequence[Quantity], order: Sequence[int]) -> list[float]:
    """How far each channel gets from its level, through rhythms of its own and of those that it follows."""
    places = {one.channel.name: place for place, one in enumerate(quantities)}
    swings = [0.0] * len(quantities)
    for place in order:
        one = quantities[place]
        swings[place] = sum(abs(part.amplitude) for part in one.rhythms)
        swings[place] += sum(abs(part.gain) * swings[places[part.to]] for part in one.couplings)
    return swings


def _with_fault_unit(one: Quantity, swing: float) -> Quantity:
    channel = one.channel
    if math.isnan(channel.fault_unit):
        channel = replace(channel, fault_unit=3.0 * channel.noise or 0.05 * swing or 1.0)
    return replace(one, channel=channel)


def _ranged(one: Quantity, swing: float, faults: Sequence[PlannedFault]) -> Quantity:
    """The channel with the sensor's range where it is left out: wide enough for the planned faults."""
    channel = one.channel
    sizes = [
        fault.severity * SIZES.get(fault.kind, 0.0) * channel.fault_unit
        for fault in faults
        if fault.channel == channel.name
    ]
    reach = 2.0 * swing + 80.0 * channel.noise + 2.0 * max(sizes, default=0.0) or 1.0
    low = one.level - reach if math.isnan(channel.low) else channel.low
    high = one.level + reach if math.isnan(channel.high) else channel.high
    return replace(one, channel=replace(channel, low=low, high=high))


def _channel_name(value: object) -> str:
    name = check.text(value)
    if not valid_id(name):
        raise ValueError(f"found {value!r}, wanted letters, digits, _ and - alone")
    return name


def _rhythm(one: Table) -> Rhythm:
    found = Rhythm(
        one.take("period", check.some_seconds),
        one.take("amplitude", check.number),
        one.take("shape", check.one_of(SHAPES), "sine"),
        one.take("phase", check.number, 0.0),
    )
    one.done()
    return found


def _coupling(one: Table) -> Coupling:
    to, gain = one.take("to", check.text), one.take("gain", check.number)
    found = Coupling(to, gain, one.take("lag", check.seconds, 0.0))
    one.done()
    return found


def _fault(one: Table, quantities: Sequence[Quantity]) -> PlannedFault:
    kind = one.take("kind", check.one_of(tuple(OWN_GROUPS)))
    name = one.take("channel", check.one_of([each.channel.name for each in quantities]))
    about = next(each for each in quantities if each.channel.name == name)
    start_s, duration_s = one.take("start", check.seconds), one.take("duration", check.some_seconds)
    severity = 1.0
    if kind in SIZES:
        full = SIZES[kind] * about.channel.fault_unit
        severity = one.take("size", check.positive, full) / full
    elif kind == "rhythm":
        severity = one.take("size", check.positive, 0.5) / 0.5
    one.done()
    for group, has, what in (("coupling", about.couplings, "coupling"), ("rhythm", about.rhythms, "rhythm")):
        if OWN_GROUPS[kind] == group and not has:
            raise MachineError(f"{one.where}, channel: {name} has no {what}, which {kind} befalls")
    return PlannedFault(kind, name, start_s, duration_s, severity)


def _refuse_doubles(where: str, names: Sequence[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise MachineError(f"{where}: {names.count(name)} channels are called {name}; give each a name of its own")


def _in_order(where: str, quantities: Sequence[Quantity]) -> tuple[int, ...]:
    places = {one.channel.name: place for place, one in enumerate(quantities)}
    read = check.one_of(tuple(places))
    graph: dict[int, list[int]] = {}
    for place, one in enumerate(quantities):
        for part in one.couplings:
            try:
                graph.setdefault(place, []).append(places[read(part.to)])
            except ValueError as error:
                raise MachineError(f"{where}, channel {one.channel.name}, coupling, to: {error}") from None
    for place in places.values():
        graph.setdefault(place, [])
    try:
        return tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        ring = " -> ".join(quantities[place].channel.name for place in error.args[1])
        raise MachineError(f"{where}: channels are coupled in a ring, {ring}; leave one coupling out") from None
