"""The form for the password, and leaving again."""

import asyncio
import logging
import time
from urllib.parse import parse_qs, quote

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response

from edge.web.guard import STATIC, cookie_line
from edge.web.password import PasswordError, matches
from edge.web.sessions import COOKIE, Sessions
from edge.web.settings import WebSettings
from edge.wire.flapping import LogThrottle

log = logging.getLogger(__name__)


class Login:
    """Handlers of `/login` and `/logout`."""

    def __init__(self, settings: WebSettings, sessions: Sessions) -> None:
        self._settings, self._sessions = settings, sessions
        self._wrong = LogThrottle()

    async def form(self, request: Request) -> Response:
        """The form, or what was asked for where this browser is known."""
        session, wanted = request.scope["offbeat_session"], _wanted(request)
        if session is not None and session.known:
            return RedirectResponse(wanted or "/", 303)
        return FileResponse(STATIC / "login.html", media_type="text/html")

    async def given(self, request: Request) -> Response:
        """What the form sends."""
        if not _is_our_form(request):
            return JSONResponse({"error": "this form is another page's"}, 403)
        wanted = _wanted(request)
        again = f"&next={quote(wanted, safe='')}" if wanted else ""
        if not self._sessions.may_try():
            return RedirectResponse(f"/login?wait{again}", 303)
        given = parse_qs((await request.body()).decode("utf-8", "replace")).get("password", [""])[0]
        if not await asyncio.to_thread(self._is_password, given):
            if (more := self._wrong.change(time.monotonic())) is not None:
                log.warning("page: a wrong password was given%s", more)
            return RedirectResponse(f"/login?wrong{again}", 303)
        self._sessions.succeeded()
        cookie, _ = self._sessions.begin(known=True)
        answer = RedirectResponse(wanted or "/", 303)
        answer.headers["set-cookie"] = cookie_line(cookie, self._settings.is_secure)
        return answer

    async def leave(self, request: Request) -> Response:
        """Forget this browser."""
        self._sessions.end(request.cookies.get(COOKIE))
        return JSONResponse({})

    def _is_password(self, given: str) -> bool:
        file = self._settings.password_hash_file
        try:
            return file is not None and matches(given, file.read_text("utf-8").strip())
        except (OSError, PasswordError) as error:
            if (more := self._wrong.change(time.monotonic())) is not None:
                log.error("page: %s%s", error, more)
            return False


def _wanted(request: Request) -> str | None:
    """What was asked for before the password was: an address of this page alone, or nothing."""
    wanted = request.query_params.get("next", "")
    return wanted if wanted.startswith(("/stream/", "/episode/")) else None


def _is_our_form(request: Request) -> bool:
    """By what the browser says of where the form came from; one that says nothing has no other site's form.

    `Sec-Fetch-Site` is told over HTTPS and on loopback, and holds also behind a proxy that changes the Host header.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        return site in ("same-origin", "none")
    return origin is None or origin.split("//", 1)[-1] == request.headers.get("host")
