"""Values that cannot be scored: trouble while they come, and the stream is judged again once they are right."""

import json
import time
from functools import partial

from tests.attack.registry import attack
from tests.attack.stand import Stand
from tests.edge.agent.test_judged import BLIND

MORE = {
    "numbers beyond a float": lambda when: {"time": when, "values": {"flow": 10**400, "pressure": 10**400}},
    "true and false for values": lambda when: {"time": when, "values": {"flow": True, "pressure": False}},
    "lists for values": lambda when: {"time": when, "values": {"flow": [2.0], "pressure": {"a": 1}}},
    "a time of 1970 in every frame": lambda _when: {"time": 0.0, "values": {"flow": 2.0, "pressure": 5.0}},
    "text for a time": lambda _when: {"time": "soon", "values": {"flow": 2.0, "pressure": 5.0}},
}
"""Further members of the kind."""
_LONGEST_S = 25.0
"""A window is given the time that it takes to fill, twice."""


def _unscorable(make: object, stand: Stand) -> None:
    """Sent for some seconds, ten a second; afterwards what is right is dated on."""
    began = time.monotonic()
    while time.monotonic() - began < _LONGEST_S:
        stand.send("sensors/pump1/readings", json.dumps(make(float(stand.clock))).encode())  # type: ignore[operator]
        stand.clock += 1
        time.sleep(0.1)
        if time.monotonic() - began > 5.0 and stand.trouble() and _availability(stand) == b"offline":
            break
    else:
        raise AssertionError(f"no trouble in {_LONGEST_S:g} s: {stand.health()['streams']['pump1']}")
    stand.over()


def _availability(stand: Stand) -> bytes:
    return stand.listener.on("offbeat/gw-1/pump1/availability")[-1]


for _name, _make in {**BLIND, **MORE}.items():
    attack(f"values that cannot be scored: {_name}", shared=True)(partial(_unscorable, _make))
