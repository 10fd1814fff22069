"""The page's own connection to the broker: hears what devices publish, sends what readers ask of them."""

import itertools
import json
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from edge.mqtt.connection import ConnectError, Connection
from edge.mqtt.waker import Waker
from edge.mqtt.wishes import Message, Wishes
from edge.wire.backoff import Backoff
from edge.wire.broker import BrokerSettings
from edge.wire.flapping import Flapping
from edge.wire.payload import encode_payload, jsonable
from edge.wire.topics import DeviceTopics
from edge.wire.worker import Worker

log = logging.getLogger(__name__)

_CONNECT_S, _TICK_S, _PACKETS_A_TURN = 5.0, 0.2, 50
_ANSWER_S = 6.0
"""How long an answer may take, seconds; an agent answers within one, and `accepted` starts this anew."""
_MOST_WAITING = 50
_LONGEST_PAYLOAD = 1_000_000


class AskError(Exception):
    """A request that was not answered, or with an error; one line for whoever asked."""


class Link:
    """Runs in a thread of its own until `stop`; a broker that is not there is retried."""

    def __init__(
        self,
        broker: BrokerSettings,
        root: str,
        subscriptions: list[str],
        on_message: Callable[[str, bytes, bool], None],
        on_link: Callable[[bool, str], None],
    ) -> None:
        """`on_message` gets topic, payload and whether it was retained, `on_link` whether the broker is there and its
        address or a reason; both are called in the link's thread."""
        self._broker, self._root, self._subscriptions = broker, root, subscriptions
        self._on_message, self._on_link = on_message, on_link
        self._client_id = broker.client_id or f"offbeat-page-{os.urandom(6).hex()}"
        self._waker, self._leaving = Waker(), threading.Event()
        self._worker = Worker("page", self._run, lambda error: on_link(False, repr(error)), self._leaving)
        self._out: deque[tuple[str, bytes]] = deque()
        self._waiting: dict[str, tuple[float, Future[Any]]] = {}
        self._numbers = itertools.count(1)
        self._told: tuple[bool, str] | None = None
        self._refused: dict[str, str] = {}
        self._flapping: dict[str, Flapping] = {}
        self.connected = False

    def start(self) -> None:
        """Begin to connect; returns at once."""
        self._waker.open()
        self._worker.start()

    def stop(self) -> None:
        """Leave."""
        self._leaving.set()
        self._waker.wake()
        self._worker.join(3.0)

    def ask(self, device: str, command: str, fields: dict[str, Any]) -> "Future[Any]":
        """The answer's `data` to a request, or AskError; from any thread."""
        future: Future[Any] = Future()
        if not self.connected or len(self._waiting) >= _MOST_WAITING:
            why = "too many requests wait" if self.connected else "the broker is not there"
            future.set_exception(AskError(why))
            return future
        transaction = f"{self._client_id}-{next(self._numbers)}"
        self._waiting[transaction] = (time.monotonic() + _ANSWER_S, future)
        topic = DeviceTopics(device, self._root).request(command)
        self._out.append((topic, encode_payload({**fields, "transaction": transaction})))
        self._waker.wake()
        return future

    def _run(self) -> None:
        backoff = Backoff(0.5, 10.0)
        while not self._leaving.is_set():
            try:
                self._serve(backoff)
            except ConnectError as error:
                self._link_is(False, str(error))
            self._leaving.wait(backoff.next_s())

    def _serve(self, backoff: Backoff) -> None:
        wishes = Wishes(max_payload_bytes=_LONGEST_PAYLOAD)
        connection = Connection(self._broker, self._client_id, self._waker, wishes)
        connection.on_message = self._received
        try:
            connection.open(_CONNECT_S)
            connection.subscribe(self._subscriptions)
            backoff.reset()
            self.connected = True
            self._link_is(True, self._broker.address)
            while not self._leaving.is_set() and connection.connected:
                while self._out:
                    connection.publish(*self._out.popleft())
                connection.step(_TICK_S, _PACKETS_A_TURN)
                connection.acknowledged.clear()
                self._require_granted(connection)
                self._give_up(time.monotonic())
            if not self._leaving.is_set():
                raise ConnectError(f"{self._broker.address}: {connection.why_ended}")
        finally:
            self.connected = False
            self._out.clear()
            self._give_up(float("inf"))
            connection.close(goodbye=True)

    def _require_granted(self, connection: Connection) -> None:
        for topic, refusal in connection.subscribed:
            changed = refusal is not None if topic not in self._refused else refusal is None
            if refusal is None:
                self._refused.pop(topic, None)
            else:
                self._refused[topic] = refusal
            if changed:
                flapping = self._flapping.setdefault(topic, Flapping())
                self._say_granted(topic, flapping.change(time.monotonic()))
        connection.subscribed.clear()
        for topic, flapping in self._flapping.items():
            self._say_granted(topic, flapping.held(time.monotonic()))

    def _say_granted(self, topic: str, more: str | None) -> None:
        if more is None:
            return
        if topic in self._refused:
            log.warning("page: the broker refuses %s: %s%s", topic, self._refused[topic], more)
        else:
            log.info("page: the broker grants %s again%s", topic, more)

    def _received(self, message: Message) -> None:
        levels = message.topic.split("/")
        if len(levels) >= 2 and levels[-2] == "response":
            self._answered(message.payload)
        else:
            self._on_message(message.topic, message.payload, message.retain)

    def _answered(self, payload: bytes) -> None:
        try:
            body = json.loads(payload)
        except (ValueError, RecursionError):
            return
        if not isinstance(body, dict) or not isinstance(transaction := body.get("transaction"), str):
            return
        waiting = self._waiting.get(transaction)
        if waiting is None:  # somebody else's
            return
        if body.get("status") == "accepted":
            self._waiting[transaction] = (time.monotonic() + _ANSWER_S, waiting[1])
            return
        del self._waiting[transaction]
        if body.get("status") == "ok":  # goes on to browsers
            _resolve(waiting[1], jsonable(body.get("data")))
        else:
            _resolve(waiting[1], AskError(str(body.get("message") or "refused")[:500]))

    def _give_up(self, now: float) -> None:
        for transaction, (until, future) in list(self._waiting.items()):
            if now >= until:
                del self._waiting[transaction]
                _resolve(future, AskError("no answer; is the device online, and does it take requests?"))

    def _link_is(self, there: bool, text: str) -> None:
        if self._told != (there, text):
            self._told = (there, text)
            self._on_link(there, text)


def _resolve(future: "Future[Any]", answer: Any) -> None:
    if future.cancelled() or future.done():
        return
    if isinstance(answer, AskError):
        future.set_exception(answer)
    else:
        future.set_result(answer)
