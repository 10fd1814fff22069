"""What is asked of the device and changes it: a line in the log when it is taken, and one with what came of it."""

import logging
import re
import time
from collections.abc import Mapping
from typing import Any

from edge.delivery.allowance import Allowance
from edge.wire.payload import encode_payload, printable

log = logging.getLogger(__name__)

_LONGEST = 200
"""Characters of a value, and of a result."""
_MOST_FIELDS = 8
_KEPT, _KEPT_S = 64, 600.0
"""Answers that are remembered, and how long: a client that reconnects sends a request again within seconds."""
_LINES_A_SECOND, _LINES_AT_ONCE = 0.2, 30.0
"""Of the log; those that a flood would write beyond are counted."""
_SECRETS = re.compile(r"//[^/@\s]*@|[?#].*")
"""Of an address: user and password, and the query, which may be a signature."""


def what_is_asked(command: str, fields: Mapping[str, Any]) -> str:
    """A request in one line without what could be secret, who asks last, where that was given.

    >>> what_is_asked("rollback", {"stream": "pump1", "by": "ann"})
    'rollback stream=pump1 by ann'
    """
    said = [f"{name[:40]}={_shown(value)}" for name, value in list(fields.items())[:_MOST_FIELDS] if name != "by"]
    by = f" by {_shown(fields['by'])}" if fields.get("by") else ""
    return printable(" ".join([command[:40], *said]) + by)


def _shown(value: Any) -> str:
    return _SECRETS.sub(lambda found: "//…@" if found[0].startswith("//") else "", str(value))[:_LONGEST]


class Audit:
    """Remembers what was carried out, so that a request that comes twice is not, and logs it."""

    def __init__(self) -> None:
        self._answers: dict[tuple[str, bytes], tuple[float, bytes | None]] = {}
        self._lines, self._left_out = Allowance(_LINES_A_SECOND, _LINES_AT_ONCE), 0

    def again(self, command: str, transaction: Any) -> tuple[bool, bytes | None]:
        """Whether this request was taken already, and what was answered; None while it is worked on."""
        found = self._answers.get(_key(command, transaction))
        if transaction is None or found is None or time.monotonic() - found[0] > _KEPT_S:
            return False, None
        return True, found[1]

    def taken(self, command: str, transaction: Any, fields: Mapping[str, Any]) -> None:
        """It is about to be carried out."""
        self._log(logging.INFO, f"{what_is_asked(command, fields)}: taken")
        self._answers[_key(command, transaction)] = time.monotonic(), None
        while len(self._answers) > _KEPT:
            del self._answers[next(iter(self._answers))]

    def answered(self, command: str, transaction: Any, body: Mapping[str, Any]) -> None:
        """What came of it."""
        if body["status"] == "ok":
            self._log(logging.INFO, f"{command}: done:{what_is_asked('', body['data'])}")
        else:
            said = printable(str(body.get("message"))[: 2 * _LONGEST])
            self._log(logging.WARNING, f"{command}: refused: {said}")
        self._answers[_key(command, transaction)] = time.monotonic(), encode_payload(body)

    def not_allowed(self, command: str, fields: Mapping[str, Any]) -> None:
        """Somebody asks for what is off."""
        self._log(logging.WARNING, f"{what_is_asked(command, fields)}: not allowed here")

    def _log(self, level: int, said: str) -> None:
        if not self._lines.take(time.monotonic()):
            self._left_out += 1
            return
        more = f"; {self._left_out} lines of requests were left out before" if self._left_out else ""
        self._left_out = 0
        log.log(level, "request %s%s", said, more)


def _key(command: str, transaction: Any) -> tuple[str, bytes]:
    return command, encode_payload(transaction)
