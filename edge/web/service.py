"""What the page's routes use: picture, episodes, rows, requests."""

import asyncio
import json
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge.web.hub import Hub
from edge.web.link import AskError, Link
from edge.web.picture import Picture, subscriptions
from edge.web.rows import tidied
from edge.web.store import EpisodeStore
from edge.wire.broker import BrokerSettings
from edge.wire.envelope import opened
from edge.wire.events import EventError, decode_message
from edge.wire.payload import encode_payload
from edge.wire.topics import valid_id

log = logging.getLogger(__name__)

REQUESTS = frozenset({"ack", "snooze", "unsnooze", "normal"})
"""What a page may ask of a device; the device allows them or does not."""
_SCORES = 120
"""Latest scores of each stream that the overview begins with."""
_SHARED_S, _MOST_SHARED = 0.9, 32
"""Rows are asked for once in this time for all pages that want the same."""


class PageService:
    """Follows the broker in the link's thread, answers in the event loop's."""

    def __init__(
        self,
        broker: BrokerSettings,
        root: str = "offbeat",
        device: str = "+",
        store: Path | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.picture, self.hub, self.store = Picture(root), Hub(), EpisodeStore(store)
        self._link = Link(broker, root, subscriptions(root, device), self._heard, self._link_is)
        self._wall, self._lock = wall, threading.Lock()  # of the picture
        self.broker: dict[str, Any] = {"there": False, "text": "connecting", "since": wall()}
        self._rows: OrderedDict[tuple[Any, ...], tuple[float, asyncio.Future[Any]]] = OrderedDict()
        self.unreadable = 0
        """Events that could not be read, such as those of a later version."""

    def start(self) -> None:
        """Begin to connect."""
        self._link.start()

    def stop(self) -> None:
        """Leave the broker, close the store."""
        self._link.stop()
        self.store.close()

    def overview(self, scores: bool = False) -> dict[str, Any]:
        """All devices and streams, with their latest scores where asked for, the broker, the time here."""
        with self._lock:
            devices = self.picture.devices(_SCORES if scores else 0)
        return {
            "devices": devices,
            "broker": self.broker,
            "time": self._wall(),
            "passed_over": self.picture.passed_over + self.unreadable,
        }

    def stream(self, device: str, stream: str) -> dict[str, Any] | None:
        """One stream with its latest scores, why it is not judged, and what its device takes; None if not known."""
        with self._lock:
            found = self.picture.stream(device, stream)
            if found is None:
                return None
            allowed = sorted(REQUESTS.intersection(self.picture.allowed(device)))
            return {**found, "trouble": self.picture.trouble(device, stream), "allowed": allowed}

    async def ask(self, device: str, command: str, fields: dict[str, Any]) -> Any:
        """The answer's data to a request.

        Raises:
            AskError: no answer, or one with an error.
        """
        if command not in REQUESTS or not valid_id(device):
            raise AskError(f"no request: {command[:40]}")
        return await asyncio.wrap_future(self._link.ask(device, command, fields))

    async def rows(self, device: str, fields: dict[str, Any]) -> dict[str, Any]:
        """Rows of a device's stream or episode, as its request `rows` gives them.

        Raises:
            AskError: no answer, or one with an error.
        """
        key = (device, *sorted(fields.items()))
        now = time.monotonic()
        known = self._rows.get(key)
        if known is None or now - known[0] > _SHARED_S or (known[1].done() and known[1].exception() is not None):
            future = asyncio.wrap_future(self._link.ask(device, "rows", fields))
            self._rows[key] = (now, future)
            self._rows.move_to_end(key)
            while len(self._rows) > _MOST_SHARED:
                self._rows.popitem(last=False)
        return tidied(await asyncio.shield(self._rows[key][1]))

    def _heard(self, topic: str, payload: bytes, retained: bool) -> None:
        if topic.endswith("/event"):
            if not retained:
                self._event(topic, payload)
            return
        with self._lock:
            changed = self.picture.heard(topic, payload)
        if changed is not None:
            self.hub.changed(*changed)

    def _event(self, topic: str, payload: bytes) -> None:
        try:
            message = decode_message(payload)
            if topic.split("/")[-3:-1] != [message.device, message.event.stream]:
                raise EventError("names another stream than its topic")
        except EventError as error:
            self.unreadable += 1
            log.debug("page: %s: %s", topic, error)
            return
        self.store.add(message, encode_payload(opened(json.loads(payload))))
        self.hub.message("event", {"device": message.device, "stream": message.event.stream, "id": message.event.id})

    def _link_is(self, there: bool, text: str) -> None:
        log.log(logging.INFO if there else logging.WARNING, "page: %s%s", "" if there else "no broker: ", text)
        if not there:
            with self._lock:
                self.picture.lost()
        self.broker = {"there": there, "text": text, "since": self._wall()}
        self.hub.message("broker", self.broker)
