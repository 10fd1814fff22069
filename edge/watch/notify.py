"""Alerts in, notifications out: who notifies speaks once a group, at once, and no more often than people can bear.

Nothing is lost by it: what it leaves out is in the event log, in `state` and on the page all the same.
"""

import datetime
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from edge.watch.wording import duration_words
from edge.wire.events import Event, EventMessage

Why = Literal["new", "worse", "more", "repeat", "over", "summary"]
_DAY_S = 86_400.0
_MOST_GROUPS = 10_000
"""Groups that are remembered; the longest unheard of go first."""


def _local(time: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(time)


@dataclass(frozen=True)
class NotifySettings:
    """When to notify. The defaults are gentle: at once, once a group, and no repeats."""

    least_severity: Literal["warning", "critical"] = "warning"
    """What is less is not notified of."""
    update_every_s: float = 60.0
    """A notification is updated at once where it is of another severity, else this often at most, seconds."""
    over: bool = True
    """Whether a notification is updated when all of its group is over."""
    repeat_s: float | None = None
    """A group that is open and not acknowledged is notified of again after so long, seconds; None for never."""
    quiet_from: datetime.time | None = None
    """Local time from which only `critical` is notified of; what else is new follows as one summary, and that what was
    told before is over follows too. None for no such hours."""
    quiet_until: datetime.time = datetime.time(7)
    """Local time at which these hours end."""
    a_day: int = 20
    """New notifications a local day; what goes beyond waits for the summary, but for what is critical."""
    summary_at: datetime.time | None = None
    """Local time of a daily summary, which comes also where nothing was left out; None for only where it was."""
    local: Callable[[float], datetime.datetime] = field(default=_local, repr=False)
    """From Unix seconds to local time."""

    def is_quiet(self, now: float) -> bool:
        """Whether `now`, Unix seconds, lies in the quiet hours."""
        if self.quiet_from is None or self.quiet_from == self.quiet_until:
            return False
        time = self.local(now).time()
        if self.quiet_from < self.quiet_until:
            return self.quiet_from <= time < self.quiet_until
        return time >= self.quiet_from or time < self.quiet_until


@dataclass(frozen=True)
class Notification:
    """What to show or send. One with the key of an earlier one replaces it, where the medium can do that."""

    key: str
    """Of a group, or of the summary: `<device>/<group>`, `summary`."""
    why: Why
    title: str
    text: str
    severity: str
    members: tuple[str, ...]
    """`<device>/<stream>` of what is open in the group, or was."""
    event_id: str | None
    """Of the worst episode, for a link; None for a summary."""
    aloud: bool
    """Whether it should sound; else it only replaces what is there."""


@dataclass
class _Group:
    key: str
    open: dict[str, Event] = field(default_factory=dict)  # by episode
    seen: set[str] = field(default_factory=set)  # streams that were ever in it
    worst: Event | None = None
    spoken_at: float | None = None
    sounded_at: float = 0.0
    left_out: set[str] = field(default_factory=set)
    """Streams of it that wait for the summary."""
    said: tuple[Any, ...] = ()
    severity_said: str = ""
    acknowledged: set[str] = field(default_factory=set)


class NotificationPolicy:
    """Decides of each alert whether a person is told of it now. One for all devices; not for several threads.

    `now` is Unix seconds, of whoever calls; nothing here looks at a clock.

    >>> from edge.wire.events import Event, EventMessage
    >>> event = Event("new", "e1", "p1", "anomaly", 1.0, None, 1.0, 2.0, 2.0, "warning", None)
    >>> [each.title for each in NotificationPolicy().alert(EventMessage(event, "gw-1", "l", 1), now=1.0)]
    ['gw-1/p1: warning']
    """

    def __init__(self, settings: NotifySettings | None = None) -> None:
        self._settings = settings or NotifySettings()
        self._groups: OrderedDict[str, _Group] = OrderedDict()
        self._offline: set[str] = set()
        self._link = True
        self._left_out: Counter[str] = Counter()  # by stream
        self._day: datetime.date | None = None
        self._spoken = 0
        self._summed_up: datetime.date | None = None
        self._began = False
        self.suppressed: Counter[str] = Counter()
        """Why alerts led to no notification: `severity`, `offline`, `quiet`, `budget`."""

    def alert(self, message: EventMessage, now: float) -> list[Notification]:
        """An alert has come."""
        event, key = message.event, f"{message.device}/{message.event.group or message.event.id}"
        group = self._groups.setdefault(key, _Group(key))
        self._groups.move_to_end(key)
        if len(self._groups) > _MOST_GROUPS:
            self._groups.popitem(last=False)
        if self._offline_too(message) and event.event_type != "end":
            self.suppressed["offline"] += 1
            return []
        self._take(group, event, f"{message.device}/{event.stream}")
        return list(self._speak(group, now))

    def state(self, device: str, stream: str, body: dict[str, Any], now: float) -> list[Notification]:
        """A stream's retained `state` has come: what is acknowledged, and what is over without that its `end` came."""
        listed, time = body.get("open"), body.get("time")
        if not isinstance(listed, list) or not isinstance(time, int | float):
            return []
        open_ = {str(one.get("id")): one for one in listed if isinstance(one, dict)}
        told: list[Notification] = []
        for group in list(self._groups.values()):
            mine = [id_ for id_, event in group.open.items() if event.stream == stream]
            if not group.key.startswith(f"{device}/") or not mine:
                continue
            acknowledged = {id_ for id_ in mine if open_.get(id_, {}).get("acknowledged") is True}
            group.acknowledged = group.acknowledged.difference(mine) | acknowledged
            if not body.get("more"):
                for id_ in [id_ for id_ in mine if id_ not in open_ and group.open[id_].time <= time]:
                    group.open.pop(id_)
            told += self._speak(group, now)
        return told

    def status(self, device: str, online: bool) -> None:
        """A device is online or offline: what its streams alarm of meanwhile is no news, the device is."""
        (self._offline.discard if online else self._offline.add)(device)

    def availability(self, device: str, stream: str, online: bool) -> None:
        """A stream is: a sensor's silence is told once, by availability or by the event."""
        (self._offline.discard if online else self._offline.add)(f"{device}/{stream}")

    def link(self, there: bool) -> None:
        """The connection to the broker: without one nothing repeats, since nobody knows what is so now.

        Who is offline is forgotten with it: what the broker kept comes before the word that somebody is back.
        """
        self._link = there
        if not there:
            self._offline.clear()

    def tick(self, now: float) -> list[Notification]:
        """Time passes; to be called every few seconds."""
        told: list[Notification] = []
        for group in list(self._groups.values()):
            if group.spoken_at is None and not group.open:
                del self._groups[group.key]
            else:
                told += self._speak(group, now)
        return told + list(self._summary(now))

    def _offline_too(self, message: EventMessage) -> bool:
        event = message.event
        silent = event.rule is not None and event.rule.name == "silent"
        stream = f"{message.device}/{event.stream}"
        return message.device in self._offline or (silent and stream in self._offline)

    def _take(self, group: _Group, event: Event, stream: str) -> None:
        group.seen.add(stream)
        if event.event_type == "end":
            group.open.pop(event.id, None)
        else:
            group.open[event.id] = event
        worst = group.worst
        if worst is None or (_rank(event), event.top_score or 0.0) > (_rank(worst), worst.top_score or 0.0):
            group.worst = event

    def _speak(self, group: _Group, now: float) -> Iterator[Notification]:
        worst, settings = group.worst, self._settings
        if worst is None:
            return
        if settings.least_severity == "critical" and worst.severity != "critical":
            self.suppressed["severity"] += group.spoken_at is None
            return
        if group.spoken_at is None:
            if group.open:
                yield from self._first(group, worst, now)
            return
        if not group.open:
            if self._is_hushed(worst, now):
                return
            if settings.over and group.said[-1:] != ("over",):
                yield self._notification(group, worst, "over", now, aloud=False)
            del self._groups[group.key]
            return
        yield from self._again(group, worst, now)

    def _first(self, group: _Group, worst: Event, now: float) -> Iterator[Notification]:
        self._new_day(now)
        reason = "quiet" if self._settings.is_quiet(now) else "budget" if self._spoken >= self._settings.a_day else ""
        if worst.severity != "critical" and (reason or group.left_out):
            self.suppressed[reason or "quiet"] += not group.left_out
            self._left_out.update(group.seen - group.left_out)
            group.left_out |= group.seen
            return
        self._spoken += 1
        yield self._notification(group, worst, "new", now, aloud=True)

    def _again(self, group: _Group, worst: Event, now: float) -> Iterator[Notification]:
        settings, hushed = self._settings, self._is_hushed(worst, now)
        if worst.severity == "critical" and group.severity_said != "critical":
            group.acknowledged.clear()
            yield self._notification(group, worst, "worse", now, aloud=True)
        elif (
            settings.repeat_s is not None
            and now - group.sounded_at >= settings.repeat_s
            and self._link
            and group.key.partition("/")[0] not in self._offline
            and not hushed
            and not group.acknowledged.issuperset(group.open)
        ):
            yield self._notification(group, worst, "repeat", now, aloud=True)
        elif group.said != _content(group) and now - (group.spoken_at or 0.0) >= settings.update_every_s and not hushed:
            yield self._notification(group, worst, "more", now, aloud=False)

    def _is_hushed(self, worst: Event, now: float) -> bool:
        return worst.severity != "critical" and self._settings.is_quiet(now)

    def _notification(self, group: _Group, worst: Event, why: Why, now: float, aloud: bool) -> Notification:
        group.spoken_at, group.severity_said = now, worst.severity
        group.said = ("over",) if why == "over" else _content(group)
        if aloud:
            group.sounded_at = now
        members = tuple(sorted(group.seen))
        return Notification(
            group.key, why, _title(group, worst, members, why), _text(group, worst, members), worst.severity, members,
            worst.id, aloud,
        )  # fmt: skip

    def _new_day(self, now: float) -> None:
        day = self._settings.local(now).date()
        if day != self._day:
            self._day, self._spoken = day, 0

    def _summary(self, now: float) -> Iterator[Notification]:
        settings, local = self._settings, self._settings.local(now)
        at = settings.summary_at or settings.quiet_until
        first, self._began = not self._began, True
        due = local.time() >= at and self._summed_up != local.date()
        if not due or settings.is_quiet(now):
            return
        self._summed_up = local.date()
        if first and not self._left_out:  # begun later in the day
            return
        if not self._left_out and settings.summary_at is None:
            return
        total, streams = sum(self._left_out.values()), tuple(sorted(self._left_out))
        open_ = sum(len(group.open) for group in self._groups.values())
        text = f"{total} not notified of at the time, in {len(streams)} streams; {open_} open now"
        self._left_out.clear()
        yield Notification("summary", "summary", "Offbeat: summary", text, "info", streams, None, True)


def _rank(event: Event) -> int:
    return ("info", "warning", "critical").index(event.severity)


def _content(group: _Group) -> tuple[Any, ...]:
    return tuple(sorted(group.seen)), len(group.open)


def _title(group: _Group, worst: Event, members: tuple[str, ...], why: Why) -> str:
    device = group.key.partition("/")[0]
    where = members[0] if len(members) == 1 else f"{device}: {len(members)} streams"
    return f"{where}: {'over' if why == 'over' else worst.severity}"


def _text(group: _Group, worst: Event, members: tuple[str, ...]) -> str:
    told = worst.peak.contributors if worst.peak is not None and worst.peak.contributors else worst.contributors
    channel = worst.rule.channel if worst.rule is not None else told[0].channel if told else None
    what = worst.kind if worst.rule is None else worst.rule.name
    score = "" if worst.top_score is None else f", score {worst.top_score:.2f}"
    lasting = duration_words(max(0.0, worst.time - worst.start_time))
    others = "" if len(members) < 2 else f"; {', '.join(name.partition('/')[2] for name in members[:10])}"
    return f"{what}{f' of {channel}' if channel else ''}{score}, for {lasting}; {len(group.open)} open{others}"
