"""Episodes of a stream's rules: begun by the first row that breaks one, over when it has been kept a while."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from edge.detector.bundle.rules import Breach, Findings, RuleBook, kind_of
from edge.detector.events.episode import Episode, Look, new_event
from edge.detector.events.recurring import Recurring, recurring_from_dict
from edge.detector.rows.row import Row
from edge.wire.events import Event

KEPT_S = 5.0
"""A rule's episode ends when the rule was kept for so long, seconds: a value that swings about a limit makes one."""
KEPT_ROWS = 3
"""And for so many rows with a reading, since on a slow grid the time alone is less than one row."""


class RuleEpisodes:
    """The open rule episodes of one stream."""

    def __init__(
        self,
        stream: str,
        book: RuleBook,
        update_every_s: float,
        new_id: Callable[[float], str],
        is_due: Callable[[str, float], bool] = lambda _id, _time: False,
    ) -> None:
        """`is_due`: whether an episode of this id must be told at this time, since it was kept back."""
        self.open: dict[str, Episode] = {}
        """By the rule's key."""
        self._now = 0.0  # of the last row, Unix seconds
        self._stream, self._book, self._update_every_s, self._new_id = stream, book, update_every_s, new_id
        self._is_due = is_due
        self._kept: dict[str, tuple[float, int]] = {}  # since when and for how many rows a broken rule is kept again
        self._recurring: dict[str, Recurring] = {}  # of each rule that was ever broken

    def row(self, row: Row) -> list[Event]:
        """What a row says of the rules."""
        if not (self._book.keys or self.open):
            return []
        return self._follow(row.time, self._book.check(row))

    def idle(self, time: float) -> list[Event]:
        """No row came, and it is `time` now."""
        return self._follow(time, self._book.silence(time))

    def end(self, time: float) -> list[Event]:
        """End all."""
        events = [episode.cut(time) for episode in self.open.values()]
        self.open.clear()
        self._kept.clear()
        return events

    def calm_since(self, key: str) -> float | None:
        """Since when the rule of an open episode is kept again, for long enough to be over had it not come back."""
        since, rows = self._kept.get(key, (self._now, 0))
        return since if rows >= KEPT_ROWS and self._now - since >= KEPT_S else None

    def more(self, key: str) -> dict[str, Any]:
        """What a snapshot keeps of a rule beside its open episode."""
        since, recurring = self.calm_since(key), self._recurring.get(key)
        body = {} if recurring is None else {"recurring": recurring.to_dict()}
        return body if since is None else {**body, "calm": {"time": since}}

    def restore(self, open_: Mapping[str, Episode], parts: Mapping[str, Mapping[str, Any]]) -> None:
        """Go on with episodes that were open at a restart, and with what `more` gave of them.

        Raises:
            KeyError, TypeError, ValueError, AttributeError: it is malformed.
        """
        self._recurring = {
            key: recurring_from_dict(parts[key]["recurring"]) for key in open_ if "recurring" in parts[key]
        }
        self.open = dict(open_)

    def _follow(self, time: float, found: Findings) -> list[Event]:
        self._now = time
        events = [event for key, breach in found.broken.items() for event in self._broken(key, time, breach)]
        # A rule that is no longer configured will never be judged again.
        for key in [key for key in self.open if key in found.kept or key not in self._book.keys]:
            events += self._keep(key, time)
        return events

    def _broken(self, key: str, time: float, breach: Breach) -> list[Event]:
        was_calm = self.calm_since(key) is not None
        self._kept.pop(key, None)
        look = Look(time, None, rule=breach.hit)
        if key in self.open:
            if was_calm:
                self.open[key].recur(self._recurring[key].begin(time))
            return self.open[key].update(look, must=self._is_due(self.open[key].last.id, time))
        times = self._recurring.setdefault(key, Recurring()).begin(time)
        event = new_event(look, self._new_id(time), self._stream, kind_of(breach.hit.name), breach.since)
        self.open[key] = Episode(replace(event, occurrences=times), self._update_every_s)
        return [self.open[key].last]

    def _keep(self, key: str, time: float) -> list[Event]:
        since, rows = self._kept.get(key, (time, 0))
        self._kept[key] = (since, rows + 1)
        recurring = self._recurring.setdefault(key, Recurring())
        if rows == 0:
            recurring.quiet(since)
        wait_s = recurring.wait_s if key in self._book.keys else 0.0
        if self.calm_since(key) is None or time - since < wait_s:
            return []
        del self._kept[key]
        return [self.open.pop(key).end(Look(time, None), since)]
