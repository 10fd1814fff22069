"""The thread that connects to the broker, and connects again."""

import logging
import random
import threading
import time
from dataclasses import dataclass, field

from edge.delivery.requests import MAX_REQUEST_BYTES
from edge.delivery.session import Outgoing, Session
from edge.delivery.settings import DeliverySettings
from edge.mqtt.connection import ConnectError, Connection
from edge.mqtt.short_lives import ShortLives
from edge.mqtt.waker import Waker
from edge.mqtt.wishes import Wishes
from edge.wire.backoff import Backoff
from edge.wire.broker import BrokerSettings
from edge.wire.flapping import Flapping, LogThrottle
from edge.wire.worker import Worker

log = logging.getLogger(__name__)
_LONGEST_BYTES = 4 * MAX_REQUEST_BYTES
"""What is longer than a request may be is still read, and refused in an answer, up to here."""
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
    _leaving: threading.Event = field(default_factory=threading.Event, init=False)
    _worker: Worker | None = field(default=None, init=False)
    _stop_at: float | None = field(default=None, init=False)
    _told: list[str] = field(default_factory=list, init=False)
    _flapping: Flapping = field(default_factory=Flapping, init=False)
    _passed_over: LogThrottle = field(default_factory=LogThrottle, init=False)

    def __post_init__(self) -> None:
        self._client_id = self.broker.client_id or f"offbeat-{self.outgoing.topics.device}"
        self._lives = ShortLives(self._client_id)

    def start(self) -> None:
        """Begin to connect; returns at once."""
        self._waker.open()
        self._worker = Worker("delivery", self._keep_connected, self._failed, self._leaving)
        self._worker.start()

    def wake(self) -> None:
        """There is something new to send."""
        self._waker.wake()

    def stop(self, flush_s: float) -> None:
        """Let the session send what waits, for `flush_s` at most, and end the thread."""
        if self._worker is None:
            return
        self._stop_at = time.monotonic() + flush_s
        self._leaving.set()
        self._waker.wake()
        # An attempt to connect cannot be interrupted; the thread is a daemon and may be left behind in one.
        self._worker.join(flush_s + 1.0)
        if not self._worker.alive:
            self._waker.close()

    def _failed(self, _error: BaseException) -> None:
        """A bug must not end delivery: the next connection starts afresh."""
        self.outgoing.counts.errors += 1

    def _keep_connected(self) -> None:
        backoff = Backoff(self.settings.retry_first_s, self.settings.retry_longest_s)
        while True:
            started = time.monotonic()
            try:
                if self._connect_and_serve():
                    return
            except ConnectError as error:
                self._log_once(str(error))
            if time.monotonic() - started > self.settings.retry_longest_s:
                backoff.reset()
            if not self._wait(backoff.next_s() * random.uniform(0.5, 1.0)):  # devices must not come back in step
                return

    def _connect_and_serve(self) -> bool:
        """One connection from greeting to end; True when it ended because of `stop`."""
        topics = self.outgoing.topics
        wishes = Wishes(will_topic=topics.status, max_payload_bytes=_LONGEST_BYTES)
        connection = Connection(self.broker, self._client_id, self._waker, wishes)
        connection.on_bad = self._pass_over
        all_sent = False
        try:
            connection.open(self.settings.connect_timeout_s)
            self._greeted(connection)
            all_sent = self._serve(connection, Session(connection, self.outgoing, self.settings))
            return True
        finally:
            self.outgoing.counts.connected = False
            connection.close(goodbye=all_sent)

    def _serve(self, connection: Connection, session: Session) -> bool:
        """Step until `stop`; whether all was sent, `offline` the last of it. Else the last will has to say that."""
        session.start()
        began = time.monotonic()
        while connection.connected:
            if self._stop_at is not None and (session.all_sent() or time.monotonic() >= self._stop_at):
                return session.all_sent()
            session.step(time.monotonic())
            self._say_greeted(connection.version, self._flapping.held(time.monotonic()))
        hint = self._lives.ended(time.monotonic() - began)
        raise ConnectError(f"{self.broker.address}: {connection.why_ended}{hint}")

    def _greeted(self, connection: Connection) -> None:
        self._told.clear()
        self.outgoing.counts.connected, self.outgoing.counts.mqtt = True, connection.version
        self.outgoing.counts.connections += 1
        self.outgoing.counts.contact_at = time.time()
        self._say_greeted(connection.version, self._flapping.change(time.monotonic()))

    def _say_greeted(self, version: str, more: str | None) -> None:
        if more is not None:
            log.info("connected to %s, MQTT %s%s", self.broker.address, version, more)

    def _pass_over(self, reason: str) -> None:
        """Anybody may send as many as they like."""
        if (more := self._passed_over.change(time.monotonic())) is not None:
            log.warning("a request is passed over: %s%s", reason, more)

    def _log_once(self, reason: str) -> None:
        """Log each reason of an outage once; of a link that flaps ever fewer."""
        now, known = time.monotonic(), reason in self._told or len(self._told) >= _MAX_TOLD
        if not known:
            self._told.append(reason)
        if (more := self._flapping.held(now) if known else self._flapping.change(now)) is not None:
            log.warning("no broker: %s; retrying%s", reason, more)

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
