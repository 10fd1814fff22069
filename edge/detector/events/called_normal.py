"""What somebody called normal of the streams of a group: seen again it alarms no more."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from edge.detector.events.familiar import BODY, EDGE, MOST, NOT, Capture, Familiar, familiar_from_dict
from edge.detector.members.tuning import Tuning

ENDED = 5
"""Ended episodes of a stream that can still be called normal."""
UNDER = 0.99
"""What a familiar row scores of the score under which it says nothing."""
LOUDER = 1.25
"""A pattern that was called normal while it went on is normal to its end, as long as it gets no louder than this
many times what it was. Less would alert on its own noise; twice as much would let a fault on top of it pass."""

Window = Callable[[int], np.ndarray | None]
"""A stream's last rows, (window, columns), as `Engine.looks` gives them; None while they fill."""


class FeedbackError(Exception):
    """What was called normal cannot be; one line that names the remedy."""


@dataclass
class _Stream:
    """What is kept of one stream. A rising score is captured before there is an episode."""

    familiar: list[Familiar] = field(default_factory=list)
    ended: deque[Familiar] = field(default_factory=lambda: deque(maxlen=ENDED))
    episode: str | None = None
    capture: Capture | None = None
    growing: Familiar | None = None  # called normal before it was over
    top: float = 0.0  # of what is growing
    edge_left: int = -1  # rows that may still stand for an edge; below 0: as many as the pattern's
    fulfilled: bool = True  # whether the last edge belonged to a body
    quiet: int = 0  # rows since a score that anybody cared for


class CalledNormal:
    """Patterns called normal, the episodes that may become ones, and what they do to scores."""

    def __init__(self, streams: int, window: int, columns: int, tuning: Tuning) -> None:
        self._streams = [_Stream() for _ in range(streams)]
        self._window, self._columns, self._close = window, columns, tuning.close
        self.seen: np.ndarray = np.zeros(streams, bool)
        """(streams,): whether the last row was a familiar one, which baselines must not follow either."""
        self._taught: np.ndarray = np.zeros(streams, bool)  # whether anything is called normal
        self._busy: np.ndarray = np.zeros(streams, bool)  # whether anything is being captured
        self._was_loud: np.ndarray = np.zeros(streams, bool)

    def judge(self, streams: np.ndarray, scores: np.ndarray, on: np.ndarray, window: Window) -> np.ndarray:
        """(n,) scores, what is familiar under the level, and where `on` (n,), in alarm, under the closing score."""
        self.seen[streams] = False
        if not self._taught.any():
            return scores
        judged = scores.copy()
        for n in np.flatnonzero(self._taught[streams] & ~np.isnan(scores)).tolist():
            stream = int(streams[n])
            kept, most = self._streams[stream], UNDER * (self._close if on[n] else 1.0)
            if scores[n] <= most:
                self._calm(kept)
            elif self._familiar(kept, float(scores[n]), window(stream)):
                judged[n], self.seen[stream] = most, True
        return judged

    def follow(
        self,
        streams: np.ndarray,
        times: np.ndarray,
        scores: np.ndarray,
        on: np.ndarray,
        episodes: Mapping[int, str | None],
        window: Window,
    ) -> None:
        """Capture the rows of n streams, of which `on` (n,) are in alarm; `scores` (n,) as they were before `judge`.

        `episodes` are the open ones of these streams.
        """
        for n in np.flatnonzero((scores >= self._close) | on | self._busy[streams]).tolist():
            stream = int(streams[n])
            kept, loud = self._streams[stream], self._loud(stream, float(scores[n]))
            if kept.episode is not None or on[n]:
                self.settle(stream, episodes[stream])
            now = window(stream) if loud or on[n] or kept.growing else None
            if now is None:
                self._pause(kept)
            else:
                kept.capture = kept.capture or Capture(self._window)
                kept.capture.add(float(times[n]), float(np.nan_to_num(scores[n])), now, loud)
                self._grow(kept, float(scores[n]), loud)
            self._busy[stream] = kept.capture is not None or kept.episode is not None

    def settle(self, stream: int, episode: str | None) -> None:
        """The stream's open episode is this one now."""
        kept = self._streams[stream]
        if episode == kept.episode:
            return
        if kept.growing is not None:  # another episode has begun in it
            kept.growing = kept.capture = None
        if kept.episode is not None and kept.capture is not None:
            self._keep(kept, self._pattern(kept))
            kept.capture = None
        earlier = next((one for one in kept.ended if one.event_id == episode), None)
        if earlier is not None and kept.capture is None:
            kept.capture = Capture(self._window, earlier.parts)
        kept.episode = episode

    def add(self, stream: int, event_id: str, by: str, open_: Mapping[str, str]) -> bool:
        """Call an episode normal; whether it is open, and to be ended. `open_` are the kinds of the open ones by id.

        Raises:
            FeedbackError: it is no anomaly, nothing is known of it, it looks as normal rows do, or there are enough.
        """
        kept = self._streams[stream]
        if any(one.event_id == event_id for one in kept.familiar):
            return False
        if (kind := open_.get(event_id, "anomaly")) != "anomaly":
            raise FeedbackError(f"episode {event_id} is of kind {kind}; {_REMEDIES[kind]}")
        self.settle(stream, next((one for one, kind in open_.items() if kind == "anomaly"), None))
        now = kept.episode == event_id and kept.capture is not None
        ended = next((one for one in kept.ended if one.event_id == event_id), None)
        found = self._pattern(kept) if now else ended
        if found is None:
            raise FeedbackError(f"nothing is kept of episode {event_id}; known are {_listed(self.known(stream))}")
        if not found.distinct:
            raise FeedbackError(
                f"episode {event_id} looks too much like normal rows to be told from them; raise [stream.alarm] level"
            )
        if len(kept.familiar) >= MOST:
            oldest = kept.familiar[0].event_id
            raise FeedbackError(f"{MOST} patterns are called normal already; revoke one, such as {oldest}")
        said = replace(found, by=by)
        kept.familiar.append(said)
        if now:
            kept.growing, kept.top, kept.episode = said, kept.capture.top if kept.capture else 0.0, None
        self._taught[stream] = True
        return event_id in open_

    def revoke(self, stream: int, event_id: str) -> bool:
        """Alarm on a pattern again; whether it was called normal. It can be called so anew."""
        kept = self._streams[stream]
        found = [one for one in kept.familiar if one.event_id == event_id]
        for one in found:
            kept.familiar.remove(one)
            self._keep(kept, replace(one, by=""))
        if kept.growing is not None and kept.growing.event_id == event_id:
            kept.growing = kept.capture = None
        self._taught[stream] = bool(kept.familiar)
        return bool(found)

    def patterns(self, stream: int) -> Sequence[Familiar]:
        """What is called normal, in the order in which it was."""
        return tuple(self._streams[stream].familiar)

    def known(self, stream: int) -> Sequence[str]:
        """Ids of the episodes that could be called so, the last one last."""
        kept = self._streams[stream]
        ended = [one.event_id for one in kept.ended if one.event_id != kept.episode]
        said = {one.event_id for one in kept.familiar}
        return [one for one in [*ended, kept.episode] if one is not None and one not in said]

    def knows(self, stream: int, event_id: str) -> bool:
        """Whether an episode is called normal, or could be."""
        kept = self._streams[stream]
        return event_id in [*(one.event_id for one in kept.familiar), *self.known(stream)]

    def snapshot(self, stream: int) -> dict[str, Any]:
        """Plain JSON: what is called normal, and what could be."""
        kept = self._streams[stream]
        ended = list(kept.ended)
        if kept.episode is not None and kept.capture is not None:
            ended = [one for one in ended if one.event_id != kept.episode] + [self._pattern(kept)]
        return {
            "familiar": [one.to_dict() for one in kept.familiar],
            "ended": [one.to_dict() for one in ended[-ENDED:] if one.parts],
        }

    def read(self, body: Mapping[str, Any]) -> "_Stream":
        """What `snapshot` wrote, for `restore`.

        Raises:
            KeyError, TypeError, ValueError: it is malformed.
        """
        kept = _Stream()
        size = self._window, self._columns
        kept.familiar = [familiar_from_dict(one, *size) for one in body.get("familiar", ())][:MOST]
        kept.ended.extend(familiar_from_dict(one, *size) for one in body.get("ended", ()))
        return kept

    def restore(self, stream: int, kept: "_Stream") -> None:
        """Go on from what `read` gave."""
        self._streams[stream] = kept
        self._taught[stream], self._busy[stream] = bool(kept.familiar), False

    def _loud(self, stream: int, score: float) -> bool:
        """Whether a row is unusual; one on which no network ran is as the one before it."""
        if not np.isnan(score):
            self._was_loud[stream] = score >= self._close
        return bool(self._was_loud[stream])

    def _familiar(self, kept: _Stream, score: float, window: np.ndarray | None) -> bool:
        """Whether a row with a score that matters is one of a pattern; an edge may be one only for so long."""
        kept.quiet = 0
        if kept.growing is not None and score <= LOUDER * kept.top:
            return True
        if window is None:
            return False
        found = [(one.nearest(window), one) for one in kept.familiar]
        near = max(what for what, _ in found)
        if near == BODY:
            kept.edge_left, kept.fulfilled = _RINGS * self._window, True
            return True
        if near == NOT:
            return False
        if kept.edge_left < 0:
            kept.edge_left, kept.fulfilled = max(one.edge for what, one in found if what == EDGE), False
        if kept.edge_left == 0:
            return False
        kept.edge_left -= 1
        return True

    def _calm(self, kept: _Stream) -> None:
        """A score that nobody minds: after a whole window of them the next edge is a new one, if the last was one."""
        kept.quiet += 1
        if kept.quiet >= self._window * (1 if kept.fulfilled else _DOUBT):
            kept.edge_left = -1

    def _grow(self, kept: _Stream, score: float, loud: bool) -> None:
        """Take in the rest of a pattern that was called normal while it went on."""
        if kept.growing is None or kept.capture is None:
            return
        kept.quiet = 0 if loud else kept.quiet + 1
        louder = score > LOUDER * kept.top
        if not louder and kept.quiet < self._window:
            return
        if not louder:
            whole = replace(self._pattern(kept), event_id=kept.growing.event_id, by=kept.growing.by)
            at = next(at for at, one in enumerate(kept.familiar) if one.event_id == whole.event_id)
            kept.familiar[at] = whole if whole.distinct else kept.growing
        kept.growing = kept.capture = None

    def _pause(self, kept: _Stream) -> None:
        if kept.episode is None and kept.growing is None:
            kept.capture = None
        elif kept.capture is not None:
            kept.capture.pause()

    def _pattern(self, kept: _Stream) -> Familiar:
        assert kept.capture is not None
        return kept.capture.pattern(kept.episode or "")

    def _keep(self, kept: _Stream, pattern: Familiar) -> None:
        """Among the ended episodes; one that was known before is known better now."""
        others = [one for one in kept.ended if one.event_id != pattern.event_id]
        kept.ended.clear()
        kept.ended.extend([*others, pattern])


_RINGS = 2
"""Windows after the body of a pattern in which what looks like its edge may be: in the first its rows leave the window,
in the second the charts fade to a fiftieth."""
_DOUBT = 20
"""Windows of calm that an edge without a body costs: a spike is one as well, and a fault of many spikes must be told
with the second. Half would do for spikes that are minutes apart; a stretch that is too long only costs an alert."""
_REMEDIES = {
    "drift": "a new normal wants a new calibration, and max_drift_sd says how far it may creep",
    "rule": "change the rule in [stream.rules]",
    "sensor": "change the rule in [stream.rules], or mend the sensor",
}


def _listed(ids: Sequence[str]) -> str:
    return ", ".join(ids) or "none"
