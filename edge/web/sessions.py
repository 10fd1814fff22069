"""Who may see the page, and that a request comes from it: passwords, sessions, tokens, the Host header.

Sources: OWASP's cheat sheets on session management and on cross-site request forgery.
"""

import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

COOKIE = "offbeat_session"
TOKEN_HEADER = "x-offbeat-token"
_LASTS_S, _MOST = 12 * 3600.0, 1000
_TRIES, _TRIES_S = 5, 60.0
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})


@dataclass
class Session:
    """One browser's."""

    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    """What changes something has to carry, beside the cookie, in a header that no other site can set."""
    known: bool = False
    """Whether the password was given."""
    until: float = 0.0


class Sessions:
    """All of them, in memory: a restart asks for the password again. `monotonic` is the clock."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._tries: list[float] = []

    def begin(self, known: bool) -> tuple[str, Session]:
        """A new one, with the value of its cookie."""
        cookie = secrets.token_urlsafe(32)
        session = self._sessions[cookie] = Session(known=known, until=self._monotonic() + _LASTS_S)
        while len(self._sessions) > _MOST:
            self._sessions.popitem(last=False)
        return cookie, session

    def find(self, cookie: str | None) -> Session | None:
        """The session that a cookie names, while it lasts."""
        session = self._sessions.get(cookie or "")
        if session is None or session.until < self._monotonic():
            self._sessions.pop(cookie or "", None)
            return None
        return session

    def end(self, cookie: str | None) -> None:
        """Forget it."""
        self._sessions.pop(cookie or "", None)

    def may_try(self) -> bool:
        """Whether a password may be tried now: so many a minute for all together, since addresses are cheap."""
        now = self._monotonic()
        self._tries = [at for at in self._tries if now - at < _TRIES_S]
        if len(self._tries) >= _TRIES:
            return False
        self._tries.append(now)
        return True

    def succeeded(self) -> None:
        """The right password was given: what was tried before does not count."""
        self._tries.clear()


def is_ours(session: Session | None, token: str | None) -> bool:
    """Whether a request that changes something comes from our page."""
    return session is not None and token is not None and hmac.compare_digest(session.token, token)


def host_allowed(host: str | None, loopback: bool) -> bool:
    """Whether a Host header is one that the page has.

    On loopback only its own names count: a page elsewhere whose name is made to point here would be another's.

    >>> host_allowed("localhost:8080", True), host_allowed("evil.example:8080", True)
    (True, False)
    """
    if not loopback:
        return host is not None
    name = (host or "").rsplit(":", 1)[0] if not (host or "").endswith("]") else host
    return name in _LOOPBACK
