"""Notifies people, once a group and no more than they can bear: by e-mail, ntfy or whatever Apprise knows.

pip install 'offbeat[notify]'
python -m edge.examples.notify_people localhost 1883 'ntfy://ntfy.example.org/pumps' 'mailtos://user:password@example.org'
"""

import sys
import threading
import time
from collections import deque
from contextlib import suppress
from typing import Any

import apprise

from edge import AlertReader, BrokerSettings, EventMessage, Notification, NotificationPolicy, NotifySettings

_TICK_S, _LONGEST_WAIT_S = 5.0, 300.0
_MOST_OWED = 100
"""Of one address that fails, while another takes what there is."""


class _Service:
    """One address, with what it is owed. `now` is monotonic time."""

    def __init__(self, address: str, first_wait_s: float) -> None:
        self._service, self._first_wait_s = apprise.Apprise(), first_wait_s
        if not self._service.add(address):
            raise ValueError(f"no service that Apprise knows: {address.partition(':')[0]}")
        self._owed: deque[Notification] = deque(maxlen=_MOST_OWED)
        self._wait_s, self._again_at = first_wait_s, 0.0

    def takes(self, one: Notification) -> bool:
        """Whether it took this now; what it is owed comes first."""
        self.look(time.monotonic())
        return not self._owed and self._notify(one)

    def owe(self, one: Notification) -> None:
        """Another address took it."""
        self._owed.append(one)

    def look(self, now: float) -> None:
        """Try what is owed again, after ever longer waits."""
        if not self._owed or now < self._again_at:
            return
        while self._owed and self._notify(self._owed[0]):
            self._owed.popleft()
        self._wait_s = min(2 * self._wait_s, _LONGEST_WAIT_S) if self._owed else self._first_wait_s
        self._again_at = now + self._wait_s

    def _notify(self, one: Notification) -> bool:
        kind = apprise.NotifyType.FAILURE if one.severity == "critical" else apprise.NotifyType.WARNING
        return bool(self._service.notify(title=one.title, body=one.text, notify_type=kind))


class People:
    """Callbacks of a reader, which keeps an alert until `alert` has returned: once what is to be said was sent.

    Sent is what one address has taken. What another refused is owed to that one, and tried again beside the rest.
    """

    def __init__(
        self,
        addresses: list[str],
        stop: threading.Event,
        settings: NotifySettings | None = None,
        first_wait_s: float = 5.0,
    ) -> None:
        """Raises:
        ValueError: an address that Apprise does not know.
        """
        self._policy = NotificationPolicy(settings)
        self._services = [_Service(address, first_wait_s) for address in addresses]
        self._stop, self._first_wait_s, self._ticked = stop, first_wait_s, 0.0

    def alert(self, message: EventMessage, _payload: bytes) -> None:
        """An alert has come.

        Raises:
            InterruptedError: stopped before it was sent; the alert stays unread.
        """
        self._send(self._policy.alert(message, time.time()))

    def state(self, device: str, stream: str, body: dict[str, Any]) -> None:
        """So that what somebody acknowledged is not said again."""
        self._send(self._policy.state(device, stream, body, time.time()))

    def status(self, device: str, online: bool) -> None:
        """An agent came or went."""
        self._policy.status(device, online)

    def link(self, there: bool, _text: str) -> None:
        """The broker came or went."""
        self._policy.link(there)

    def turn(self) -> None:
        """Several times a second; says what has become due."""
        if time.monotonic() - self._ticked >= _TICK_S:
            self._ticked = time.monotonic()
            self._send(self._policy.tick(time.time()))
        for service in self._services:
            service.look(time.monotonic())

    def _send(self, notifications: list[Notification]) -> None:
        for one in notifications:
            wait_s = self._first_wait_s
            while not (taken := [service for service in self._services if service.takes(one)]):
                if self._stop.wait(wait_s):
                    raise InterruptedError("stopped")
                wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
            for service in self._services:
                if service not in taken:
                    service.owe(one)


def main(host: str, port: str, *addresses: str) -> None:
    """Read until interrupted; the broker keeps what comes while this is away."""
    stop = threading.Event()
    people = People(list(addresses), stop)
    broker = BrokerSettings(host=host, port=int(port), client_id="offbeat-notify")
    reader = AlertReader(
        broker, people.alert, on_state=people.state, on_status=people.status, on_turn=people.turn, on_link=people.link
    )
    with suppress(KeyboardInterrupt):
        reader.run(stop)


if __name__ == "__main__":
    main(*sys.argv[1:])
