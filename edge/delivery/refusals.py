"""Topics on which the broker takes nothing from us, as MQTT 5 tells: what was refused waits and is tried again."""

import logging
import math

from edge.wire.backoff import Backoff
from edge.wire.flapping import Flapping

log = logging.getLogger(__name__)

_FIRST_S, _LONGEST_S = 2.0, 16.0
"""Waits before what was refused is sent again, seconds: an access list that was mended is found out within these."""


class Refusals:
    """By topic, why it was refused last and when it may be tried again; logged when it begins and when it is over.

    `now` is monotonic time.
    """

    def __init__(self) -> None:
        self.reasons: dict[str, str] = {}
        """Topic to the broker's words, for health."""
        self._retry_at: dict[str, float] = {}
        self._backoffs: dict[str, Backoff] = {}
        self._flapping: dict[str, Flapping] = {}

    def note(self, topic: str, reason: str, now: float) -> float:
        """It was refused; when to try it again."""
        before, self.reasons[topic] = self.reasons.get(topic), reason
        if before != reason and (more := self._flapping.setdefault(topic, Flapping()).change(now)) is not None:
            log.error(
                "the broker refuses what is published on %s: %s; it is kept and tried again%s", topic, reason, more
            )
        self._retry_at[topic] = now + self._backoffs.setdefault(topic, Backoff(_FIRST_S, _LONGEST_S)).next_s()
        return self._retry_at[topic]

    def accepted(self, topic: str, now: float) -> None:
        """It was taken."""
        if self.reasons and self.reasons.pop(topic, None) is not None:
            if (more := self._flapping.setdefault(topic, Flapping()).change(now)) is not None:
                log.warning("the broker takes what is published on %s again%s", topic, more)
            self._retry_at.pop(topic, None)
            self._backoffs.pop(topic, None)

    def retry_at(self, topic: str) -> float:
        """When it may be tried; long ago for a topic that was not refused."""
        return self._retry_at.get(topic, -math.inf)

    def reconnected(self) -> None:
        """Another connection may have other rights: all may be tried at once."""
        self._retry_at.clear()
