"""Commands that others send to the device; each is off until allowed."""

import json
import logging
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from edge.delivery.allowance import Allowance
from edge.delivery.audit import Audit
from edge.wire.flapping import LogThrottle
from edge.wire.payload import encode_payload
from edge.wire.topics import DeviceTopics, valid_id

log = logging.getLogger(__name__)

Handler = Callable[[dict[str, Any]], Any]
"""Takes the request's fields, gives the answer's `data` or a `Pending`, or raises RequestError; runs in the network's
thread, which sends alerts: be brief.
A request may come twice (QoS 1); one that changes the device is carried out once for each `transaction`."""
MAX_REQUEST_BYTES = 65536
_LONGEST_TRANSACTION = 200
_ACCEPTED_AFTER_S = 0.4
"""Work that takes longer is answered with `accepted` first, seconds."""
_A_SECOND, _AT_ONCE = 5.0, 20.0
"""Requests that are carried out, on average and in one go; what exceeds them is answered with an error."""
_ANSWERS_A_SECOND = 100.0
"""Answers of any kind; what exceeds them is only counted."""


class Pending(Protocol):
    """Work that takes longer than an answer may: the request is `accepted`, and its result follows."""

    def result(self) -> dict[str, Any] | None:
        """The answer's `data`; None while it is being worked on.

        Raises:
            RequestError: it cannot be done.
        """


@dataclass
class _Waiting:
    command: str
    transaction: Any
    work: Pending
    accept_at: float | None
    """When `accepted` is to be answered, monotonic; None once it was."""


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
        self._changing: set[str] = set()
        self._audit = Audit()
        self._work, self._answers = Allowance(_A_SECOND, _AT_ONCE), Allowance(_ANSWERS_A_SECOND, _ANSWERS_A_SECOND)
        self._failures: dict[str, LogThrottle] = {}
        self.pending: list[_Waiting] = []
        """What is being worked on."""
        self.unanswered = 0
        """Requests that came too fast to be answered."""

    def register(self, command: str, handler: Handler, changes: bool = False) -> None:
        """Answer a command, if it is allowed; what `changes` the device is audited."""
        if command in self._allow:
            self._handlers[command] = handler
            if changes:
                self._changing.add(command)

    @property
    def subscriptions(self) -> list[str]:
        """Topics to listen on: every request is answered, also where the answer is no."""
        return [self._topics.request("+")]

    def answer(self, topic: str, payload: bytes) -> tuple[str, bytes] | None:
        """Topic and payload of the response; None for a topic that is no request's, or where too many come.

        What takes longer is in `pending`, and answered by `results`.
        """
        prefix = self._topics.request("")
        command = topic.removeprefix(prefix)
        now = time.monotonic()
        if not topic.startswith(prefix) or not valid_id(command) or len(command) > _LONGEST_TRANSACTION:
            return None
        if not self._answers.take(now):
            self.unanswered += 1
            return None
        body = self._answer(command, payload, now)
        return None if body is None else (self._topics.response(command), body)

    def results(self) -> Iterator[tuple[str, bytes]]:
        """Topics and payloads of what has been worked on and is done by now."""
        for waiting in list(self.pending):
            command, transaction = waiting.command, waiting.transaction
            try:
                data = waiting.work.result()
            except RequestError as error:
                body = _error(str(error), transaction)
            except Exception as error:  # one command's bug must not end delivery
                log.exception("request %s failed", command)
                body = _error(f"{command} failed: {type(error).__name__}", transaction)
            else:
                if data is None:
                    if waiting.accept_at is not None and time.monotonic() >= waiting.accept_at:
                        waiting.accept_at = None
                        yield (
                            self._topics.response(command),
                            encode_payload({"status": "accepted", "transaction": transaction}),
                        )
                    continue
                body = {"status": "ok", "data": data, "transaction": transaction}
            self.pending.remove(waiting)
            yield self._topics.response(command), self._final(command, transaction, body)

    def _answer(self, command: str, payload: bytes, now: float) -> bytes | None:
        transaction, taken = None, False
        try:
            fields = _fields(payload)
            transaction = _transaction(fields)
            handler = self._handler(command, fields, now)
            if command in self._changing:
                known, body = self._audit.again(command, transaction)
                if known:
                    return body
                self._audit.taken(command, transaction, fields)
            taken = True
            data = handler(fields)
            if hasattr(data, "result"):
                self.pending.append(_Waiting(command, transaction, data, now + _ACCEPTED_AFTER_S))
                return None
            return self._final(command, transaction, {"status": "ok", "data": data, "transaction": transaction})
        except RequestError as error:
            return self._final(command, transaction, _error(str(error), transaction), taken)
        except Exception as error:  # one command's bug must not end delivery
            if (more := self._failures.setdefault(command, LogThrottle()).change(now)) is not None:
                log.error("request %s failed: %s%s", command, repr(error)[:_LONGEST_TRANSACTION], more)
            log.debug("where it failed", exc_info=True)
            failed = _error(f"{command} failed: {type(error).__name__}", transaction)
            return self._final(command, transaction, failed, taken)

    def _final(self, command: str, transaction: Any, body: dict[str, Any], taken: bool = True) -> bytes:
        if taken and command in self._changing:
            self._audit.answered(command, transaction, body)
        return encode_payload(body)

    def _handler(self, command: str, fields: dict[str, Any], now: float) -> Handler:
        if command not in self._handlers:
            self._audit.not_allowed(command, fields)
            raise RequestError(f"{command[:40]} is not allowed here, or no command; allowed: {sorted(self._handlers)}")
        if len(self.pending) >= _AT_ONCE or not self._work.take(now):
            raise RequestError(f"too many requests; at most {_A_SECOND:g} a second are carried out: ask again")
        return self._handlers[command]


def _error(message: str, transaction: Any) -> dict[str, Any]:
    return {"status": "error", "message": message, "transaction": transaction}


def _transaction(fields: dict[str, Any]) -> Any:
    """What the answer is marked with, as it came."""
    transaction = fields.pop("transaction", None)
    try:
        size = len(encode_payload(transaction))
    except RecursionError as error:
        raise RequestError('"transaction" is nested too deep') from error
    if size > _LONGEST_TRANSACTION:
        raise RequestError(f'"transaction" takes {size} bytes, at most {_LONGEST_TRANSACTION} are sent back')
    return transaction


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
