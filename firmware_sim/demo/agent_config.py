"""The agent.toml of the demo."""

import json
from pathlib import Path

from firmware_sim.demo.plan import BOARD, DEVICE, Plan
from firmware_sim.machine.channels import NAMES

_QUEUE_READINGS = 4096
"""A busy machine may keep the agent waiting for seconds, and a second is hundreds of readings here."""
_UPDATE_EVERY_S = 600.0
"""Nobody can read more of an alert than every few seconds."""
_FLAT_FOR_S = 60.0
"""The longest that a sound channel shows one value is 15 s, while the pump stands."""
_SILENT_FOR_S = 60.0


def agent_toml(plan: Plan, host: str, port: int, state: Path) -> str:
    """The configuration that the live run is served with; the same keys as on a gateway."""
    rules = "".join(
        f"[stream.rules.{name}]\nflat_for_s = {_FLAT_FOR_S}\nsilent_for_s = {_SILENT_FOR_S}\n" for name in NAMES
    )
    return f"""# Written by the demo. Readings come {plan.speed:g} times as fast as they were made, ahead of our clock.
[device]
id = "{DEVICE}"
state_dir = {json.dumps(str(state))}
health_every_s = 1.0
queue_readings = {_QUEUE_READINGS}

[broker]
host = "{host}"
port = {port}
plaintext = true

[[source]]
name = "boards"
type = "mqtt"

[[stream]]
id = "{BOARD}"
bundle = {json.dumps(plan.bundle.name)}
max_future_s = inf

[stream.alarm]
update_every_s = {_UPDATE_EVERY_S}

{rules}"""
