"""The gateway's wall clock: without a battery at boot, set by NTP, set back, set by hand."""

import json
import time
from collections.abc import Sequence
from functools import partial

from tests.attack.chores.running import CLOCK, injected
from tests.attack.registry import attack
from tests.attack.stand import Stand
from tests.helpers.agent import MQTT, PUMP, events
from tests.helpers.tiny_bundle import normal

_ARRIVAL = PUMP + 'time_from = "arrival"\n'
JUMPS = {
    "1970 at boot, then NTP sets it": (-1.7e9, 0),
    "a day ahead at boot, then set back": (86_400, 0),
    "back by an hour": (0, -3600),
    "back by ten minutes, then right": (0, -600, 0),
    "ahead by a year": (0, 365 * 86_400),
    "back and forth by two minutes": (0, 120, -120, 120, 0),
}
"""By name, the offsets one after another, seconds."""


def _jumps(offsets: Sequence[float], times: bool, stand: Stand) -> None:
    """With times in the readings the board's clock is right throughout; else rows are dated by the gateway's."""
    file = stand.folder / "clock"
    file.write_text(str(offsets[0]))
    stream = PUMP if times else _ARRIVAL
    stand.start(stand.config(MQTT, stream), PYTHONPATH=injected(stand, CLOCK), OFFBEAT_CLOCK=str(file))
    if times:
        stand.clock = int(time.time()) - 2000  # what a board sends after an outage
    for offset in offsets:
        file.write_text(str(offset))
        stand.over()
        _serves(stand, times)


def _serves(stand: Stand, times: bool) -> None:
    if times:
        stand.serves()
        stand.served_s = 0.0
        return
    began, before = time.monotonic(), _news(stand)
    while _news(stand) <= before:
        assert time.monotonic() - began < 120.0, f"no alert; {stand.trouble()!r}; {stand.log()[-600:]}"
        for more in (0.0,) * 30 + (6.0,) * 10:
            stand.clock += 1
            values = normal(float(stand.clock))
            payload = {"values": {**values, "flow": values["flow"] + more}}
            stand.send("sensors/pump1/readings", json.dumps(payload).encode())
            time.sleep(1.0)  # the period of normal rows
            if _news(stand) > before:
                break
    stand.served_s = 0.0


def _news(stand: Stand) -> int:
    return sum(event["event_type"] == "new" for event in events(stand.listener))


for _name, _offsets in JUMPS.items():
    attack(f"the clock: {_name}; readings have times", quick=_name.startswith("1970"))(partial(_jumps, _offsets, True))
attack("the clock: back by an hour; readings have no times")(partial(_jumps, (0, -3600), False))
