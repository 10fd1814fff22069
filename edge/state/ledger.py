"""Which episodes are open, on disk: changed in one transaction with the events that say so."""

import json
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from edge.alerts.attention import Attention, attention_from_dict, unmarked
from edge.alerts.groups import Groups
from edge.delivery.outbox import Outbox
from edge.detector.events.episode import Episode
from edge.history.keeper import History
from edge.wire.events import Event, EventError, event_from_dict
from edge.wire.payload import encode_payload

log = logging.getLogger(__name__)

Open = Mapping[str, Any]
"""The open episodes of a stream, as its snapshot gives them."""


class Ledger:
    """What was said of each stream's episodes. After a crash it knows of an episode exactly if its `new` is in the
    outbox, so that every `new` gets its `end`.
    """

    def __init__(self, outbox: Outbox, history: History | None = None) -> None:
        self.outbox = outbox
        self.history = history
        """Where rows around the episodes are kept, if they are."""
        self._known: dict[str, dict[str, Any] | None] = {}
        self._unread: set[str] = set()  # streams that were asked for while the outbox could not be opened
        self._history: dict[str, dict[str, Event]] | None = None
        self.cut_off: dict[str, float] = {}
        """Streams whose episodes were ended because nothing can go on with them, and when that was by their own time,
        Unix seconds; whoever tells the streams' state takes them out."""
        self.groups = Groups()
        """What fails together."""
        self._attention: dict[str, Attention] = {}
        self.touched: set[str] = set()
        """Streams of which something else is open since; whoever tells the streams' state takes them out."""

    def commit(self, stream: str, bundle: str, events: Sequence[Event], open_: Open) -> None:
        """Commit events and what is open after them; when this returns both are on disk, or wait in memory."""
        stamped = [self.groups.stamped(event) for event in events]
        self._write(stream, bundle, self.attention(stream).passed(stamped), open_)

    def _write(self, stream: str, bundle: str, events: Sequence[Event], open_: Open) -> None:
        self.groups.keep_only(stream, {part["event"]["id"] for part in open_.values()})
        body = {"bundle": bundle, "open": self._marked(stream, open_), **self.attention(stream).to_dict()}
        self.outbox.commit(events, {stream: encode_payload(body)})
        self._known[stream] = body
        self.touched.add(stream)
        if self.history is not None:
            self.history.events(stream, events)
        for event in events:
            if event.event_type != "update":
                log.info("stream %s: %s %s, episode %s", event.stream, event.event_type, event.kind, event.id)

    def attention(self, stream: str) -> Attention:
        """What is acknowledged and snoozed of the stream."""
        if stream not in self._attention:
            self._attention[stream] = Attention()  # while the file is read, which may end episodes
            known = self._read(stream)
            self._attention[stream] = Attention() if known is None else attention_from_dict(known)
        return self._attention[stream]

    def open_parts(self, stream: str) -> dict[str, Any]:
        """What is kept of each open episode, by its condition's key."""
        known = self._read(stream)
        return {} if known is None else known["open"]

    def attend(self, stream: str) -> None:
        """What is acknowledged or snoozed of the stream has changed: commit that."""
        self._say(stream, ())

    def release(self, stream: str, keys: Sequence[str], time: float) -> list[Event]:
        """These conditions are no longer snoozed: the events that say what there is of them at the stream's `time`."""
        attention, told = self.attention(stream), []
        for key in keys:
            part = self.open_parts(stream).get(key)
            event = None if part is None else self.groups.stamped(_as_new(part, time))
            told += attention.release(key, event)
        self._say(stream, told)
        return told

    def _say(self, stream: str, events: Sequence[Event]) -> None:
        """Commit events that have passed, and the episodes as they are."""
        known = self._read(stream) or {"bundle": "", "open": {}}
        self._write(stream, known["bundle"], events, unmarked(known["open"]))

    def keep(self, stream: str, bundle: str, open_: Open) -> None:
        """Bring what is kept of the open episodes up to date without saying anything."""
        known = self._read(stream)
        if open_ if known is None else known["open"] != self._marked(stream, open_):
            self.commit(stream, bundle, (), open_)

    def load(self, stream: str, bundle: str) -> Open | None:
        """The stream's open episodes; None where nothing is known of it. Those of another bundle cannot go on."""
        known = self._read(stream)
        if known is None:
            return None
        return unmarked(known["open"]) if known["bundle"] == bundle else {}

    def settle(self, stream: str, bundle: str, open_: Open) -> None:
        """From here on exactly these are open: end what was said to be open and is not among them."""
        going_on = {part["event"]["id"] for part in open_.values()}
        lost = [event for event in self._published_open(stream) if event.id not in going_on]
        if lost:
            log.warning("stream %s: %d open episodes cannot go on and are ended", stream, len(lost))
            self.commit(stream, bundle, [Episode(event, 0.0).cut(event.time) for event in lost], open_)
            self.cut_off[stream] = max(event.time for event in lost)

    def end_judged(self, stream: str, time: float, ended_by: str) -> None:
        """End what is open because of a score, at the stream's `time` (Unix seconds) or as it was said last if later;
        what rules say stays."""
        published, known = list(self._published_open(stream)), self._read(stream)
        before = {} if known is None else known["open"]
        by_rule = {key: part for key, part in before.items() if part["event"].get("rule") is not None}
        over = [event for event in published if event.rule is None or known is None]
        ends = [replace(Episode(event, 0.0).cut(max(time, event.time)), ended_by=ended_by) for event in over]
        if known is None or len(by_rule) < len(before):
            self.commit(stream, "" if known is None else known["bundle"], ends, unmarked(by_rule))

    def settle_others(self, streams: Collection[str]) -> None:
        """End what is open in streams that are none of these: nobody else will."""
        for stream in {*self.outbox.episodes(), *self._from_history()}.difference(streams):
            self.settle(stream, "", {})
            if snoozed := list(self.attention(stream).snoozed):
                self.release(stream, snoozed, 0.0)

    def catch_up(self) -> None:
        """Read and write what the disk has refused, if it goes by now."""
        self.outbox.try_disk()
        self.outbox.catch_up()
        if self._unread:
            self.outbox.episodes()
        while self._unread and self.outbox.found is not None:
            stream = self._unread.pop()
            body = self.outbox.found.get(stream)
            before = None if body is None else self._restored(stream, body)
            now = self._known[stream] or {"bundle": "", "open": {}}
            if before is not None:
                self._known[stream] = before
                self._attention[stream] = attention_from_dict(before)
                self.settle(stream, now["bundle"], now["open"])
                self.keep(stream, now["bundle"], now["open"])

    def close(self) -> None:
        """Write what waits of the history; the outbox has its own `close`."""
        if self.history is not None:
            self.history.close()

    def _read(self, stream: str) -> dict[str, Any] | None:
        if stream not in self._known:
            body = self.outbox.episodes().get(stream)
            self._known[stream] = None if body is None else self._restored(stream, body)
            if self.outbox.found is None:
                self._unread.add(stream)
        return self._known[stream]

    def _restored(self, stream: str, body: bytes) -> dict[str, Any] | None:
        known = _decoded(stream, body)
        for part in () if known is None else known["open"].values():
            if group := part.get("group"):
                self.groups.restore(event_from_dict(part["event"]), str(group[0]), float(group[1]))
        return known

    def _marked(self, stream: str, open_: Open) -> dict[str, dict[str, Any]]:
        """The open episodes with what the detector does not know of them."""
        marked = self.attention(stream).marked(open_)
        for part in marked.values():
            id_ = part["event"]["id"]
            if (group := self.groups.of(id_)) is not None:
                part["group"] = [group, self.groups.since(id_)]
        return marked

    def _published_open(self, stream: str) -> Iterable[Event]:
        known = self._read(stream)
        if known is None:
            return self._from_history().get(stream, {}).values()
        # What a planned exception holds back was never said; its `end` would be one without a `new`.
        return [event_from_dict(part["event"]) for part in known["open"].values() if not part.get("held")]

    def _from_history(self) -> dict[str, dict[str, Event]]:
        """The episodes that have no `end` among the events that the outbox still has, by stream and id."""
        if self._history is None:
            self._history = {}
            for event in self.outbox.events():
                episodes = self._history.setdefault(event.stream, {})
                if event.event_type == "end":
                    episodes.pop(event.id, None)
                else:
                    episodes[event.id] = event
        return self._history


def _as_new(part: Mapping[str, Any], time: float) -> Event:
    """The event that an open episode would begin with at `time`."""
    event = event_from_dict(part["event"])
    return replace(event, event_type="new", time=max(event.time, time), calming=bool(part.get("calm")))


def _decoded(stream: str, body: bytes) -> dict[str, Any] | None:
    """What `commit` wrote; None where that cannot be read: then the events themselves tell what is open."""
    try:
        known = json.loads(body)
        for part in known["open"].values():
            event_from_dict(part["event"])
        str(known["bundle"])
        attention_from_dict(known)
    except (EventError, ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        log.error("stream %s: what the outbox keeps of its open episodes is unreadable: %r", stream, error)
        return None
    return known
