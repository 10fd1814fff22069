"""What the agent's health says at one moment of a soak, and how it changed from start to end."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

WARM_UP, STRETCH = 0.02, 0.05
"""Parts of a run: the first is left out, while buffers fill; as much as the second is taken at either end."""


@dataclass(frozen=True)
class Sample:
    """One health message, and the files at that moment."""

    rows: int
    resident_mb: float
    handles: int
    inference_ms: float
    commit_ms: float
    written_mb: float
    """Since the start, as the disk sees it."""
    files_mb: float
    """Everything in the state folder."""

    @classmethod
    def of(cls, health: dict[str, Any], files_bytes: int) -> "Sample":
        """From the message's body; times are medians over the last 1000."""
        return cls(
            rows=sum(stream["rows"] for stream in health["streams"].values()),
            resident_mb=(health["rss_bytes"] or 0) / 1e6,
            handles=health["open_files"] or 0,
            inference_ms=health["inference_ms"]["p50"] or 0.0,
            commit_ms=health["commit_ms"]["p50"] or 0.0,
            written_mb=(health["written_bytes"] or 0) / 1e6,
            files_mb=files_bytes / 1e6,
        )


_COLUMNS = {
    "resident MB": "resident_mb",
    "handles": "handles",
    "inference ms": "inference_ms",
    "commit ms": "commit_ms",
    "state folder MB": "files_mb",
}


def stretches(samples: Sequence[Sample]) -> tuple[list[Sample], list[Sample]]:
    """The samples of the start, without the warm-up, and of the end."""
    last = max(sample.rows for sample in samples)
    start = [sample for sample in samples if WARM_UP * last <= sample.rows <= (WARM_UP + STRETCH) * last]
    end = [sample for sample in samples if sample.rows >= (1 - STRETCH) * last]
    return start, end


def change(start: Sequence[Sample], end: Sequence[Sample], name: str) -> tuple[float, float]:
    """Medians of a figure at start and end."""
    return tuple(statistics.median(getattr(sample, name) for sample in part) for part in (start, end))  # type: ignore[return-value]


def table(start: Sequence[Sample], end: Sequence[Sample]) -> str:
    """Start and end of each figure, medians of the stretches."""
    lines = [f"{'':16}{'at start':>10}{'at end':>10}{'change':>10}"]
    for title, name in _COLUMNS.items():
        before, after = change(start, end, name)
        lines.append(f"{title:16}{before:10.2f}{after:10.2f}{after - before:+10.2f}")
    return "\n".join(lines)
