"""A subscriber as users would write one: edge.watch's reader with a session that the broker keeps."""

import threading
import time
from collections import Counter
from dataclasses import dataclass, replace

from edge.watch.reader import AlertReader
from edge.wire.broker import BrokerSettings
from edge.wire.events import EventMessage
from tests.helpers.mosquitto import wait_for


@dataclass(frozen=True)
class Received:
    """A message, once its second copies were dropped and the order restored."""

    message: EventMessage
    at: float
    """Monotonic time."""


class Subscriber:
    """Collects the alerts of one device in a thread, whatever happens to the broker."""

    def __init__(self, broker: BrokerSettings, device: str) -> None:
        self.received: list[Received] = []
        settings = replace(broker, client_id="chaos-logbook")
        self._reader = AlertReader(settings, lambda message, _: self._note(message), device=device)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._reader.run, args=(self._stop,), daemon=True)

    def start(self) -> None:
        """Subscribe; returns when the broker knows it, so that nothing is missed."""
        self._thread.start()
        wait_for(lambda: self._reader.connected, "the subscriber's connection")

    def close(self) -> None:
        """Leave; what was held back for order's sake is given out."""
        self._stop.set()
        self._thread.join(10)

    @property
    def counts(self) -> Counter[str]:
        """The reader's own: duplicates, reordered, late, missing, bad."""
        return self._reader.counts

    @property
    def numbers(self) -> set[tuple[str, int]]:
        """Log and seq of everything received."""
        return {(each.message.log, each.message.seq) for each in list(self.received)}

    @property
    def open(self) -> int:
        """Episodes whose end has not come."""
        return len(self._reader.open_episodes)

    def _note(self, message: EventMessage) -> None:
        self.received.append(Received(message, time.monotonic()))
