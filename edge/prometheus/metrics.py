"""Names, units and help texts of the metrics, by Prometheus' conventions: base units, counters end in `_total`.

Source: https://prometheus.io/docs/practices/naming/. Figures are those of the health and state topics.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure of the health message: where it is, and what it is called."""

    name: str
    help: str
    path: tuple[str, ...]
    counter: bool = False
    scale: float = 1.0


OF_AGENT = (
    Metric("offbeat_broker_connected", "Whether the agent is connected to its broker.", ("link", "connected")),
    Metric("offbeat_broker_connections", "Connections made since the start.", ("link", "connections"), True),
    Metric("offbeat_events_acknowledged", "Events that a broker took.", ("link", "acknowledged"), True),
    Metric("offbeat_outbox_pending_events", "Events that no broker has acknowledged.", ("outbox", "pending")),
    Metric("offbeat_outbox_size_bytes", "Size of all events on disk.", ("outbox", "size_bytes")),
    Metric("offbeat_outbox_accepting", "Whether the disk took the last event.", ("outbox", "accepting")),
    Metric("offbeat_outbox_disk_errors", "Reads and writes the disk refused.", ("outbox", "disk_errors"), True),
    Metric(
        "offbeat_outbox_dropped_alerts",
        "Pending new and end events deleted for want of room.",
        ("outbox", "dropped_alerts"),
        True,
    ),
    Metric("offbeat_resident_memory_bytes", "Resident memory of the agent.", ("rss_bytes",)),
    Metric("offbeat_written_bytes", "Bytes the agent has written to disk.", ("written_bytes",), True),
    Metric("offbeat_uptime_seconds", "Time since the agent started.", ("uptime_s",)),
    Metric("offbeat_health_timestamp_seconds", "When the agent last gave its figures, Unix time.", ("time",)),
)
OF_STREAM = (
    Metric("offbeat_stream_online", "Whether the stream's sensors are heard.", ("online",)),
    Metric("offbeat_stream_judged", "Whether the stream's rows are judged.", ("judged",)),
    Metric("offbeat_stream_rows", "Rows of the stream.", ("rows",), True),
    Metric("offbeat_stream_unscored_rows", "Rows that could not be scored.", ("unscored",), True),
    Metric("offbeat_stream_readings", "Readings of the stream's board.", ("readings",), True),
    Metric("offbeat_stream_late_readings", "Readings that came too late for their row.", ("late",), True),
    Metric("offbeat_stream_bad_values", "Values that are no numbers.", ("bad_values",), True),
)
OF_SOURCE = (
    Metric("offbeat_source_up", "Whether the source has its link.", ("up",)),
    Metric("offbeat_source_frames", "Messages or lines that the source read.", ("frames",), True),
    Metric("offbeat_source_bad_frames", "Messages or lines that could not be read.", ("bad_frames",), True),
)


def figure(body: Mapping[str, Any], metric: Metric) -> float | None:
    """The metric's value in a health message or a part of one; None where it is missing or null."""
    value: Any = body
    for key in metric.path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value * metric.scale if isinstance(value, bool | int | float) else None


def quantiles(body: Mapping[str, Any], key: str) -> Iterator[tuple[str, float]]:
    """(quantile, seconds) of a part of the health message in milliseconds."""
    for name, quantile in (("p50", "0.5"), ("p99", "0.99")):
        value = figure(body, Metric("", "", (key, name), scale=0.001))
        if value is not None:
            yield quantile, value
