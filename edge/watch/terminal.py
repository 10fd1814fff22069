"""Alerts in a terminal, as they come."""

import os
import select
import sys
import threading
from contextlib import suppress
from dataclasses import replace
from typing import TextIO

from edge.watch.callbacks import Trouble
from edge.watch.display import Choice, Display, Enough
from edge.watch.reader import AlertReader
from edge.watch.replays import Replays
from edge.watch.session import WatchSession
from edge.wire.broker import BrokerSettings
from edge.wire.events import EventMessage

__all__ = ["Choice", "watch"]


def watch(
    broker: BrokerSettings,
    root: str,
    device: str,
    as_json: bool,
    stop: threading.Event,
    out: TextIO | None = None,
    notes: TextIO | None = None,
    choice: Choice | None = None,
    session: WatchSession | None = None,
) -> int:
    """Print alerts until `stop` is set or nobody reads `out` any more; how many were printed.

    `device` is an id, or `+` for all. With a `session` the broker keeps what comes between two runs.

    One line an alert, with `as_json` its payload as it came, with `choice.notify` as whoever notifies tells. What
    concerns the connection and the devices goes to `notes` (standard error).
    """
    choice = choice or Choice()
    display = Display(out or sys.stdout, notes or sys.stderr, as_json, choice, stop)
    timer = None if choice.timeout_s is None else threading.Timer(choice.timeout_s, stop.set)
    if timer is not None:
        timer.daemon = True
        timer.start()
    try:
        if session is not None:
            broker = replace(broker, client_id=_taken(session, display))
        _end_with(display.out, stop)
        _Watching(broker, root, device, display, choice, session).reader.run(stop)
    except Enough:
        pass
    except BrokenPipeError:  # `| head` has seen enough; what is still buffered must not fail at exit
        _leave_quietly(display.out)
    finally:
        if timer is not None:
            timer.cancel()
        if session is not None:
            session.release()
    return display.shown


class _Watching:
    """Joins a reader with what is shown, what is asked for again and what was shown before."""

    def __init__(
        self,
        broker: BrokerSettings,
        root: str,
        device: str,
        display: Display,
        choice: Choice,
        session: WatchSession | None,
    ) -> None:
        self._display, self._choice, self._session = display, choice, session
        self._asked: set[str] = set()
        self._logs: dict[str, str] = {}
        self.reader = AlertReader(
            broker,
            self._event,
            root=root,
            device=device,
            on_state=display.state,
            on_status=self._status,
            on_availability=display.availability,
            on_response=lambda *answer: self._replays.answered(*answer),
            on_trouble=self._trouble,
            on_link=display.link,
            on_turn=self._turn,
        )
        self._replays = Replays(self.reader.request, display.note)
        for name, (log, seq) in (session.shown if session is not None else {}).items():
            self._logs[name] = log
            self.reader.expect(name, log, seq + 1)

    def _event(self, message: EventMessage, payload: bytes) -> None:
        device, log = message.device, message.log
        if message.durable and self._logs.get(device, log) != log:
            self._display.note(f"{device} begins a new log: its outbox was lost, and alerts may be with it")
        self._display.event(message, payload)
        if message.durable:
            self._logs[device] = log
            if self._session is not None:
                self._session.note(device, log, message.seq)

    def _status(self, device: str, online: bool) -> None:
        self._display.status(device, online)
        if self._choice.since is None or device in self._asked:
            return
        if online:
            self._asked.add(device)
            self._replays.want(device, 1)
        else:
            self._display.note(f"{device} is offline: what it sent before cannot be asked for until it is back")

    def _turn(self) -> None:
        self._replays.look()
        self._display.turn()

    def _trouble(self, trouble: Trouble) -> None:
        self._display.trouble(trouble)
        if trouble.kind == "missing":
            self._replays.want(trouble.where, trouble.first, trouble.log)


def _taken(session: WatchSession, display: Display) -> str | None:
    try:
        session.take()
    except OSError as error:
        display.note(f"nothing is kept while this is away: no session can be taken ({error})")
    return session.client_id


def _end_with(out: TextIO, stop: threading.Event) -> None:
    """Set `stop` once nobody reads `out` any more: `| head -1` ends with its line, not with the next alert."""
    try:
        poller = select.poll()
        poller.register(out.fileno(), 0)  # POLLERR and POLLHUP alone, which are always told
    except (OSError, ValueError):  # none of the system's files
        return

    def wait() -> None:
        with suppress(OSError):
            poller.poll()
            stop.set()

    threading.Thread(target=wait, name="reader of the output", daemon=True).start()


def _leave_quietly(out: TextIO) -> None:
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())
