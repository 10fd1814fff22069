"""The episode of a stream whose baseline has reached its bound: what the machine calls normal has moved too far."""

from collections.abc import Callable

from edge.detector.events.episode import Episode, Look, new_event
from edge.wire.events import Event, ModelRef

BACK = 0.9
"""Part of the bound under which every channel's baseline must come back before the episode ends."""
UPDATE_S = 3600.0
"""A drift is told again this often at the most, seconds: it lasts for days and hardly changes."""


class DriftEpisode:
    """Opens when a channel's baseline reaches its bound, ends when all are well inside again."""

    def __init__(self, stream: str, update_every_s: float, model: ModelRef, new_id: Callable[[float], str]) -> None:
        self.open: Episode | None = None
        self.every_s = max(update_every_s, UPDATE_S)
        self._stream, self._model, self._new_id = stream, model, new_id

    def follow(self, look: Look, reach: float, in_alarm: bool, must: bool = False) -> list[Event]:
        """What a row says: `reach` is the largest part of its bound that a channel's baseline has used.

        While an anomaly is in alarm none opens: that alert is out already, and often drags a baseline along. An open
        one that was kept back `must` be told.
        """
        if self.open is None:
            return [] if reach < 1 or in_alarm else self._begin(look)
        if reach >= BACK:
            return self.open.update(look, must=must)
        episode, self.open = self.open, None
        return [episode.end(look)]

    def end(self, time: float) -> list[Event]:
        """End it, if it is open."""
        episode, self.open = self.open, None
        return [] if episode is None else [episode.cut(time)]

    def _begin(self, look: Look) -> list[Event]:
        event = new_event(look, self._new_id(look.time), self._stream, "drift", look.time, self._model)
        self.open = Episode(event, self.every_s, first_s=UPDATE_S)
        return [event]
