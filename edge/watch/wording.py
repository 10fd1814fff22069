"""An alert as one readable line."""

from datetime import datetime, tzinfo

from edge.wire.events import Contributor, Event, EventMessage, RuleHit
from edge.wire.payload import printable

_UNITS = (
    ("year", 31_557_600.0),
    ("week", 604_800.0),
    ("day", 86_400.0),
    ("hour", 3600.0),
    ("minute", 60.0),
    ("second", 1.0),
)
_COLOURS = {"new": "\033[31m", "update": "\033[33m", "end": "\033[32m"}
_PLAIN = "\033[0m"


def alert_line(message: EventMessage, zone: tzinfo | None = None, colour: bool = False, top: int = 3) -> str:
    """Time, stream, what happened, how bad, since when and by which channels; times in `zone`, default local.

    Text from the network is stripped of what could steer a terminal.
    """
    event = message.event
    word = f"{event.event_type.upper():<6}"
    if colour:
        word = f"{_COLOURS[event.event_type]}{word}{_PLAIN}"
    happened = ", ".join([*_judgement(event, zone), _since(event, zone)])
    details = "; ".join([happened, *_channels(event, top), *_delivery(message)])
    where = f"{message.device}/{event.stream}"
    before = printable(f"{local_time(event.time, zone)}  {where:<16}")
    return f"{before}  {word}  {event.severity:<8}  {printable(details)}"


def duration_words(seconds: float) -> str:
    """A duration in its largest fitting unit.

    >>> [duration_words(s) for s in (43200, 5400, 3600, 86400 * 3, 0.2)]
    ['12 hours', '90 minutes', '1 hour', '3 days', '0 seconds']
    """
    fits = (unit for unit, size in _UNITS if seconds / size >= 1.95 or 0.99 <= seconds / size < 1.01)
    unit = next(fits, "second")
    count = f"{seconds / dict(_UNITS)[unit]:.0f}"
    return f"{count} {unit}" + ("" if count == "1" else "s")


def local_time(time: float, zone: tzinfo | None = None) -> str:
    """Date and time of day of Unix seconds; the bare number where no calendar reaches."""
    try:
        return datetime.fromtimestamp(time, zone).strftime("%Y-%m-%d %H:%M:%S")
    except (OverflowError, OSError, ValueError):
        return f"{time:g}"


def _judgement(event: Event, zone: tzinfo | None) -> list[str]:
    if event.rule is not None:
        return [_rule(event.kind, event.rule)]
    words = ["calming"] * event.calming if event.kind == "anomaly" else [event.kind]
    return words + _scores(event, zone)


def _scores(event: Event, zone: tzinfo | None) -> list[str]:
    """Of a row in alarm its own; of an update that is calmer than the peak both, and the peak's rarity alone."""
    if event.event_type == "end":
        return _worst(event, zone)
    peak = event.peak
    if event.event_type == "new" or peak is None or event.score == peak.score:
        return _score(event.score, event.return_period_s)
    return [*_score(event.score, None), *_worst(event, zone)]


def _worst(event: Event, zone: tzinfo | None) -> list[str]:
    """Of the peak; an older device tells the top score alone, since the rarity is that of the last, low one."""
    peak = event.peak
    if peak is None:
        return [f"top {words}" for words in _score(event.top_score, None)]
    score, *rarity = _score(peak.score, peak.return_period_s)
    return [f"top {score} at {_short(peak.time, event.time, zone)}", *rarity]


def _score(score: float | None, return_period_s: float | None) -> list[str]:
    words = [] if score is None else [f"score {score:.2f}"]
    return words + ([] if return_period_s is None else [f"about once in {duration_words(return_period_s)}"])


def _since(event: Event, zone: tzinfo | None) -> str:
    if event.end_time is not None:
        return f"lasted {duration_words(max(0.0, event.end_time - event.start_time))}"
    return f"since {_short(event.start_time, event.time, zone)}"


def _short(time: float, now: float, zone: tzinfo | None) -> str:
    """Without its date where that is the date of `now`."""
    told, today = local_time(time, zone), local_time(now, zone)
    return told[11:] if told[:11] == today[:11] else told


def _rule(kind: str, rule: RuleHit) -> str:
    value = "" if rule.value is None else f" = {number(rule.value)}"
    limit = "" if rule.limit is None else f" (limit {number(rule.limit)})"
    return f"{kind}: {rule.name} on {rule.channel}{value}{limit}"


def _channels(event: Event, top: int) -> list[str]:
    # The row of an end, or of an update that calms, has none: those said last would read as what is so now.
    is_calm = event.event_type == "end" or event.calming
    loudest = event.peak.contributors if event.peak is not None and is_calm else ()
    parts = loudest or event.contributors
    return [_channel(part) for part in sorted(parts, key=lambda part: part.share, reverse=True)[:top]]


def _channel(part: Contributor) -> str:
    unit = f" {part.unit}" if part.unit else ""
    value = "missing" if part.value is None else f"{number(part.value)}{unit}"
    reason = f" ({part.reason})" if part.reason else ""
    return f"{part.channel} {value}{_usual(part)}{reason}"


def _usual(part: Contributor) -> str:
    if part.expected is None:
        return ""
    give = "" if part.tolerance is None else f" ± {number(part.tolerance)}"
    usual = f"{number(part.expected)}{give}"
    if part.direction is not None:
        return f", {part.direction} {usual}"
    if part.value is None or part.tolerance is None or abs(part.value - part.expected) > part.tolerance:
        return f" instead of {usual}"
    return f", within {usual}"


def _delivery(message: EventMessage) -> list[str]:
    return ["[perhaps sent before]"] * message.replayed + ["[not on disk]"] * (not message.durable)


def number(value: float) -> str:
    """A reading with about four digits that matter.

    >>> [number(v) for v in (4.9, 0.012345, 101325.4, 0)]
    ['4.9', '0.01235', '101325', '0']
    """
    return f"{value:.0f}" if 1000 <= abs(value) < 1e9 else f"{value:.4g}"
