"""Commands that others send to the device; each is off until allowed."""

import json
import logging
from collections.abc import Callable, Collection
from typing import Any

from edge.wire.payload import encode_payload
from edge.wire.topics import DeviceTopics

log = logging.getLogger(__name__)

Handler = Callable[[dict[str, Any]], Any]
"""Takes the request's fields, gives the answer's `data`, or raises RequestError; runs in the network thread: be brief.
A request may come twice (QoS 1)."""
MAX_REQUEST_BYTES = 65536


class RequestError(Exception):
    """A request that cannot be met; the text goes to whoever asked."""


class Requests:
    """Handlers of the allowed commands.

    >>> requests = Requests(DeviceTopics("gw-1"), allow=["ping"])
    >>> requests.register("ping", lambda fields: "pong")
    >>> requests.answer("offbeat/gw-1/request/ping", b'{"transaction": 7}')
    ('offbeat/gw-1/response/ping', b'{"status":"ok","data":"pong","transaction":7}')
    """

    def __init__(self, topics: DeviceTopics, allow: Collection[str] = ()) -> None:
        self._topics, self._allow = topics, frozenset(allow)
        self._handlers: dict[str, Handler] = {}

    def register(self, command: str, handler: Handler) -> None:
        """Answer a command, if it is allowed."""
        if command in self._allow:
            self._handlers[command] = handler

    @property
    def subscriptions(self) -> list[str]:
        """Topics to listen on."""
        return [self._topics.request(command) for command in sorted(self._handlers)]

    def answer(self, topic: str, payload: bytes) -> tuple[str, bytes] | None:
        """Topic and payload of the response; None for a topic that is no allowed command's."""
        for command, handler in self._handlers.items():
            if topic == self._topics.request(command):
                return self._topics.response(command), _answer(command, handler, payload)
        return None


def _answer(command: str, handler: Handler, payload: bytes) -> bytes:
    transaction = None
    try:
        fields = _fields(payload)
        transaction = fields.pop("transaction", None)
        return encode_payload({"status": "ok", "data": handler(fields), "transaction": transaction})
    except RequestError as error:
        message = str(error)
    except Exception as error:  # one command's bug must not end delivery
        log.exception("request %s failed", command)
        message = f"{command} failed: {type(error).__name__}"
    return encode_payload({"status": "error", "message": message, "transaction": transaction})


def _fields(payload: bytes) -> dict[str, Any]:
    if len(payload) > MAX_REQUEST_BYTES:
        raise RequestError(f"request of {len(payload)} bytes, at most {MAX_REQUEST_BYTES} are allowed")
    try:
        fields = json.loads(payload or b"{}")
    except (ValueError, RecursionError) as error:
        raise RequestError(f"request is not JSON: {error}") from error
    if not isinstance(fields, dict):
        raise RequestError("request wants a JSON object")
    return fields
