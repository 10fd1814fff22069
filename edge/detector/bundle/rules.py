"""Rules beside the network: limits, flat line, rate of change and silence per channel."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal

from edge.detector.rows.row import Row
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


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule that is broken."""

    hit: RuleHit
    since: float
    """Unix seconds."""


@dataclass(frozen=True)
class Findings:
    """What one row says of the rules; of those that it cannot judge, for want of a reading, it says nothing."""

    broken: dict[str, Breach] = field(default_factory=dict)
    """By the rule's key."""
    kept: set[str] = field(default_factory=set)
    """Keys."""

    def add(self, rule: RuleName, channel: str, broken: bool, limit: float, value: float, since: float) -> None:
        """Enter what was found of one rule."""
        key = rule_key(rule, channel)
        if broken:
            self.broken[key] = Breach(RuleHit(rule, channel, limit, value), since)
        else:
            self.kept.add(key)


def rule_key(rule: str, channel: str) -> str:
    """The name of one channel's rule, by which its episode is kept."""
    return f"{rule}:{channel}"


def kind_of(rule: str) -> Kind:
    """`rule` for what the machine does, `sensor` for what the sensor does."""
    return _KIND[rule]


class RuleBook:
    """The rules of one stream and what they must remember of its past. Values that a row only holds count as missing.

    >>> import numpy as np
    >>> book = RuleBook(["flow"], {"flow": ChannelRules(max=5.0)})
    >>> [list(book.check(Row(time, np.array([flow]))).broken) for time, flow in ((1.0, 5.0), (2.0, 5.1))]
    [[], ['max:flow']]
    """

    def __init__(self, channels: Sequence[str], rules: Mapping[str, ChannelRules]) -> None:
        self._watched = [_Watched(channels.index(name), name, rule) for name, rule in rules.items()]
        self.keys = {key for one in self._watched for key in one.rule_keys()}
        """Of all rules that are on."""

    def check(self, row: Row) -> Findings:
        """What a row says of the rules."""
        found = Findings()
        for one in self._watched:
            value = math.nan if one.position in row.held else float(row.values[one.position])
            one.check(row.time, value, row.restart, found)
        return found

    def silence(self, time: float) -> Findings:
        """The silence rules broken at `time` when no row came."""
        found = Findings()
        for one in self._watched:
            one.check_silence(time, found)
        return found


class _Watched:
    """One channel with rules."""

    def __init__(self, position: int, name: str, rule: ChannelRules) -> None:
        self.position, self.name, self.rule = position, name, rule
        self._heard: float | None = None  # time of its last reading, or of the first row before it has one
        self._value: float | None = None  # that reading, None where there is none or a gap lies behind it
        self._same_since = math.nan  # time since which the value is the same
        self._changed = False  # whether it was ever seen to change

    def rule_keys(self) -> Iterator[str]:
        limits = (self.rule.min, self.rule.max, self.rule.max_rate, self.rule.flat_for_s, self.rule.silent_for_s)
        for name, limit in zip(("min", "max", "max_rate", "flat", "silent"), limits, strict=True):
            if limit is not None:
                yield rule_key(name, self.name)

    def check(self, time: float, value: float, restart: bool, found: Findings) -> None:
        if restart:
            self._value = None
        if math.isnan(value):
            self._heard = time if self._heard is None else self._heard
            self.check_silence(time, found)
            return
        self._check_limits(time, value, found)
        self._check_rate(time, value, found)
        self._check_flat(time, value, found)
        if self.rule.silent_for_s is not None:
            found.add("silent", self.name, False, self.rule.silent_for_s, 0.0, time)
        self._heard, self._value = time, value

    def check_silence(self, time: float, found: Findings) -> None:
        limit_s = self.rule.silent_for_s
        if limit_s is not None and self._heard is not None and time - self._heard >= limit_s:
            found.add("silent", self.name, True, limit_s, time - self._heard, self._heard)

    def _check_limits(self, time: float, value: float, found: Findings) -> None:
        if self.rule.min is not None:
            found.add("min", self.name, value < self.rule.min, self.rule.min, value, time)
        if self.rule.max is not None:
            found.add("max", self.name, value > self.rule.max, self.rule.max, value, time)

    def _check_rate(self, time: float, value: float, found: Findings) -> None:
        if self.rule.max_rate is None or self._value is None or self._heard is None:
            return
        rate = abs(value - self._value) / max(time - self._heard, 1e-9)
        found.add("max_rate", self.name, rate > self.rule.max_rate, self.rule.max_rate, rate, time)

    def _check_flat(self, time: float, value: float, found: Findings) -> None:
        if self._value is None or self._value != value:
            self._changed = self._value is not None
            self._same_since = time
        limit_s, flat_s = self.rule.flat_for_s, time - self._same_since
        # What was never seen to change may have been flat since before: that is not yet a rule kept.
        if limit_s is not None and (self._changed or flat_s >= limit_s):
            found.add("flat", self.name, flat_s >= limit_s, limit_s, flat_s, self._same_since)


_FIELDS = tuple(one.name for one in fields(ChannelRules))


def rules_to_dict(rules: Mapping[str, ChannelRules]) -> dict[str, Any]:
    """Plain JSON types, as in the manifest."""
    return {channel: asdict(one) for channel, one in rules.items()}


def rules_from_dict(body: Mapping[str, Any]) -> dict[str, ChannelRules]:
    """The rules that `rules_to_dict` wrote.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: no finite numbers.
    """
    rules = {}
    for channel, part in body.items():
        values = {name: None if part.get(name) is None else float(part[name]) for name in _FIELDS}
        if not all(value is None or math.isfinite(value) for value in values.values()):
            raise ValueError(f"rules of {channel} want finite numbers")
        rules[str(channel)] = ChannelRules(**values)
    return rules


def merged(learned: Mapping[str, ChannelRules], own: Mapping[str, ChannelRules]) -> dict[str, ChannelRules]:
    """Learned rules with the own ones in their place, rule by rule.

    >>> merged({"flow": ChannelRules(min=1.0, max=5.0)}, {"flow": ChannelRules(max=9.0)})["flow"].max
    9.0
    """
    return {name: _merged(learned.get(name), own.get(name)) for name in dict.fromkeys((*learned, *own))}


def _merged(learned: ChannelRules | None, own: ChannelRules | None) -> ChannelRules:
    if learned is None or own is None:
        return own or learned or ChannelRules()
    both = replace(learned, **{name: value for name, value in asdict(own).items() if value is not None})
    if both.min is not None and both.max is not None and not both.min < both.max:
        return replace(both, min=own.min, max=own.max)  # an own limit beyond the learned other one
    return both
