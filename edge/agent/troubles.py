"""What is out of order, why, and when it is tried again."""

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edge.wire.backoff import Backoff
from edge.wire.flapping import LogThrottle

log = logging.getLogger(__name__)

RETRY_FIRST_S, RETRY_LONGEST_S = 5.0, 20.0
"""Waits before something is tried again, seconds: it works again within half a minute of being mended."""
_WENT_WELL_S = 600.0
_AGAIN_S = 600.0
"""A bundle that stays as it is is logged this often, seconds."""
BUNDLE = -1
"""In place of a stream's number: the bundle, and with it all streams."""


@dataclass(frozen=True)
class _Trouble:
    reason: str
    retry_at: float


class Troubles:
    """The streams of one bundle that are not served at present. Waits grow with failures of the same stream
    that come soon after each other."""

    def __init__(self, streams: Sequence[str], monotonic: Callable[[], float]) -> None:
        self._streams, self._monotonic = streams, monotonic
        self._known: dict[int, _Trouble] = {}
        self._backoffs: dict[int, Backoff] = {}
        self._recurring: dict[int, LogThrottle] = {}
        self._quiet: frozenset[int] = frozenset()  # whose last failure was counted, not logged
        self._noted_at: dict[int, float] = {}
        self._last: dict[int, str] = {}
        self._logged_at = -math.inf

    def __contains__(self, number: int) -> bool:
        return number in self._known

    def note(self, number: int, error: Exception) -> None:
        """Something failed; it is logged, with a traceback at level debug."""
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        backoff = self._backoffs.setdefault(number, Backoff(RETRY_FIRST_S, RETRY_LONGEST_S))
        now = self._monotonic()
        if now - self._noted_at.get(number, now) > _WENT_WELL_S:  # it went well in between
            backoff.reset()
        self._noted_at[number] = now
        before = self._last.get(number)
        self._last[number] = reason
        self._known[number] = _Trouble(reason, now + backoff.next_s())
        if reason == before and number == BUNDLE and now - self._logged_at < _AGAIN_S:
            return
        self._logged_at = now
        more = self._recurring.setdefault(number, LogThrottle()).change(now)
        self._quiet = self._quiet - {number} if more is not None else self._quiet | {number}
        if more is None:
            return
        names = ", ".join(self._streams) if number == BUNDLE else self._streams[number]
        log.error("stream %s: out of order: %s%s", names, reason, more)
        log.debug("where it failed", exc_info=error)

    def reason(self, number: int) -> str | None:
        """Why a stream is not served; None where it is."""
        trouble = self._known.get(BUNDLE) or self._known.get(number)
        return trouble.reason if trouble else None

    def due(self, monotonic: float) -> list[int]:
        """What is to be tried again by now."""
        if not self._known:
            return []
        return [number for number, trouble in self._known.items() if monotonic >= trouble.retry_at]

    def forget(self, number: int) -> bool:
        """It is tried again; whether that is to be logged, as its failure was."""
        self._known.pop(number, None)
        return number not in self._quiet
