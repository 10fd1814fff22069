"""Serves the page: for `offbeat-edge watch --web` in the main thread, for `[web]` in a thread of the agent."""

import logging
import socket
import threading

import uvicorn

from edge.web.app import make_app
from edge.web.service import PageService
from edge.web.settings import WebSettings
from edge.wire.backoff import Backoff

log = logging.getLogger(__name__)
_LEAVE_S = 2
"""How long leaving may wait for pages that are open, seconds."""


def make_server(service: PageService, settings: WebSettings) -> uvicorn.Server:
    """A server that does not listen yet."""
    config = uvicorn.Config(
        make_app(service, settings),
        host=settings.host,
        port=settings.port or 0,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        http="h11",
        ws="none",
        ssl_certfile=settings.cert,
        ssl_keyfile=settings.key,
        timeout_graceful_shutdown=_LEAVE_S,
        limit_concurrency=200,
        h11_max_incomplete_event_size=16_384,
    )
    return uvicorn.Server(config)


def listen(settings: WebSettings) -> socket.socket:
    """A socket at the page's address.

    Raises:
        OSError: it cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    return socket.create_server((settings.host, settings.port or 0), family=family, backlog=128)


def address(settings: WebSettings, listening: socket.socket) -> str:
    """To open in a browser."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http{'s' if settings.cert else ''}://{host}:{listening.getsockname()[1]}/"


class PageThread:
    """The page in a thread of its own, for as long as the agent runs; an address that is taken is tried again."""

    def __init__(self, service: PageService, settings: WebSettings) -> None:
        self._service, self._settings = service, settings
        self._leaving = threading.Event()
        self._server: uvicorn.Server | None = None
        self._thread = threading.Thread(target=self._run, name="page", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """End it."""
        self._leaving.set()
        if self._server is not None:
            self._server.should_exit = True
        self._thread.join(_LEAVE_S + 3.0)

    def _run(self) -> None:
        backoff, before = Backoff(1.0, 30.0), ""
        while not self._leaving.is_set():
            try:
                listening = listen(self._settings)
            except OSError as error:
                if str(error) != before:
                    log.warning("page: %s:%s: %s; retrying", self._settings.host, self._settings.port, error)
                before = str(error)
                self._leaving.wait(backoff.next_s())
                continue
            log.info("page: %s", address(self._settings, listening))
            self._server = make_server(self._service, self._settings)
            self._server.run([listening])
            return
