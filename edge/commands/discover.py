"""Listens to a broker and prints which boards and channels are there, and the settings that read them."""

import argparse
import json
import platform
import re
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from edge.commands.survey import OWN, Board, Survey
from edge.commands.watch import with_broker
from edge.detector.bundle.files import load_bundle
from edge.mqtt.connection import ConnectError, Connection
from edge.mqtt.wishes import Wishes
from edge.sources.formats.message import Message
from edge.sources.formats.uplinks import UPLINKS
from edge.wire.broker import BrokerSettings
from edge.wire.payload import printable
from edge.wire.topics import valid_stream_id

Found = tuple[str, str]
"""Format and board."""
_CONNECT_S, _LOOK_S, _PACKETS_A_TURN = 5.0, 0.2, 200
_LONGEST_PAYLOAD = 262_144
"""Readings are shorter; what is longer is passed over, bytes."""


def listen(broker: BrokerSettings, seconds: float, survey: Survey, stop: threading.Event) -> None:
    """Subscribe to everything for so long.

    Raises:
        ConnectError: the broker cannot be reached, refuses, or hangs up meanwhile.
    """
    # A name of its own: with that of an agent the broker would throw the agent out.
    name = f"offbeat-discover-{uuid.uuid4().hex[:12]}"
    connection = Connection(broker, name, wishes=Wishes(max_payload_bytes=_LONGEST_PAYLOAD))
    connection.on_message = lambda message: survey.take(
        Message(message.topic, message.payload), time.monotonic(), message.retain
    )
    try:
        connection.open(_CONNECT_S)
        connection.subscribe(["#"], qos=0)
        until = time.monotonic() + seconds
        while not stop.is_set() and (left_s := until - time.monotonic()) > 0:
            connection.step(min(_LOOK_S, left_s), _PACKETS_A_TURN)
            if not connection.connected:
                raise ConnectError(f"{broker.address}: {connection.why_ended}")
            if refusal := next((why for _, why in connection.subscribed if why is not None), None):
                raise ConnectError(f"{broker.address}: the subscription to # is refused: {refusal}")
    finally:
        connection.close(goodbye=True)


def told(survey: Survey, bundle: Path | None) -> tuple[list[str], list[str]]:
    """Lines for the user: a table of channels, and the settings to paste.

    With a `bundle` the settings are for the boards that have its channels; there are none where no board has.

    Raises:
        BundleError: it cannot be read.
    """
    lines = [f"{'format':<16}{'board':<24}{'channel':<36}{'every':>9}  example"]
    for (name, board), found in sorted(survey.boards.items()):
        for channel, heard in sorted(found.channels.items()):
            every = ("-" if heard.count else "retained") if heard.every_s is None else f"{heard.every_s:.3g} s"
            lines.append(f"{name:<16}{board:<24}{channel:<36}{every:>9}  {heard.example:g}")
    lines += [f"{'not known':<16}{topic}: {payload}" for topic, payload in sorted(survey.others.items())[:20]]
    wanted = None if bundle is None else load_bundle(bundle).channel_names
    fits = {
        key: found
        for key, found in sorted(survey.boards.items())
        if found.sends and (wanted is None or set(wanted) <= found.channels.keys())
    }
    if wanted is not None and not fits:
        return [*lines, "", f"no board has all channels of {bundle}: {', '.join(wanted)}"], []
    return lines, [*_sources(fits), *_streams(fits, bundle)]


def _sources(boards: dict[Found, Board]) -> list[str]:
    lines = []
    for name in dict.fromkeys(name for name, _ in boards):
        lines += ["[[source]]", f'name = "{name}"', 'type = "mqtt"']
        if name in UPLINKS:
            lines += UPLINKS[name].settings()
        elif name != OWN:
            lines.append(f'format = "{name}"')
        lines.append("")
    return lines


def _streams(boards: dict[Found, Board], bundle: Path | None) -> list[str]:
    lines, taken = [], set[str]()
    for (name, board), found in boards.items():
        ids = (board, f"{name}-{board}", *(f"{name}-{board}-{number}" for number in range(2, len(boards) + 2)))
        stream = next(one for one in ids if valid_stream_id(one) and one not in taken)
        taken.add(stream)
        lines += ["[[stream]]", f'id = "{stream}"', f'source = "{name}"']
        lines += [f'board = "{board}"'] if board != stream else []
        lines += [f"bundle = {json.dumps(str(bundle) if bundle else f'bundles/{stream}')}"]
        lines += [] if found.timed else ['time_from = "arrival"']
        lines.append("")
    return lines


def whole(broker: BrokerSettings, password_file: Path | None, settings: list[str]) -> str:
    """An agent.toml: the device is called as this computer, the broker is the one that was listened to."""
    device = re.sub(r"[^a-zA-Z0-9_-]+", "-", platform.node()).strip("-") or "gw-1"
    lines = [
        "[device]",
        f'id = "{device}"',
        "",
        "[broker]",
        f"host = {json.dumps(broker.host)}",
        f"port = {broker.port}",
    ]
    given = {"username": broker.username, "password_file": password_file}
    given |= {"ca": broker.ca, "cert": broker.cert, "key": broker.key}
    lines += [f"{key} = {json.dumps(str(Path(value).resolve() if key != 'username' else value))}"
              for key, value in given.items() if value is not None]  # fmt: skip
    if broker.exposed:  # as it was listened to just now
        lines.append("plaintext = true  # without TLS everybody on the way reads and changes this; better: ca")
    return "\n".join([*lines, "", *settings]).rstrip() + "\n"


def discover(options: argparse.Namespace, broker: BrokerSettings, say: Callable[[str], None] = print) -> int:
    """Listen and print; the exit status."""
    if options.write is not None and options.write.exists():
        say(f"offbeat-edge: {options.write} is there already; remove it, or give --write another name")
        return 2
    survey = Survey()
    try:
        listen(broker, options.seconds, survey, threading.Event())
    except ConnectError as error:
        say(f"offbeat-edge: no broker at {error}")
        return 2
    if not survey.boards and not survey.others:
        say(f"nothing was heard in {options.seconds:g} s at {broker.address}; --seconds listens for longer")
        return 1
    table, settings = told(survey, options.bundle)
    for line in [*table, "", *settings]:
        say(printable(line))  # topics and names are whatever somebody published
    if not settings:
        return 1
    if options.write is not None:
        options.write.write_text(whole(broker, options.password_file, settings), "utf-8")
        say(f"written to {options.write}: take out the streams that you do not want to have watched")
    return 0


def discover_boards(options: argparse.Namespace) -> int:
    """As `offbeat-edge discover`; the exit status."""
    return with_broker(options, discover)
