"""Two clients with one id throw each other off for ever: what that looks like from one of them."""

import logging

log = logging.getLogger(__name__)

_SHORT_S = 5.0
_SUSPICIOUS = 3


class ShortLives:
    """Counts connections that were greeted and soon ended, one after another.

    MQTT 5 tells of a takeover, 3.1.1 just hangs up.

    >>> lives = ShortLives("offbeat-gw-1")
    >>> [lives.ended(0.4) for _ in range(3)]  # doctest: +ELLIPSIS
    ['', '', '; 3 connections ...does another client use the client id offbeat-gw-1?']
    """

    def __init__(self, client_id: str) -> None:
        self._client_id = client_id
        self._count = 0

    def ended(self, lived_s: float) -> str:
        """A connection ended after so many seconds; what to add to the reason."""
        self._count = self._count + 1 if lived_s < _SHORT_S else 0
        if self._count < _SUSPICIOUS:
            return ""
        lived = f"{self._count} connections in a row lived less than {_SHORT_S:g} s"
        hint = f"{lived}: does another client use the client id {self._client_id}?"
        if self._count == _SUSPICIOUS:
            log.error("%s", hint)
        return f"; {hint}"
