"""`offbeat-edge status`: what runs, since when, how each stream is, what is open, what has not been delivered."""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from edge.commands.remote import at_rest, from_afar
from edge.commands.remote.words import lines_of
from edge.commands.upkeep.machine import there
from edge.commands.watch_options import watched
from edge.config.settings import Config, ConfigError, load_config
from edge.mqtt.connection import ConnectError
from edge.state.lock import holder
from edge.wire.local_link import NobodyThereError, ask_local
from edge.wire.payload import encode_payload, printable

GOOD, IN_TROUBLE, BAD_SETUP, NOT_RUNNING, UNKNOWN = range(5)
"""Exit statuses: it runs and all is judged; it runs and something is in trouble; the config or the user is wrong; it
does not run; it cannot be told whether it runs."""


def status(options: argparse.Namespace) -> int:
    """Print a table, or JSON; the exit status says whether it runs, and whether all is well."""
    try:
        if options.device is None and options.config is not None and options.host is None:
            body = here(load_config(options.config), options.timeout)
        else:
            broker, root, device = watched(options)
            if device == "+":
                raise ConfigError("status wants --config, of the agent on this machine, or --device, of one elsewhere")
            body = from_afar.status_of(broker, root, device, options.timeout)
    except (ConfigError, PermissionError) as error:
        print(f"offbeat-edge: {printable(str(error))}", file=sys.stderr)
        return BAD_SETUP
    except ConnectError as error:
        body = {"device": options.device, "running": None, "troubles": [f"the broker cannot be asked: {error}"]}
    print(encode_payload(body).decode() if options.json else "\n".join(map(printable, lines_of(body))))
    return exit_status(body)


def here(config: Config, timeout_s: float = 5.0) -> dict[str, Any]:
    """Of the agent that has this config's state folder, with no broker; where none runs, what it left there.

    On a disk that takes nothing an agent can neither lock the folder nor be asked there: the broker is.

    Raises:
        PermissionError: the folder is another user's.
    """
    folder = config.device.state_dir
    _require_readable(folder)
    try:
        answer = ask_local(folder, "status", {})
    except NobodyThereError as error:
        if (pid := holder(folder)) is None:
            if not os.access(there(folder), os.W_OK):
                return _at_the_broker(config, timeout_s)
            return at_rest.left(config)
        trouble = f"process {pid} has the state folder and does not answer: {error}"
        return {**at_rest.left(config), "running": True, "pid": pid, "troubles": [trouble]}
    return {"running": True, **answer["data"]} if answer["status"] == "ok" else _refused(config, answer)


def _at_the_broker(config: Config, timeout_s: float) -> dict[str, Any]:
    why = f"{config.device.state_dir} cannot be written to, so that it does not tell whether an agent runs"
    try:
        body = from_afar.status_of(config.broker, config.device.root, config.device.id, timeout_s)
    except ConnectError as error:
        body = {**at_rest.left(config), "running": None, "troubles": [f"the broker cannot be asked: {error}"]}
    return {**body, "troubles": [why, *body.get("troubles", ())]}


def exit_status(body: dict[str, Any]) -> int:
    """What scripts go by."""
    if body["running"] is None:
        return UNKNOWN
    if not body["running"]:
        return NOT_RUNNING
    return IN_TROUBLE if body.get("troubles") else GOOD


def _refused(config: Config, answer: dict[str, Any]) -> dict[str, Any]:
    return {"running": True, "device": config.device.id, "troubles": [str(answer.get("message"))]}


def _require_readable(folder: Path) -> None:
    try:
        list(folder.iterdir())
    except PermissionError as error:
        raise PermissionError(
            f"{folder} is another user's: run this as who runs the agent, such as sudo -u offbeat, or as root"
        ) from error
    except OSError:
        return  # not made yet: nothing has run
