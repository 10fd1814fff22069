"""Which episodes are open, as far as the alerts tell."""

from collections import OrderedDict
from collections.abc import Iterator

from edge.wire.events import EventMessage

_Key = tuple[str, str, str]


class OpenEpisodes:
    """The newest message of each open episode, longest open first. Bounded: the oldest go first."""

    def __init__(self, max_open: int = 10_000, max_ended: int = 10_000) -> None:
        self._max_open, self._max_ended = max_open, max_ended
        self._open: OrderedDict[_Key, EventMessage] = OrderedDict()
        self._ended: OrderedDict[_Key, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[EventMessage]:
        return iter(list(self._open.values()))

    def add(self, message: EventMessage) -> None:
        """Follow one message; what comes late, after the episode's end, opens nothing again."""
        key = (message.device, message.event.stream, message.event.id)
        if message.event.event_type == "end":
            self._open.pop(key, None)
            self._ended[key] = None
            if len(self._ended) > self._max_ended:
                self._ended.popitem(last=False)
        elif key not in self._ended and not self._is_older(key, message):
            self._open[key] = message
            if len(self._open) > self._max_open:
                self._open.popitem(last=False)

    def _is_older(self, key: _Key, message: EventMessage) -> bool:
        known = self._open.get(key)
        return known is not None and known.log == message.log and known.seq > message.seq
