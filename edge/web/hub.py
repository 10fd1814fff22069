"""Tells browsers what has changed, gathered, and never waits for a slow one."""

import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncGenerator
from typing import Any

GATHER_S = 0.5
"""Changes are gathered for so long before they are sent."""
_QUEUE, _KEEPALIVE_S, _MOST_CLIENTS = 20, 20.0, 100


class TooManyError(Exception):
    """As many pages are open as there may be."""


class Hub:
    """Server-sent events for every open page. All in one event loop, but `changed` and
    `message`, which any thread may call."""

    def __init__(self) -> None:
        self._clients: set[asyncio.Queue[bytes]] = set()
        self._lock = threading.Lock()
        self._changed: dict[tuple[str, str | None], None] = {}
        self._messages: list[dict[str, Any]] = []

    def changed(self, device: str, stream: str | None) -> None:
        """A device, or a stream of it, is not as it was."""
        with self._lock:
            self._changed[device, stream] = None

    def message(self, kind: str, body: dict[str, Any]) -> None:
        """Something that every page gets as it is."""
        with self._lock:
            if len(self._messages) < 1000:  # pages that are open get them all within `GATHER_S`
                self._messages.append({"kind": kind, **body})

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            await asyncio.sleep(GATHER_S)
            self._send()

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """What one page gets, until it goes.

        Raises:
            TooManyError: there are too many pages.
        """
        if len(self._clients) >= _MOST_CLIENTS:
            raise TooManyError
        queue: asyncio.Queue[bytes] = asyncio.Queue(_QUEUE)
        self._clients.add(queue)
        try:
            yield b"retry: 2000\n\n" + _sent({"kind": "hello"})
            while True:
                with contextlib.suppress(TimeoutError):
                    yield await asyncio.wait_for(queue.get(), _KEEPALIVE_S)
                    continue
                yield b": still here\n\n"
        finally:
            self._clients.discard(queue)

    @property
    def clients(self) -> int:
        """Pages that are open."""
        return len(self._clients)

    def _send(self) -> None:
        with self._lock:
            changed, self._changed = list(self._changed), {}
            messages, self._messages = self._messages, []
        if not self._clients or not (changed or messages):
            return
        if changed:
            messages.append({"kind": "changed", "what": changed[:500], "more": len(changed) > 500})
        data = b"".join(map(_sent, messages))
        for queue in list(self._clients):
            if queue.full():  # a page that does not keep up asks for everything anew
                while not queue.empty():
                    queue.get_nowait()
                queue.put_nowait(_sent({"kind": "resync"}))
            else:
                queue.put_nowait(data)


def _sent(body: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(body, separators=(",", ":")).encode() + b"\n\n"
