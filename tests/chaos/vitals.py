"""What the agent's health messages tell of a trial."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Vitals:
    """From all health messages of a trial; None where no event was committed."""

    commit_p50_ms: float | None
    """Median over the messages of the median time that a commit took, from the event to COMMIT's return."""
    commit_p99_ms: float | None
    """Median of the 99th percentiles."""
    resident_mb: float
    """Most memory, MB."""


def vitals(payloads: Sequence[bytes]) -> Vitals:
    """Of health messages as they came."""
    bodies = [json.loads(payload) for payload in payloads]

    def median(name: str) -> float | None:
        found = [body["commit_ms"][name] for body in bodies if body["commit_ms"][name] is not None]
        return statistics.median(found) if found else None

    resident = max((body["rss_bytes"] or 0 for body in bodies), default=0)
    return Vitals(median("p50"), median("p99"), resident / 1e6)
