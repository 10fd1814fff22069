"""The figures of delivery and scoring, and the health message that shows them."""

import os
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class OutboxCounts:
    """What `health` says of the outbox."""

    pending: int
    """Events that no broker has acknowledged, on disk and in memory."""
    in_memory: int
    """Those of them that the disk refused."""
    history: int
    """Acknowledged events kept for `replay`."""
    size_bytes: int
    """Bytes of all events on disk; the file is up to twice as large, plus a write-ahead log of about 1 MB."""
    accepting: bool
    """Whether the disk took the last event."""
    disk_errors: int
    """Reads and writes that the disk refused."""
    not_durable: int
    """Events that went to memory instead."""
    dropped_updates: int
    """Pending `update`s deleted for want of room."""
    dropped_alerts: int
    """Pending `new`s and `end`s deleted for want of room."""
    set_aside: int
    """Damaged files renamed out of the way."""
    unreadable: int
    """Events on disk that no longer decode."""


@dataclass(slots=True)
class LinkCounts:
    """What `health` says of the connection to the broker; the network thread counts on."""

    connected: bool = False
    connections: int = 0
    """Made since the start."""
    acknowledged: int = 0
    """Events that a broker took."""
    unsendable: int = 0
    """Events given up because MQTT cannot carry them, such as those of a stream whose name is no topic."""
    errors: int = 0
    """Programming errors that ended a connection; each is in the log."""
    refused: dict[str, str] = field(default_factory=dict)
    """Topics on which the broker takes nothing from us, or gives us nothing, and its reason; MQTT 5 tells."""
    contact_at: float | None = None
    """When the broker greeted us or acknowledged something last, Unix seconds."""
    mqtt: str | None = None
    """The protocol's version of the connection, the last one where there is none: "5" or "3.1.1"."""


class Durations:
    """The last `keep` durations, seconds.

    >>> took = Durations(keep=3)
    >>> for seconds in (9.0, 1.0, 3.0, 2.0):
    ...     took.add(seconds)
    >>> took.percentile(50), took.percentile(99)
    (2.0, 3.0)
    """

    def __init__(self, keep: int = 1000) -> None:
        self._last: deque[float] = deque(maxlen=keep)
        self.count = 0
        """All that were ever added."""

    def add(self, seconds: float) -> None:
        """One more; the oldest goes when the sample is full."""
        self._last.append(seconds)
        self.count += 1

    def percentile(self, percent: float) -> float | None:
        """The smallest duration that at least `percent` of the sample does not exceed; None without any."""
        ordered = sorted(self._last.copy())
        if not ordered:
            return None
        return ordered[max(0, -int(-len(ordered) * percent // 100) - 1)]


def health_body(
    time: float,
    uptime_s: float,
    outbox: OutboxCounts,
    link: LinkCounts,
    inference_s: Durations,
    commit_s: Durations,
    streams: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    """The payload of the health topic. `time` is Unix seconds; `streams` gives each stream's own counts."""
    return {
        "time": time,
        "uptime_s": round(uptime_s, 1),
        **process_figures(),
        "inference_ms": _milliseconds(inference_s),
        "commit_ms": _milliseconds(commit_s),
        "outbox": asdict(outbox),
        "link": asdict(link),
        "streams": {stream: dict(counts) for stream, counts in streams.items()},
    }


def process_figures(proc: Path = Path("/proc")) -> dict[str, Any]:
    """Load of the machine, and what this process takes of it; null where the system does not tell."""
    return {
        "load_1m": round(os.getloadavg()[0], 2),
        "rss_bytes": _rss_bytes(proc),
        "open_files": _open_files(proc),
        # Since the start, as the disk sees it: what wears an SD card.
        "written_bytes": _field(proc / "self/io", "write_bytes:"),
    }


def _milliseconds(durations: Durations) -> dict[str, float | int | None]:
    def percentile(percent: float) -> float | None:
        seconds = durations.percentile(percent)
        return None if seconds is None else round(seconds * 1000, 3)

    return {"count": durations.count, "p50": percentile(50), "p99": percentile(99)}


def _rss_bytes(proc: Path) -> int | None:
    kilobytes = _field(proc / "self/status", "VmRSS:")
    return None if kilobytes is None else kilobytes * 1024


def _open_files(proc: Path) -> int | None:
    try:
        return len(os.listdir(proc / "self/fd"))
    except OSError:
        return None


def _field(path: Path, name: str) -> int | None:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith(name)), None)
