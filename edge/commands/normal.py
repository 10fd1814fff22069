"""`offbeat-edge normal`: the request `normal` from a terminal, to the agent that runs."""

import argparse
import getpass
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge.config.settings import Config, ConfigError, load_config
from edge.mqtt.connection import ConnectError, Connection
from edge.wire.broker import BrokerSettings
from edge.wire.payload import encode_payload, printable
from edge.wire.topics import DeviceTopics

_REFUSED, _BAD_SETUP = 1, 2
_WAIT_S = 10.0
"""How long an answer may take, seconds."""


def normal(options: argparse.Namespace) -> int:
    """Ask, print the answer; 1 where it is an error or does not come, 2 where the config or broker is no good."""
    return ask_and_print("normal", options.config, _fields(options), _lines)


def ask_and_print(
    command: str, path: Path, fields: dict[str, Any], lines: Callable[[dict[str, Any]], list[str]]
) -> int:
    """The same of any request; `lines` puts the answer's data into words."""
    try:
        config = load_config(path)
        _require_allowed(command, config)
        answer = ask(command, config.broker, DeviceTopics(config.device.id, config.device.root), fields)
    except (ConfigError, ConnectError) as error:
        print(f"offbeat-edge: {error}", file=sys.stderr)
        return _BAD_SETUP
    if answer is None or answer.get("status") != "ok":
        said = "no answer; does the agent run?" if answer is None else printable(str(answer.get("message")))
        print(f"offbeat-edge: {said}", file=sys.stderr)
        return _REFUSED
    print("\n".join(map(printable, lines(answer["data"]))))
    return 0


def ask(command: str, broker: BrokerSettings, topics: DeviceTopics, fields: dict[str, Any]) -> dict[str, Any] | None:
    """The agent's answer to a request; None where none comes.

    Raises:
        ConnectError: the broker cannot be reached.
    """
    transaction = f"{os.getpid()}-{time.monotonic_ns()}"
    connection = Connection(broker, f"offbeat-{command}-{os.getpid()}")
    try:
        connection.open(4.0)
        connection.subscribe([topics.response(command)])
        connection.publish(topics.request(command), encode_payload({**fields, "transaction": transaction}))
        deadline = time.monotonic() + _WAIT_S
        while (left_s := deadline - time.monotonic()) > 0 and connection.connected:
            connection.step(left_s)
            while connection.messages:
                answer = json.loads(connection.messages.popleft().payload)
                if answer.get("transaction") == transaction and answer.get("status") != "accepted":
                    return answer
        return None
    finally:
        connection.close(goodbye=True)


def _require_allowed(command: str, config: Config) -> None:
    allowed = config.requests.allow
    if command not in allowed:
        wanted = ", ".join(f'"{name}"' for name in (*allowed, command))
        raise ConfigError(f"the agent does not take this request; set [requests] allow = [{wanted}] and start it again")


def _fields(options: argparse.Namespace) -> dict[str, Any]:
    if options.list:
        return {"list": True}
    by = getpass.getuser() if options.by is None else options.by
    return {"revoke": options.revoke, "by": by} if options.revoke else {"event_id": options.event_id, "by": by}


def _lines(data: dict[str, Any]) -> list[str]:
    if "stream" in data:
        return [f"{data['stream']}: {data['event_id']}; {data['patterns']} patterns are called normal"]
    said = [
        f"{stream}: {one['event_id']} is called normal{' by ' + one['by'] if one['by'] else ''}"
        for stream, patterns in data["normal"].items()
        for one in patterns
    ]
    could = [f"{stream}: {one} could be" for stream, ids in data["known"].items() for one in ids]
    return said + could or ["nothing is called normal, and no anomaly is known that could be"]
