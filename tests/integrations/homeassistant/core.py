"""Home Assistant itself with its MQTT integration and our blueprint, without a display; run by its own Python.

core.py PORT FOLDER CALLS prints a JSON line for each change of a state and each notification, until its standard
input ends. A line on standard input calls an action: {"domain": …, "service": …, "data": …}. CALLS "notify" adds an
automation from the blueprint in FOLDER for each entity that a line {"automate": ENTITY} names.
"""

import asyncio
import json
import logging
import shutil
import sys
from pathlib import Path
from types import MappingProxyType

from homeassistant import bootstrap, config_entries, loader
from homeassistant.components.trace.const import DATA_TRACE
from homeassistant.core import CoreState, HomeAssistant, ServiceCall, callback
from homeassistant.helpers import frame
from homeassistant.setup import async_setup_component

PORT, CONFIG, BLUEPRINT = int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
# What mqtt and automation depend on and is not needed here.
STAND_INS = ("http", "file_upload", "webhook", "trace", "device_automation")


def say(**what) -> None:
    print(json.dumps(what, default=str), flush=True)


def prepare() -> None:
    place = CONFIG / "blueprints" / "automation" / "offbeat"
    place.mkdir(parents=True, exist_ok=True)
    shutil.copy(BLUEPRINT, place / "notify_episode.yaml")
    (CONFIG / "configuration.yaml").write_text("homeassistant:\n")


def automation(entity: str) -> dict:
    inputs = {"episode": entity, "notify": "notify.phone", "picture": "http://gateway:8080"}
    return {"alias": entity, "use_blueprint": {"path": "offbeat/notify_episode.yaml", "input": inputs}}


def listen(hass: HomeAssistant) -> None:
    @callback
    def changed(event) -> None:
        new = event.data.get("new_state")
        say(
            entity=event.data["entity_id"],
            state=None if new is None else new.state,
            attributes={} if new is None else dict(new.attributes),
        )

    async def notified(call: ServiceCall) -> None:
        say(notified=dict(call.data))

    hass.bus.async_listen("state_changed", changed)
    hass.services.async_register("notify", "phone", notified)


async def start() -> HomeAssistant:
    hass = HomeAssistant(str(CONFIG))
    hass.config.skip_pip = True
    hass.config_entries = config_entries.ConfigEntries(hass, {})
    loader.async_setup(hass)
    frame.async_setup(hass)
    await bootstrap.async_load_base_functionality(hass)
    hass.config.components.update(STAND_INS)
    hass.data.setdefault(DATA_TRACE, {})
    listen(hass)
    await hass.config_entries.async_add(
        config_entries.ConfigEntry(
            version=1,
            minor_version=2,
            domain="mqtt",
            title="broker",
            data={"broker": "127.0.0.1", "port": PORT},
            options={},
            source="user",
            unique_id=None,
            discovery_keys=MappingProxyType({}),
            subentries_data=None,
        )
    )
    hass.set_state(CoreState.running)
    hass.bus.async_fire("homeassistant_started")
    return hass


async def follow(hass: HomeAssistant) -> None:
    """Carry out what standard input says, until it ends."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        asked = json.loads(line)
        if "automate" in asked:
            done = await async_setup_component(hass, "automation", {"automation": [automation(asked["automate"])]})
            say(automated=done)
        else:
            await hass.services.async_call(asked["domain"], asked["service"], asked["data"], blocking=True)
            say(called=asked["service"])


async def main() -> None:
    prepare()
    hass = await start()
    say(ready=True)
    await follow(hass)
    await hass.async_stop(force=True)


logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
asyncio.run(main())
