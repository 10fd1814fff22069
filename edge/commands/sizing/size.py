"""`offbeat-edge size CONFIG`: what a config costs on this machine, before it is installed on another."""

import argparse
import json
import sys
from collections.abc import Iterator
from typing import Any

from edge.commands.attend import seconds_of
from edge.commands.sizing.measure import Costs, RehearsalError, measured
from edge.commands.sizing.wear import Outage, Writes, as_json, outage, writes
from edge.config.settings import Config, ConfigError, load_config

_TOO_MUCH, _BAD_SETUP = 1, 2
_BUSY = 0.7
"""Of one processor: with more, a burst of readings is no longer caught up with."""


def size(options: argparse.Namespace) -> int:
    """Measure and print; 1 where something does not fit, 2 where the config or what it names cannot be used."""
    try:
        seconds = seconds_of(options.outage)
    except ValueError as error:
        print(f"offbeat-edge: --outage: {error}", file=sys.stderr)
        return _BAD_SETUP
    try:
        config = load_config(options.config)
        costs = measured(options.config, config)
    except (ConfigError, RehearsalError) as error:
        print(f"offbeat-edge: {error}", file=sys.stderr)
        return _BAD_SETUP
    outbox, disk = outage(config, costs, seconds, options.episodes), writes(config, costs, options.episodes)
    short = list(too_much(costs, outbox))
    if options.json:
        taken = {"episodes_a_day": options.episodes, "outage_s": seconds}
        print(json.dumps({**costs_json(costs), **as_json(outbox, disk), "taken": taken, "too_much": short}))
    else:
        print("\n".join([*lines(config, costs), *wear_lines(options, outbox, disk), *short]))
    return _TOO_MUCH if short else 0


def too_much(costs: Costs, outbox: Outage) -> Iterator[str]:
    """What does not fit, each with a remedy; nothing where all does."""
    if costs.share > _BUSY:
        yield (
            f"too much: {costs.share:.0%} of a processor; fewer streams, a bundle of a longer period or stride, or "
            "another variant"
        )
    if not outbox.fits:
        yield (
            f"too much: the outbox is full after {_time(outbox.full_after_s)}, then the oldest updates go first; raise "
            "[delivery] outbox_bytes"
        )


def lines(config: Config, costs: Costs) -> Iterator[str]:
    """Memory and processor."""
    count = len(config.stream)
    yield f"memory     {_mb(costs.total_bytes)} resident with {count} streams, {_mb(costs.peak_bytes)} at the most"
    yield f"           {_mb(costs.bare_bytes)} a bare Python, {_mb(costs.libraries_bytes)} with all libraries"
    for one in costs.bundles:
        yield f"           {_mb(one.each_bytes)} each further stream of {one.name}"
        if one.commissioning_bytes:
            yield f"           {_mb(one.commissioning_bytes)} more while streams of {one.name} commission themselves"
    yield f"processor  {costs.share:.2%} of one, {costs.idle_share:.2%} with no rows"
    for one in costs.bundles:
        told = f"{one.window_s * 1e3:.3f} ms a window, {one.row_s * 1e3:.3f} ms a row with all else"
        yield f"           {_few(one.streams)}: {one.variant} in {one.runtime}, {told}"
        yield f"           every {one.period_s:g} s: {one.share:.3%} each"


def wear_lines(options: argparse.Namespace, outbox: Outage, disk: list[Writes]) -> Iterator[str]:
    """Outbox and writes."""
    yield (
        f"outbox     {options.outage} without a broker: {outbox.events} events, {_mb(outbox.bytes)} of "
        f"{_mb(outbox.most_bytes)} (outbox_bytes), full after {_time(outbox.full_after_s)}"
    )
    whole, synced = sum(one.bytes for one in disk), sum(one.synced for one in disk)
    yield f"writes     {_mb(whole)} a day, the disk waited for {synced:.0f} times"
    for one in disk:
        yield f"           {one.what}: {one.times:.0f} times, {_mb(one.bytes)}, waited for {one.synced:.0f} times"
    yield f"taken      {options.episodes:g} episodes a day and stream, an hour each (--episodes)"


def costs_json(costs: Costs) -> dict[str, Any]:
    """Plain JSON: bytes, seconds and parts of one processor."""
    memory = {
        "bare_python_bytes": costs.bare_bytes,
        "libraries_bytes": costs.libraries_bytes,
        "total_bytes": costs.total_bytes,
        "peak_bytes": costs.peak_bytes,
        "commissioning_bytes": costs.commissioning_bytes,
    }
    bundles = [{**vars(one), "streams": list(one.streams), "share_of_each": one.share} for one in costs.bundles]
    processor = {"share": costs.share, "idle_share": costs.idle_share}
    return {"memory": memory, "processor": processor, "bundles": bundles, "event_bytes": costs.event_bytes}


def _few(names: tuple[str, ...]) -> str:
    return ", ".join(names) if len(names) <= 3 else f"{names[0]}, {names[1]} and {len(names) - 2} more"


def _mb(size: float) -> str:
    return f"{size / 1e6:.2f} MB" if size < 10e6 else f"{size / 1e6:.0f} MB"


def _time(seconds: float) -> str:
    return f"{seconds / 3600:.0f} h" if seconds < 7 * 86_400 else f"{seconds / 86_400:.0f} days"
