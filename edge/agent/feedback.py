"""Requests that are asked in the network's thread and answered by the agent's, between two rows; `normal` itself."""

import logging
import queue
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from edge.agent.inference import Inference
from edge.delivery.requests import RequestError
from edge.detector.events.called_normal import FeedbackError
from edge.detector.group import StreamGroup

log = logging.getLogger(__name__)

ANSWER_S = 5.0
"""How long a request waits for the agent, seconds: a slow model may take a while, the broker's keepalive is 15."""
_WANTED = (
    'normal wants one of "event_id", "revoke" (ids of episodes), "stream" (its last anomaly) and "list": true; '
    '"by" says who asks'
)
_LONGEST = 200
"""Characters of an id or a name."""


class Named(Protocol):
    """A stream as the agent serves it."""

    @property
    def id(self) -> str: ...
    @property
    def inference(self) -> Inference: ...
    @property
    def number(self) -> int: ...


Work = Callable[[dict[str, Any], Sequence[Any]], dict[str, Any]]
"""Carries a request out in the agent's thread: its fields and the streams as they are served, the answer's data."""


@dataclass
class _Asked:
    work: Work
    fields: dict[str, Any]
    until: float
    answer: "queue.SimpleQueue[dict[str, Any] | RequestError]" = field(default_factory=queue.SimpleQueue)

    def result(self) -> dict[str, Any] | None:
        """The agent's answer, once it is there; in the network's thread.

        Raises:
            RequestError: it cannot be done, or the agent does not answer in time.
        """
        try:
            answer = self.answer.get_nowait()
        except queue.Empty:
            if time.monotonic() < self.until:
                return None
            raise RequestError("the agent did not answer in time; ask again") from None
        if isinstance(answer, RequestError):
            raise answer
        return answer


@dataclass
class Feedback:
    """What is asked, until the agent has done it."""

    wait_s: float = ANSWER_S
    _asked: deque[_Asked] = field(default_factory=deque)

    def ask(self, fields: dict[str, Any]) -> _Asked:
        """Leave it to the agent; the answer follows. In the network's thread."""
        return self.leave(_done, fields)

    def leave(self, work: Work, fields: dict[str, Any]) -> _Asked:
        """The same of another request."""
        asked = _Asked(work, fields, time.monotonic() + self.wait_s)
        self._asked.append(asked)
        return asked

    def serve(self, streams: Sequence[Named]) -> None:
        """Do what was asked; in the agent's thread."""
        while self._asked:
            asked = self._asked.popleft()
            try:
                asked.answer.put(asked.work(asked.fields, streams))
            except (RequestError, FeedbackError) as error:
                asked.answer.put(RequestError(str(error)))
            except Exception as error:  # one request's bug must not end the agent
                log.exception("a request failed: %s", ", ".join(sorted(asked.fields)))
                asked.answer.put(RequestError(f"it failed: {type(error).__name__}"))


def _done(fields: dict[str, Any], streams: Sequence[Named]) -> dict[str, Any]:
    by = fields.get("by", "")
    if not isinstance(by, str) or len(by) > _LONGEST:
        raise RequestError(f'normal wants "by" to be a name of at most {_LONGEST} characters')
    given = {name: fields[name] for name in ("event_id", "revoke", "list", "stream") if name in fields}
    match given:
        case {"list": True, **rest} if not rest:
            return _listed(streams)
        case {"event_id": str(event_id), **rest} if not rest and event_id:
            return _said(event_id, by, streams)
        case {"stream": str(name), **rest} if not rest:
            return _said(_last(name, streams), by, streams)
        case {"revoke": str(event_id), **rest} if not rest and event_id:
            return _revoked(event_id, streams)
    raise RequestError(_WANTED)


def _last(name: str, streams: Sequence[Named]) -> str:
    """The last anomaly of a stream that can be called normal."""
    known = [event_id for one in streams if one.id == name for event_id in _known(one)]
    if not known:
        raise RequestError(f"no anomaly of a stream {name[:_LONGEST]} is known that could be called normal")
    return known[-1]


def _listed(streams: Sequence[Named]) -> dict[str, Any]:
    return {
        "normal": {
            one.id: [{"event_id": each.event_id, "time": each.time, "by": each.by} for each in patterns]
            for one in streams
            if (group := _group(one)) is not None and (patterns := group.normal.patterns(one.number))
        },
        "known": {one.id: ids for one in streams if (ids := _known(one))},
    }


def _said(event_id: str, by: str, streams: Sequence[Named]) -> dict[str, Any]:
    for one in streams:
        group = _group(one)
        if group is not None and group.knows(one.number, event_id):
            events = group.call_normal(one.number, event_id, by)
            log.info("stream %s: episode %s was called normal%s", one.id, event_id, f" by {by}" if by else "")
            one.inference.publish(one.number, events)
            one.inference.save(one.number)
            return {"stream": one.id, "event_id": event_id, "patterns": len(group.normal.patterns(one.number))}
    known = "; ".join(f"{one.id}: {', '.join(ids)}" for one in streams if (ids := _known(one)))
    raise RequestError(
        f"nothing is kept of an anomaly {event_id}; known are {known or 'none'} "
        "(rules are changed in the config, a drift wants a new calibration)"
    )


def _revoked(event_id: str, streams: Sequence[Named]) -> dict[str, Any]:
    for one in streams:
        group = _group(one)
        if group is not None and group.normal.revoke(one.number, event_id):
            log.info("stream %s: episode %s is no longer called normal", one.id, event_id)
            one.inference.save(one.number)
            return {"stream": one.id, "event_id": event_id, "patterns": len(group.normal.patterns(one.number))}
    raise RequestError(f"episode {event_id} is not called normal; list tells which are")


def _known(one: Named) -> list[str]:
    group = _group(one)
    return [] if group is None else list(group.normal.known(one.number))


def _group(one: Named) -> StreamGroup | None:
    """The stream's group; None where it is in trouble."""
    return None if one.inference.loaded is None or one.number in one.inference.troubles else one.inference.loaded.group
