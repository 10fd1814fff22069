"""What somebody would have called normal while files were played: an episode, by a moment of it, once it is over."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from edge.detector.events.called_normal import FeedbackError
from edge.detector.group import Outcome, StreamGroup
from edge.wire.events import Event
from edge.wire.moments import utc_text
from train.console.errors import DatasetError

_MOST_NAMED = 5


@dataclass(frozen=True)
class Said:
    """An episode that was called normal."""

    stream: int
    """Number of its file."""
    event: Event
    """Its end, with which that took effect."""


class SaidNormal:
    """Calls the anomaly that went on at each of these moments, Unix seconds, normal when it ends.

    That is what `offbeat-edge normal` does with the id of an ended episode; of a file ids are known only once it is
    played.
    """

    def __init__(self, moments: Sequence[float]) -> None:
        self.said: list[Said] = []
        self._moments = tuple(moments)
        self._done: set[float] = set()

    def begin(self, group: StreamGroup) -> Callable[[Outcome], None]:
        """Who is to be told what each row of the group gave."""
        group.keep_looks()
        return partial(self._after, group)

    def _after(self, group: StreamGroup, outcome: Outcome) -> None:
        """What a row gave.

        Raises:
            DatasetError: an episode cannot be called normal.
        """
        for event in outcome.events:
            if event.kind == "anomaly" and event.event_type == "end" and (now := self._of(event)):
                try:
                    group.call_normal(outcome.stream, event.id, "--normal")
                except FeedbackError as error:
                    raise DatasetError(f"--normal: {error}") from error
                self.said.append(Said(outcome.stream, event))
                self._done |= now

    def require_all(self, events: Sequence[Event]) -> None:
        """`events` are all that were told.

        Raises:
            DatasetError: no episode went on at one of the moments, or it was not over when the recording was.
        """
        for moment in self._moments:
            if moment not in self._done:
                ends = [event for event in events if event.kind == "anomaly" and event.event_type == "end"]
                known = [f"{utc_text(one.start_time)} to {utc_text(one.end_time or one.time)}" for one in ends]
                told = ", ".join(known[:_MOST_NAMED]) + (", …" if len(known) > _MOST_NAMED else "")
                raise DatasetError(
                    f"--normal {utc_text(moment)}: no anomaly went on then that ended in the recording; "
                    f"there were: {told or 'none'}"
                )

    def _of(self, event: Event) -> set[float]:
        end = event.time if event.end_time is None else event.end_time
        return {moment for moment in self._moments if event.start_time <= moment <= end}
