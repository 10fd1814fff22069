"""Requests from this machine, over the socket in the state folder: whoever may open that may also stop the agent."""

import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from edge.delivery.audit import what_is_asked
from edge.delivery.requests import Pending, RequestError
from edge.wire.local_link import MOST_BYTES, SOCKET, address_in, read_line
from edge.wire.payload import encode_payload
from edge.wire.worker import Worker

log = logging.getLogger(__name__)

_PATIENCE_S = 2.0
"""How long whoever connects may take to say what it wants, and to take the answer."""
_LOOK_S = 0.01
_HARMLESS = ("status",)
_LEAVE_S = 0.5
_WAITING = 8


class Ask(Protocol):
    """Leaves a request to the agent's thread."""

    def __call__(self, fields: dict[str, Any]) -> Pending: ...


class LocalRequests:
    """Answers one after the other, in a thread of its own."""

    def __init__(self, folder: Path, handlers: Mapping[str, Ask]) -> None:
        self._folder, self._handlers = folder, handlers
        self._socket: socket.socket | None = None
        self._leaving = threading.Event()
        self._worker = Worker("local requests", self._serve, lambda _error: None, self._leaving)

    def start(self) -> None:
        """Listen; where the file system has no sockets, that is logged, and the agent goes on without."""
        try:
            (self._folder / SOCKET).unlink(missing_ok=True)
            with address_in(self._folder) as address:
                self._socket = socket.socket(socket.AF_UNIX)
                self._socket.bind(address)
            (self._folder / SOCKET).chmod(0o600)
            self._socket.listen(_WAITING)
            self._socket.settimeout(_LEAVE_S)
        except OSError as error:
            log.warning("%s: no socket can be made here (%s); offbeat-edge status asks the broker", self._folder, error)
            self._socket = None
            return
        self._worker.start()

    def stop(self) -> None:
        """End it, and take the socket away."""
        self._leaving.set()
        if self._socket is None:
            return
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes whoever waits in accept
        self._worker.join(2 * _LEAVE_S)
        self._socket.close()
        with suppress(OSError):
            (self._folder / SOCKET).unlink()

    def _serve(self) -> None:
        assert self._socket is not None
        while not self._leaving.is_set():
            try:
                link, _ = self._socket.accept()
            except TimeoutError:
                continue
            except OSError:
                if self._leaving.is_set():
                    return
                raise
            with link, suppress(OSError):
                link.settimeout(_PATIENCE_S)
                link.sendall(encode_payload(self._answer(link)) + b"\n")

    def _answer(self, link: socket.socket) -> dict[str, Any]:
        try:
            fields = json.loads(read_line(link, MOST_BYTES))
            command = fields.pop("command")
            ask = self._handlers[command]
        except (ValueError, RecursionError, AttributeError, KeyError, TypeError) as error:
            return {"status": "error", "message": f"no request: {error!r}; known are {', '.join(self._handlers)}"}
        if command not in _HARMLESS:
            log.info("request %s: taken, from this machine", what_is_asked(command, fields))
        try:
            return {"status": "ok", "data": _waited_for(ask(fields), self._leaving.wait)}
        except RequestError as error:
            return {"status": "error", "message": str(error)}


def _waited_for(pending: Pending, wait: Callable[[float], bool]) -> dict[str, Any]:
    began = time.monotonic()
    while (data := pending.result()) is None:
        if wait(_LOOK_S if time.monotonic() - began < 1.0 else 10 * _LOOK_S):
            raise RequestError("the agent is leaving")
    return data
