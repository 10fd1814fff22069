"""`offbeat-edge ack` and `offbeat-edge snooze`: the requests of that name from a terminal, to the agent that runs."""

import argparse
import getpass
import re
import sys
from datetime import datetime
from typing import Any

from edge.commands.normal import ask_and_print

_BAD_SETUP = 2
_SECONDS = {"s": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "": 1.0}


def seconds_of(text: str) -> float:
    """A duration as people write it.

    >>> [seconds_of(text) for text in ("90", "30min", "2 h", "1.5d")]
    [90.0, 1800.0, 7200.0, 129600.0]

    Raises:
        ValueError: it is none.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|min|m|h|d|)", text.strip())
    if found is None or not float(found[1]) > 0:
        raise ValueError(f"{text!r} is no time; wanted such as 30min, 2h or 1d")
    return float(found[1]) * _SECONDS[found[2]]


def acknowledge(options: argparse.Namespace) -> int:
    """Ask, print the answer; the exit status as that of `normal`."""
    return ask_and_print("ack", options.config, _fields(options), _acknowledged)


def snooze(options: argparse.Namespace) -> int:
    """Ask, print the answer; the exit status as that of `normal`."""
    if options.end:
        return ask_and_print("unsnooze", options.config, {"event_id": options.event_id}, _unsnoozed)
    try:
        for_s = seconds_of(options.time)
    except ValueError as error:
        print(f"offbeat-edge: --for {error}", file=sys.stderr)
        return _BAD_SETUP
    return ask_and_print("snooze", options.config, {**_fields(options), "for_s": for_s}, _snoozed)


def _fields(options: argparse.Namespace) -> dict[str, Any]:
    return {"event_id": options.event_id, "by": getpass.getuser() if options.by is None else options.by}


def _acknowledged(data: dict[str, Any]) -> list[str]:
    by = f" by {data['by']}" if data.get("by") else ""
    return [f"{data['stream']}: {data['event_id']} is acknowledged{by}, until it is over or becomes worse"]


def _snoozed(data: dict[str, Any]) -> list[str]:
    until = datetime.fromtimestamp(data["until"]).strftime("%Y-%m-%d %H:%M:%S")
    return [f"{data['stream']}: nothing is told of {data['event_id']} and what comes like it until {until}"]


def _unsnoozed(data: dict[str, Any]) -> list[str]:
    return [f"{data['stream']}: {data['event_id']} is told again; {data['events']} events were kept back"]
