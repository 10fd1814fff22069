"""What `watch` shows: alerts on standard output, what is to be known beside them on standard error."""

import os
import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, TextIO

from edge.watch.callbacks import Trouble
from edge.watch.lines import escaped, print_line, width_of
from edge.watch.notify import NotifySettings
from edge.watch.spoken import Spoken
from edge.watch.wording import alert_line, local_time
from edge.wire.events import EventMessage
from edge.wire.payload import printable

_AGAIN_S = 60.0
"""The same kind of trouble at the same place is told this often, seconds."""
_MOST_KNOWN = 10_000


@dataclass(frozen=True)
class Choice:
    """Which alerts are shown, and until when."""

    stream: str | None = None
    severity: str | None = None
    until_event: bool = False
    """End with the first alert that is shown."""
    timeout_s: float | None = None
    """End after so long, seconds."""
    since: float | None = None
    """None that is older than this, Unix seconds; those from then on are asked for."""
    notify: NotifySettings | None = None
    """Told as whoever notifies tells, once for what fails together; None for each alert."""

    def shows(self, message: EventMessage) -> bool:
        """Whether an alert is of these."""
        event = message.event
        chosen = self.stream in (None, event.stream) and self.severity in (None, event.severity)
        return chosen and (self.since is None or event.time >= self.since)


class Enough(Exception):  # noqa: N818
    """No more is shown; what this is raised for stays unread."""


def use_colour(out: TextIO, environment: Mapping[str, str] = os.environ) -> bool:
    """Only on a terminal that has colours, and where NO_COLOR is not set (no-color.org)."""
    return out.isatty() and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"


class Display:
    """Takes what a reader gives. Text of the network is made printable, each line fits the terminal."""

    def __init__(self, out: TextIO, notes: TextIO, as_json: bool, choice: Choice, stop: threading.Event) -> None:
        self.out, self._notes, self._as_json = out, notes, as_json
        self._choice, self._stop, self.shown = choice, stop, 0
        self._colour = use_colour(out)
        self._spoken = None if choice.notify is None else Spoken(choice.notify, self._colour)
        self._online: dict[str, bool] = {}
        self._heard: dict[tuple[str, str], bool] = {}
        self._listed: set[tuple[str, str]] = set()
        self._known: dict[str, None] = {}  # ids of episodes that were shown
        self._told: dict[tuple[str, str], tuple[float, int]] = {}

    def event(self, message: EventMessage, payload: bytes) -> None:
        """One alert.

        Raises:
            Enough: the end has come before this one.
        """
        if self._choice.until_event and self.shown:
            raise Enough
        self._remember(message.event.id)
        if not self._choice.shows(message):
            return
        if self._as_json:
            print_line(self.out, escaped(payload))
            self.shown += 1
        elif self._spoken is None:
            self._show(alert_line(message, colour=self._colour))
        else:
            self._show(*self._spoken.alert(message))
        if self._choice.until_event and self.shown:
            self._stop.set()

    def turn(self) -> None:
        """Several times a second: tell what has become due by itself."""
        if self._spoken is not None:
            self._show(*self._spoken.due(time.monotonic()))

    def status(self, device: str, online: bool) -> None:
        """A device came or went."""
        if self._spoken is not None:
            self._spoken.status(device, online)
        if self._online.get(device) != online:
            self._online[device] = online
            self.note(f"{device} is {'online' if online else 'offline'}")

    def availability(self, device: str, stream: str, online: bool) -> None:
        """A stream's board fell silent or is heard again; those that are online at first are not told."""
        if self._spoken is not None:
            self._spoken.availability(device, stream, online)
        if not self._concerns(stream) or self._heard.get((device, stream), True) == online:
            return
        self._heard[device, stream] = online
        what = "is heard again" if online else "is offline: its board is silent, or it is not judged"
        self.note(f"{device}/{stream} {what}")

    def state(self, device: str, stream: str, body: dict[str, Any]) -> None:
        """Tell what is open in a stream that is heard of first on this connection; its alerts tell the rest."""
        if self._spoken is not None and self._concerns(stream):
            self._show(*self._spoken.state(device, stream, body))
        if (device, stream) in self._listed or not self._concerns(stream):
            return
        self._listed.add((device, stream))
        for episode in _open_in(body):
            if episode.get("id") not in self._known:
                self._remember(str(episode.get("id")))
                self.note(f"{device}/{stream} open: {_told_open(episode)}")

    def trouble(self, trouble: Trouble) -> None:
        """What cannot be read or did not come; of the same kind and place a line a minute."""
        where = (trouble.kind, trouble.where)
        last, unsaid = self._told.get(where, (-_AGAIN_S, 0))
        now = time.monotonic()
        if now - last < _AGAIN_S or (where not in self._told and len(self._told) >= _MOST_KNOWN):
            self._told[where] = last, unsaid + 1
            return
        self._told[where] = now, 0
        more = f" ({unsaid} more like it in between)" if unsaid else ""
        words = {"unreadable": "sent an event that this version cannot read", "missing": "did not come",
                 "refused": "is refused by the broker"}  # fmt: skip
        said = f"{trouble.where}: {trouble.reason} {words['missing']}" if trouble.kind == "missing" else (
            f"{trouble.where} {words[trouble.kind]}: {trouble.reason}")  # fmt: skip
        self.note(said + more)

    def link(self, there: bool, text: str) -> None:
        """The broker came or went."""
        if self._spoken is not None:
            self._spoken.link(there)
        self._listed.clear()
        self.note(f"watching {text}" if there else f"no broker at {text}; retrying")

    def note(self, text: str) -> None:
        """One line beside the alerts."""
        print_line(self._notes, printable(text), width_of(self._notes))

    def _show(self, *lines: str) -> None:
        for line in lines:
            print_line(self.out, line, width_of(self.out))
            self.shown += 1

    def _concerns(self, stream: str) -> bool:
        return self._choice.stream in (None, stream)

    def _remember(self, episode: str) -> None:
        self._known[episode] = None
        if len(self._known) > _MOST_KNOWN:
            del self._known[next(iter(self._known))]


def _open_in(body: dict[str, Any]) -> Collection[dict[str, Any]]:
    """What a state says is open; an older device names one episode alone."""
    found = body.get("open")
    if isinstance(found, list):
        return [one for one in found[:100] if isinstance(one, dict)]
    if body.get("anomaly") == "ON":
        return [{"id": body.get("event_id"), "score": body.get("score")}]
    return []


def _told_open(episode: dict[str, Any]) -> str:
    """Of fields that may be missing or of any type: another's program wrote them."""
    words = [str(episode[name])[:60] for name in ("severity", "kind") if isinstance(episode.get(name), str)]
    for name, said in (("start_time", "since {}"), ("top_score", "top score {:.2f}"), ("score", "score {:.2f}")):
        value = episode.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            words.append(said.format(local_time(value) if name == "start_time" else float(value)))
    if isinstance(episode.get("channel"), str):
        words.append(f"by {episode['channel'][:60]}")
    if episode.get("acknowledged"):
        words.append("acknowledged")
    until = episode.get("snoozed_until")
    if isinstance(until, int | float) and not isinstance(until, bool):
        words.append(f"snoozed until {local_time(until)}")
    return ", ".join([*words, f"episode {str(episode.get('id'))[:60]}"])
