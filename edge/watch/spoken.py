"""What a terminal is told where not every alert is shown: once for what fails together, as every who notifies."""

import time
from collections.abc import Callable, Iterable
from typing import Any

from edge.watch.notify import Notification, NotificationPolicy, NotifySettings
from edge.watch.wording import alert_line, local_time
from edge.wire.events import EventMessage
from edge.wire.payload import printable

_TICK_S = 5.0
"""What becomes due by itself is looked for this often, seconds."""
_WORDS = {"new": "NEW", "worse": "WORSE", "more": "UPDATE", "repeat": "AGAIN", "over": "END", "summary": "SUMMARY"}


class Spoken:
    """Lines from what a reader gives, by the policy that the examples notify people by."""

    def __init__(self, settings: NotifySettings, colour: bool = False, wall: Callable[[], float] = time.time) -> None:
        self._policy, self._colour, self._wall = NotificationPolicy(settings), colour, wall
        self._looked_at = -_TICK_S

    def alert(self, message: EventMessage) -> list[str]:
        """An alert has come. Of a stream by itself its line is that of the alert."""
        told = self._policy.alert(message, self._wall())
        alone = [one for one in told if len(one.members) == 1 and one.why != "more"]
        return [alert_line(message, colour=self._colour)] if alone else self._lines(told)

    def state(self, device: str, stream: str, body: dict[str, Any]) -> list[str]:
        """What is acknowledged is not told again; what is over without that its `end` came is told here."""
        return self._lines(self._policy.state(device, stream, body, self._wall()))

    def status(self, device: str, online: bool) -> None:
        """A device came or went."""
        self._policy.status(device, online)

    def availability(self, device: str, stream: str, online: bool) -> None:
        """A stream came or went."""
        self._policy.availability(device, stream, online)

    def link(self, there: bool) -> None:
        """The broker came or went."""
        self._policy.link(there)

    def due(self, monotonic: float) -> list[str]:
        """What has become due by itself; to be asked for several times a second."""
        if monotonic - self._looked_at < _TICK_S:
            return []
        self._looked_at = monotonic
        return self._lines(self._policy.tick(self._wall()))

    def _lines(self, told: Iterable[Notification]) -> list[str]:
        return [notification_line(one, self._wall()) for one in told]


def notification_line(told: Notification, now: float) -> str:
    """Local time, what it is and of whom, on one line that cannot steer a terminal.

    >>> told = Notification("gw-1/g", "more", "gw-1: 2 streams: warning", "2 open", "warning", ("gw-1/a",), None, False)
    >>> notification_line(told, 0.0)[21:]
    'UPDATE  gw-1: 2 streams: warning; 2 open'
    """
    return printable(f"{local_time(now)}  {_WORDS[told.why]:<6}  {told.title}; {told.text}")
