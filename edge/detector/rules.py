"""Rules beside the network: limits, flat line, rate of change and silence per channel."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from edge.wire.events import Kind, RuleHit

RuleName = Literal["min", "max", "max_rate", "flat", "silent"]
_KIND: Mapping[str, Kind] = {"min": "rule", "max": "rule", "max_rate": "rule", "flat": "sensor", "silent": "sensor"}


@dataclass(frozen=True)
class ChannelRules:
    """What one channel must keep to; None switches a rule off."""

    min: float | None = None
    """Least allowed value, in the channel's unit."""
    max: float | None = None
    """Largest allowed value, in the channel's unit."""
    flat_for_s: float | None = None
    """A value that does not change for so long is a stuck sensor, seconds."""
    max_rate: float | None = None
    """Largest allowed change, units a second."""
    silent_for_s: float | None = None
    """A channel without a reading for so long is silent, seconds."""


def kind_of(rule: str) -> Kind:
    """`rule` for what the machine does, `sensor` for what the sensor does."""
    return _KIND[rule]


class RuleBook:
    """The rules of one stream and what they must remember of its past."""

    def __init__(self, channels: Sequence[str], rules: Mapping[str, ChannelRules]) -> None:
        self._watched = [(channels.index(name), name, rule) for name, rule in rules.items()]
        self._last: dict[str, tuple[float, float]] = {}  # channel -> time and value of its last reading
        self._changed: dict[str, float] = {}  # channel -> time since which its value is the same
        self._born: float | None = None

    def __bool__(self) -> bool:
        return bool(self._watched)

    def check(self, time: float, values: np.ndarray) -> list[RuleHit]:
        """The rules that a row (channels,) at `time` breaks."""
        self._born = time if self._born is None else self._born
        hits = []
        for position, name, rule in self._watched:
            value = float(values[position])
            if math.isnan(value):
                hits += self._silence(time, name, rule)
            else:
                hits += self._value(time, name, rule, value)
        return hits

    def silence(self, time: float) -> list[RuleHit]:
        """The silence rules broken at `time` when no row came."""
        return [hit for _, name, rule in self._watched for hit in self._silence(time, name, rule)]

    def _silence(self, time: float, name: str, rule: ChannelRules) -> list[RuleHit]:
        since = self._last[name][0] if name in self._last else self._born
        if rule.silent_for_s is None or since is None or time - since < rule.silent_for_s:
            return []
        return [RuleHit("silent", name, rule.silent_for_s, time - since)]

    def _value(self, time: float, name: str, rule: ChannelRules, value: float) -> list[RuleHit]:
        hits = []
        if rule.min is not None and value < rule.min:
            hits.append(RuleHit("min", name, rule.min, value))
        if rule.max is not None and value > rule.max:
            hits.append(RuleHit("max", name, rule.max, value))
        hits += self._rate(time, name, rule, value)
        hits += self._flat(time, name, rule, value)
        self._last[name] = (time, value)
        return hits

    def _rate(self, time: float, name: str, rule: ChannelRules, value: float) -> list[RuleHit]:
        if rule.max_rate is None or name not in self._last:
            return []
        before, old = self._last[name]
        rate = abs(value - old) / max(time - before, 1e-9)
        return [RuleHit("max_rate", name, rule.max_rate, rate)] if rate > rule.max_rate else []

    def _flat(self, time: float, name: str, rule: ChannelRules, value: float) -> list[RuleHit]:
        if name not in self._last or self._last[name][1] != value:
            self._changed[name] = time
        flat_s = time - self._changed[name]
        if rule.flat_for_s is None or flat_s < rule.flat_for_s:
            return []
        return [RuleHit("flat", name, rule.flat_for_s, flat_s)]
