"""Listens to a broker and prints which boards and channels are there, and the settings that read them."""

import argparse
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from edge.commands.watch import with_broker
from edge.detector.bundle.files import load_bundle
from edge.sources.formats.choosing import FORMATS
from edge.sources.formats.mapped import matches
from edge.sources.formats.message import Decoder, Message
from edge.wire.broker import BrokerSettings, use_credentials
from edge.wire.payload import printable
from edge.wire.readings import FrameError, Readings, decode_readings
from edge.wire.topics import board_of

_MOST_CHANNELS = 5000


@dataclass
class Heard:
    """One channel, as far as it was heard."""

    count: int = 0
    first: float = 0.0
    last: float = 0.0
    """Monotonic seconds."""
    example: float = 0.0

    def take(self, value: float, now: float) -> None:
        """Count a value."""
        self.first = self.first if self.count else now
        self.count, self.last, self.example = self.count + 1, now, value

    @property
    def every_s(self) -> float | None:
        """Seconds between two values; None after one."""
        return (self.last - self.first) / (self.count - 1) if self.count > 1 else None


@dataclass
class Survey:
    """What was heard, by format and board."""

    boards: dict[tuple[str, str], dict[str, Heard]] = field(default_factory=dict)
    others: dict[str, str] = field(default_factory=dict)
    """Topics that no format explains, with the start of a payload."""
    _decoders: dict[str, Decoder] = field(default_factory=lambda: {name: make() for name, make in FORMATS.items()})
    _channels: int = 0

    def take(self, message: Message, now: float) -> None:
        """Find out whose a message is."""
        board = board_of(message.topic)
        if board is not None:
            try:
                self._add("offbeat", board, decode_readings(message.payload), now)
            except FrameError:
                self._other(message)
            return
        for name, decoder in self._decoders.items():
            if any(matches(pattern, message.levels) for pattern in decoder.topics):
                try:
                    for found, readings in decoder.decode(message):
                        self._add(name, found, readings, now)
                except FrameError:
                    self._other(message)
                return
        self._other(message)

    def _add(self, name: str, board: str, readings: Readings, now: float) -> None:
        channels = self.boards.setdefault((name, board), {})
        for channel, value in readings.values.items():
            if channel not in channels:
                self._channels += 1
                if self._channels > _MOST_CHANNELS:
                    return
            channels.setdefault(channel, Heard()).take(value, now)

    def _other(self, message: Message) -> None:
        if len(self.others) < 200 and not message.topic.startswith(("$SYS/", "offbeat/")):
            self.others[message.topic] = message.payload[:40].decode("utf-8", "replace")


def listen(broker: BrokerSettings, seconds: float, survey: Survey, stop: threading.Event) -> None:
    """Subscribe to everything for so long.

    Raises:
        OSError: the broker cannot be reached.
    """
    client = Client(CallbackAPIVersion.VERSION2)
    use_credentials(client, broker)

    def on_message(_client: Client, _userdata: object, message: MQTTMessage) -> None:
        survey.take(Message(message.topic, bytes(message.payload)), time.monotonic())

    client.on_message = on_message
    client.on_connect = lambda client, *_: client.subscribe("#")
    client.connect(broker.host, broker.port, broker.keepalive_s)
    client.loop_start()
    stop.wait(seconds)
    client.disconnect()
    client.loop_stop()


def told(survey: Survey, bundle: Path | None) -> list[str]:
    """Lines for the user: a table of channels, then settings to paste.

    With a `bundle` the boards that have its channels stand first, and the settings are for them.

    Raises:
        BundleError: it cannot be read.
    """
    lines = [f"{'format':<14}{'board':<24}{'channel':<36}{'every':>9}  example"]
    for (name, board), channels in sorted(survey.boards.items()):
        for channel, heard in sorted(channels.items()):
            every = "-" if heard.every_s is None else f"{heard.every_s:.3g} s"
            lines.append(f"{name:<14}{board:<24}{channel:<36}{every:>9}  {heard.example:g}")
    lines += [f"{'not known':<14}{topic}: {payload}" for topic, payload in sorted(survey.others.items())[:20]]
    wanted = None if bundle is None else load_bundle(bundle).channel_names
    fits = [key for key, channels in sorted(survey.boards.items()) if wanted is None or set(wanted) <= channels.keys()]
    if wanted is not None and not fits:
        return [*lines, "", f"no board has all channels of {bundle}: {', '.join(wanted)}"]
    return [*lines, "", *_settings(fits, bundle)]


def _settings(boards: list[tuple[str, str]], bundle: Path | None) -> list[str]:
    lines = []
    for name in dict.fromkeys(name for name, _ in boards):
        lines += ["[[source]]", f'name = "{name}"', 'type = "mqtt"']
        lines += [] if name == "offbeat" else [f'format = "{name}"']
        lines.append("")
    for name, board in boards:
        folder = json.dumps(str(bundle) if bundle else f"bundles/{board}")
        lines += ["[[stream]]", f'id = "{board}"', f'source = "{name}"', f"bundle = {folder}"]
        lines += ['time_from = "arrival"'] if name in ("esphome", "tasmota", "homeassistant") else []
        lines.append("")
    return lines


def discover(options: argparse.Namespace, broker: BrokerSettings, say: Callable[[str], None] = print) -> int:
    """Listen and print; the exit status."""
    survey = Survey()
    try:
        listen(broker, options.seconds, survey, threading.Event())
    except OSError as error:
        say(f"offbeat-edge: no broker at {broker.address}: {error}")
        return 2
    if not survey.boards and not survey.others:
        say(f"nothing was heard in {options.seconds:g} s at {broker.address}; --seconds listens for longer")
        return 1
    for line in told(survey, options.bundle):
        say(printable(line))  # topics and names are whatever somebody published
    return 0


def discover_boards(options: argparse.Namespace) -> int:
    """As `offbeat-edge discover`; the exit status."""
    return with_broker(options, discover)
