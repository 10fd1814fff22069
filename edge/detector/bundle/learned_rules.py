"""Rules that came with a bundle, learned from normal rows; a stream's own go before them."""

import math
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from typing import Any

from edge.detector.bundle.rules import ChannelRules

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
