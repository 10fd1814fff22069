"""The page's routes."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from edge.web.guard import STATIC, Guard
from edge.web.hub import TooManyError
from edge.web.link import AskError
from edge.web.login import Login
from edge.web.service import PageService
from edge.web.sessions import Sessions
from edge.web.settings import WebSettings
from edge.wire.topics import valid_id

_SHELL = STATIC / "index.html"


class Page:
    """Handlers; each answers one route."""

    def __init__(self, service: PageService, settings: WebSettings) -> None:
        self._service, self._settings = service, settings

    async def shell(self, _request: Request) -> Response:
        """The page itself, for every address that it has."""
        return FileResponse(_SHELL, media_type="text/html")

    async def alive(self, _request: Request) -> Response:
        """For health checks."""
        return JSONResponse({"broker": self._service.broker["there"]})

    async def session(self, request: Request) -> Response:
        """The token that requests have to carry."""
        session = request.scope["offbeat_session"]
        body = {"token": session.token, "password": self._settings.password_hash_file is not None}
        return JSONResponse(body)

    async def overview(self, request: Request) -> Response:
        """All devices and streams."""
        return JSONResponse(self._service.overview("scores" in request.query_params))

    async def stream(self, request: Request) -> Response:
        """One stream."""
        found = self._service.stream(request.path_params["device"], request.path_params["stream"])
        if found is None:
            return JSONResponse({"error": "nothing is known of this stream"}, 404)
        return JSONResponse(found)

    async def rows(self, request: Request) -> Response:
        """Rows of a stream from `since` on, or around an episode."""
        query, fields = request.query_params, {}  # type: Any, dict[str, Any]
        device = request.path_params["device"]
        if "event_id" in query:
            fields = {"event_id": query["event_id"][:100]}
        else:
            fields = {"stream": query.get("stream", "")[:100]}
            if (since := _number(query.get("since"))) is not None:
                fields["since"] = since
        if not valid_id(device):
            return JSONResponse({"error": "no such device"}, 404)
        return await _answered(self._service.rows(device, fields))

    async def episodes(self, request: Request) -> Response:
        """Episodes, the newest first."""
        query = request.query_params
        limit = int(_number(query.get("limit")) or 50)
        found = self._service.store.episodes(
            query.get("device"), query.get("stream"), _number(query.get("before")), limit
        )
        return JSONResponse({"episodes": found})

    async def episode(self, request: Request) -> Response:
        """One episode's last message."""
        found = self._service.store.episode(request.path_params["id"])
        if found is None:
            return JSONResponse({"error": "nothing is known of this episode"}, 404)
        return JSONResponse(found)

    async def picture(self, request: Request) -> Response:
        """An episode as a PNG."""
        event = self._service.store.episode(request.path_params["id"])
        if event is None:
            return JSONResponse({"error": "nothing is known of this episode"}, 404)
        try:
            rows = await self._service.rows(str(event["device"]), {"event_id": str(event["id"])})
        except AskError as error:
            return JSONResponse({"error": str(error)}, 502)
        try:
            from edge.web.png import drawn  # imports Pillow
        except ModuleNotFoundError:
            return JSONResponse({"error": "pictures want Pillow: pip install 'offbeat[web]'"}, 501)
        dark = request.query_params.get("scheme") == "dark"
        return Response(await asyncio.to_thread(drawn, event, rows, dark), media_type="image/png")

    async def request(self, request: Request) -> Response:
        """Ask something of a device."""
        try:
            fields = await request.json()
        except ValueError:
            fields = None
        if not isinstance(fields, dict):
            return JSONResponse({"error": "wanted a JSON object"}, 400)
        return await _answered(self._service.ask(request.path_params["device"], request.path_params["command"], fields))

    async def live(self, _request: Request) -> Response:
        """What changes, as server-sent events."""
        stream = self._service.hub.stream()
        try:
            first = await anext(stream)
        except TooManyError:
            return JSONResponse({"error": "too many pages are open"}, 503)

        async def all_of_it() -> AsyncGenerator[bytes, None]:
            async with contextlib.aclosing(stream):
                yield first
                async for part in stream:
                    yield part

        return StreamingResponse(all_of_it(), media_type="text/event-stream", headers={"x-accel-buffering": "no"})


def make_app(service: PageService, settings: WebSettings, sessions: Sessions | None = None) -> Starlette:
    """The page as an ASGI application; `service` starts and stops with it."""
    sessions = sessions or Sessions()
    page, login = Page(service, settings), Login(settings, sessions)
    routes = [
        *(Route(path, page.shell) for path in ("/", "/stream/{device}/{stream}", "/episode/{id:str}")),
        Route("/alive", page.alive),
        Route("/login", login.form, methods=["GET"]),
        Route("/login", login.given, methods=["POST"]),
        Route("/logout", login.leave, methods=["POST"]),
        Route("/live", page.live),
        Route("/api/session", page.session),
        Route("/api/overview", page.overview),
        Route("/api/stream/{device}/{stream}", page.stream),
        Route("/api/rows/{device}", page.rows),
        Route("/api/episodes", page.episodes),
        Route("/api/episode/{id}", page.episode),
        Route("/api/request/{device}/{command}", page.request, methods=["POST"]),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
    routes.insert(0, Route("/episode/{id}.png", page.picture))

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        service.start()
        sending = asyncio.create_task(service.hub.run())
        yield
        sending.cancel()
        await asyncio.to_thread(service.stop)

    return Starlette(
        routes=routes, middleware=[Middleware(Guard, settings=settings, sessions=sessions)], lifespan=lifespan
    )


async def _answered(asked: Any) -> Response:
    try:
        return JSONResponse(await asked)
    except AskError as error:
        return JSONResponse({"error": str(error)}, 502)


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if abs(number) < 1e12 else None
