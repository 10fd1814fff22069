"""Before and after every route: Host, session, token, and headers that keep a page to itself."""

from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from edge.web.sessions import COOKIE, TOKEN_HEADER, Sessions, host_allowed, is_ours
from edge.web.settings import WebSettings

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
STATIC = Path(__file__).parent / "static"
_HEADERS = {
    # Scripts and styles are files of this page alone, so a name that holds markup stays a name.
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
        "manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # Not `no-referrer`: with that a browser says of the page's own form that it comes from nowhere (`Origin: null`).
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
_OPEN_TO_ALL = ("/login", "/static/", "/alive")
_LONGEST_BODY = 10_000


class Guard:
    """ASGI middleware."""

    def __init__(self, app: Any, settings: WebSettings, sessions: Sessions) -> None:
        self._app, self._settings, self._sessions = app, settings, sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it here."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        request = Request(scope)
        session, cookie = self._sessions.find(request.cookies.get(COOKIE)), None
        needs_password = self._settings.password_hash_file is not None
        if session is None and not needs_password:
            cookie, session = self._sessions.begin(known=True)
        scope["offbeat_session"] = session
        answer = self._refusal(request, needs_password)

        async def with_headers(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                headers = [(name.encode(), value.encode()) for name, value in _HEADERS.items()]
                if not request.url.path.startswith("/static/"):
                    headers.append((b"cache-control", b"no-store"))
                if cookie is not None:
                    headers.append((b"set-cookie", cookie_line(cookie, self._settings.is_secure).encode()))
                message["headers"] = [*message.get("headers", ()), *headers]
            await send(message)

        await (answer or self._app)(scope, receive, with_headers)

    def _refusal(self, request: Request, needs_password: bool) -> Response | None:
        path, session = request.url.path, request.scope["offbeat_session"]
        if not host_allowed(
            request.headers.get("host"), self._settings.is_loopback and not self._settings.behind_proxy
        ):
            return JSONResponse({"error": "this page has no such name; open it as localhost"}, 421)
        if "transfer-encoding" in request.headers:  # of a length that nobody has said; no browser sends the page one
            return JSONResponse({"error": "a body wants its length"}, 411)
        if int(request.headers.get("content-length") or 0) > _LONGEST_BODY:
            return JSONResponse({"error": f"at most {_LONGEST_BODY} bytes"}, 413)
        if needs_password and (session is None or not session.known) and not path.startswith(_OPEN_TO_ALL):
            if path.startswith("/api/") or request.method != "GET":
                return JSONResponse({"error": "log in first"}, 401)
            return RedirectResponse(_login_of(request), 303)
        changes = request.method not in ("GET", "HEAD") and path != "/login"
        if changes and not is_ours(session, request.headers.get(TOKEN_HEADER)):
            return JSONResponse({"error": "this request does not come from the page; reload it"}, 403)
        return None


def _login_of(request: Request) -> str:
    """The form, which leads on to what was asked for."""
    asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return "/login" if asked in ("/", "/live") else f"/login?next={quote(asked, safe='')}"


def cookie_line(value: str, secure: bool, max_age_s: int = 12 * 3600) -> str:
    """A `Set-Cookie` that no script reads and no other site sends."""
    return f"{COOKIE}={value}; HttpOnly; SameSite=Strict; Path=/; Max-Age={max_age_s}" + ("; Secure" if secure else "")
