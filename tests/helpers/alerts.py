"""Events for the tests of delivery and watch."""

from edge.wire.events import Contributor, Event, EventType, Peak, RuleHit


def alert(number: int = 1, event_type: EventType = "new", stream: str = "pump1", episode: str | None = None) -> Event:
    """An anomaly's event; `number` makes it tell itself from others."""
    return Event(
        event_type=event_type,
        id=episode or f"episode-{number}",
        stream=stream,
        kind="anomaly",
        start_time=1763772000.0 + number,
        end_time=1763772060.0 + number if event_type == "end" else None,
        time=1763772060.0 + number,
        score=1.5,
        top_score=2.5,
        severity="warning",
        return_period_s=43200.0,
        contributors=(
            Contributor("vibration", 0.7, 4.9, 2.2, "mm/s", 0.6, "above", "level"),
            Contributor("flow", 0.2, None, 11.0, "l/min"),
        ),
        peak=Peak(
            1763772030.0 + number,
            2.5,
            259_200.0,
            (Contributor("vibration", 0.8, 6.1, 2.2, "mm/s", 0.6, "above", "level"),),
        ),
    )


def rule_alert(number: int = 1) -> Event:
    """A rule's event."""
    return Event(
        event_type="new",
        id=f"rule-{number}",
        stream="pump1",
        kind="rule",
        start_time=1763772000.0,
        end_time=None,
        time=1763772000.0,
        score=None,
        top_score=None,
        severity="critical",
        return_period_s=None,
        rule=RuleHit("max", "temperature", 90.0, 93.2),
    )
