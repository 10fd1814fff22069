"""Alerts in a terminal, as they come."""

import json
import os
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TextIO

from edge.watch.reader import AlertReader
from edge.watch.wording import alert_line
from edge.wire.broker import BrokerSettings
from edge.wire.events import EventMessage
from edge.wire.payload import printable


@dataclass(frozen=True)
class Choice:
    """Which alerts are shown, and until when."""

    stream: str | None = None
    severity: str | None = None
    until_event: bool = False
    """End with the first alert that is shown."""
    timeout_s: float | None = None
    """End after so long, seconds."""

    def shows(self, message: EventMessage) -> bool:
        """Whether an alert is of these."""
        event = message.event
        return self.stream in (None, event.stream) and self.severity in (None, event.severity)


def watch(
    broker: BrokerSettings,
    root: str,
    device: str,
    as_json: bool,
    stop: threading.Event,
    out: TextIO | None = None,
    notes: TextIO | None = None,
    choice: Choice | None = None,
) -> int:
    """Print alerts until `stop` is set or nobody reads `out` any more; how many were printed.

    `device` is an id, or `+` for all.

    One line an alert, or its payload as it came with `as_json`. What concerns the connection and the devices
    goes to `notes` (standard error).
    """
    choice = choice or Choice()
    display = _Display(out or sys.stdout, notes or sys.stderr, as_json, choice, stop)
    timer = None if choice.timeout_s is None else threading.Timer(choice.timeout_s, stop.set)
    if timer is not None:
        timer.daemon = True
        timer.start()
    reader = AlertReader(
        broker, display.event, root=root, device=device, on_status=display.status, on_link=display.link
    )
    try:
        reader.run(stop)
    except BrokenPipeError:  # `| head` has seen enough; what is still buffered must not fail at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), display.out.fileno())
    finally:
        if timer is not None:
            timer.cancel()
    return display.shown


def use_colour(out: TextIO, environment: Mapping[str, str] = os.environ) -> bool:
    """Only on a terminal that has colours, and where NO_COLOR is not set (no-color.org)."""
    return out.isatty() and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"


class _Display:
    def __init__(self, out: TextIO, notes: TextIO, as_json: bool, choice: Choice, stop: threading.Event) -> None:
        self.out, self._notes, self._as_json = out, notes, as_json
        self._choice, self._stop, self.shown = choice, stop, 0
        self._colour = use_colour(out)
        self._online: dict[str, bool] = {}

    def event(self, message: EventMessage, payload: bytes) -> None:
        if self._stop.is_set() or not self._choice.shows(message):
            return
        self.shown += 1
        if self._choice.until_event:
            self._stop.set()
        if self._as_json:
            _print(self.out, _escaped(payload))
        else:
            _print(self.out, alert_line(message, colour=self._colour))

    def status(self, device: str, online: bool) -> None:
        if self._online.get(device) != online:
            self._online[device] = online
            _print(self._notes, f"{printable(device)} is {'online' if online else 'offline'}")

    def link(self, there: bool, text: str) -> None:
        _print(self._notes, f"watching {text}" if there else f"no broker at {printable(text)}; retrying")


def _print(stream: TextIO, line: str) -> None:
    encoding = stream.encoding or "utf-8"
    stream.write(line.encode(encoding, "replace").decode(encoding) + "\n")  # a terminal may not know the unit's °
    stream.flush()


def _escaped(payload: bytes) -> str:
    """The JSON as it came, on one line; what could steer a terminal is escaped, which is the same JSON."""
    text = payload.decode("utf-8", "replace")
    # Within a JSON string a line end would be escaped: these only lay the object out.
    return "".join(_harmless(mark) for mark in text.replace("\n", " ").replace("\r", " ").replace("\t", " "))


def _harmless(mark: str) -> str:
    return mark if mark.isprintable() else json.dumps(mark)[1:-1] if ord(mark) != 0x7F else "\\u007f"
