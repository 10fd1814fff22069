"""The thread that connects to the broker, and connects again."""

import logging
import random
import threading
import time
from dataclasses import dataclass, field

from edge.delivery.connection import ConnectError, Connection, Waker
from edge.delivery.session import Outgoing, Session
from edge.delivery.settings import DeliverySettings
from edge.wire.backoff import Backoff
from edge.wire.broker import BrokerSettings

log = logging.getLogger(__name__)
_MAX_TOLD = 5
"""Different reasons logged during one outage; a flapping link must not fill the log."""


@dataclass
class Link:
    """Runs session after session until `stop`.

    The client id is the same at every start: a broker then ends the connection that a crash left behind, and
    sends its last will, before it greets the new one. With another id that `offline` would come after our `online`.
    """

    broker: BrokerSettings
    settings: DeliverySettings
    outgoing: Outgoing
    _waker: Waker = field(default_factory=Waker, init=False)
    _thread: threading.Thread | None = field(default=None, init=False)
    _stop_at: float | None = field(default=None, init=False)
    _told: list[str] = field(default_factory=list, init=False)

    def start(self) -> None:
        """Begin to connect; returns at once."""
        self._waker.open()
        self._thread = threading.Thread(target=self._run, name="delivery", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """There is something new to send."""
        self._waker.wake()

    def stop(self, flush_s: float) -> None:
        """Let the session send what waits, for `flush_s` at most, and end the thread."""
        if self._thread is None:
            return
        self._stop_at = time.monotonic() + flush_s
        self._waker.wake()
        # An attempt to connect cannot be interrupted; the thread is a daemon and may be left behind in one.
        self._thread.join(flush_s + 1.0)

    def _run(self) -> None:
        try:
            self._keep_connected()
        finally:
            self._waker.close()

    def _keep_connected(self) -> None:
        backoff = Backoff(self.settings.retry_first_s, self.settings.retry_longest_s)
        while True:
            started = time.monotonic()
            try:
                if self._connect_and_serve():
                    return
            except ConnectError as error:
                self._log_once(str(error))
            except Exception:  # a bug must not end delivery: the next connection starts afresh
                self.outgoing.counts.errors += 1
                log.exception("delivery failed; connecting anew")
            if time.monotonic() - started > self.settings.retry_longest_s:
                backoff.reset()
            if not self._wait(backoff.next_s() * random.uniform(0.5, 1.0)):  # devices must not come back in step
                return

    def _connect_and_serve(self) -> bool:
        """One connection from greeting to end; True when it ended because of `stop`."""
        topics = self.outgoing.topics
        connection = Connection(self.broker, self.broker.client_id or f"offbeat-{topics.device}", self._waker)
        all_sent = False
        try:
            connection.open(self.settings.connect_timeout_s, topics.status)
            self._greeted()
            all_sent = self._serve(connection, Session(connection, self.outgoing, self.settings))
            return True
        finally:
            self.outgoing.counts.connected = False
            connection.close(goodbye=all_sent)

    def _serve(self, connection: Connection, session: Session) -> bool:
        """Step until `stop`; whether all was sent, `offline` the last of it. Else the last will has to say that."""
        session.start()
        while connection.connected:
            if self._stop_at is not None and (session.all_sent() or time.monotonic() >= self._stop_at):
                return session.all_sent()
            session.step(time.monotonic())
        raise ConnectError(f"{self.broker.address}: connection lost")

    def _greeted(self) -> None:
        self._told.clear()
        self.outgoing.counts.connected = True
        self.outgoing.counts.connections += 1
        log.info("connected to %s", self.broker.address)

    def _log_once(self, reason: str) -> None:
        if reason not in self._told and len(self._told) < _MAX_TOLD:
            self._told.append(reason)
            log.warning("no broker: %s; retrying", reason)

    def _wait(self, seconds: float) -> bool:
        """Wait before the next attempt; False when there is to be none."""
        until = time.monotonic() + seconds
        while (left_s := until - time.monotonic()) > 0 and not self._over():
            self._waker.wait(left_s)
        return not self._over()

    def _over(self) -> bool:
        if self._stop_at is None:
            return False
        return time.monotonic() >= self._stop_at or not self.outgoing.outbox.pending(limit=1)
