"""The health message: is the device well, and is anything being lost?"""

import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from edge.delivery.counts import LinkCounts, OutboxCounts
from edge.delivery.durations import Durations


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
