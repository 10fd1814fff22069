"""From the detector's opening of an episode to the return of the COMMIT that makes it durable."""

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.agent.assembly import assemble
from edge.config.settings import load_config
from edge.delivery.entries import Entry
from edge.detector.group import Outcome
from edge.detector.rows.row import Row
from edge.wire.events import Event
from tests.chaos.recording import Recording
from tests.helpers.tiny_bundle import CHANNELS, write_tiny_bundle

MOST_MS = 5.0
"""Of the median: an alert that a power cut takes must be one that opened just then."""

_CONFIG = """
[device]
id = "gw-1"
[broker]
host = "127.0.0.1"
port = 1
[[source]]
name = "pump1"
type = "file"
path = "tape.csv"
[[stream]]
id = "pump1"
bundle = "tiny"
"""


@dataclass(frozen=True)
class Openings:
    """Of many episodes, one after another."""

    took_s: list[float]

    @property
    def faultless(self) -> bool:
        """Whether the median is small enough."""
        return statistics.median(self.took_s) * 1000 < MOST_MS

    def __str__(self) -> str:
        ordered = sorted(seconds * 1000 for seconds in self.took_s)
        return (
            f"from opening an episode to its COMMIT's return: median {statistics.median(ordered):.2f} ms, "
            f"99th percentile {ordered[len(ordered) * 99 // 100]:.2f} ms, {len(ordered)} openings"
        )


def run(folder: Path, seed: int, rows: int = 20_000) -> Openings:
    """An agent within this process, with a stop-watch before and after what it does itself, reads a recording."""
    write_tiny_bundle(folder / "tiny")
    recording = Recording(seed, "pump1", 1_795_000_000.0)
    lines = [f"time,{','.join(CHANNELS)}"]
    for row in map(recording.row, range(rows)):
        lines.append(f"{row.time},{','.join(str(row.values[name]) for name in CHANNELS)}")
    (folder / "tape.csv").write_text("\n".join(lines))
    (folder / "agent.toml").write_text(_CONFIG)
    agent = assemble(load_config(folder / "agent.toml"), folder / "agent.toml")
    watch = _StopWatch()
    loaded, outbox = agent.inferences[0].loaded, agent.reporter.outbox
    assert loaded is not None
    process, commit = loaded.group.process, outbox.commit

    def timed_process(batch: Sequence[tuple[int, Row]]) -> list[Outcome]:
        outcomes = process(batch)
        watch.begin([event for outcome in outcomes for event in outcome.events])
        return outcomes

    def timed_commit(events: Sequence[Event], episodes: Mapping[str, bytes]) -> list[Entry]:
        entries = commit(events, episodes)
        watch.end(events)
        return entries

    loaded.group.process, outbox.commit = timed_process, timed_commit  # type: ignore[method-assign]
    agent.run()
    return Openings(watch.took_s)


class _StopWatch:
    """Times the way of each `new`."""

    def __init__(self) -> None:
        self.took_s: list[float] = []
        self._began: dict[str, float] = {}

    def begin(self, events: Sequence[Event]) -> None:
        self._began |= {event.id: time.perf_counter() for event in events if event.event_type == "new"}

    def end(self, events: Sequence[Event]) -> None:
        for event in events:
            if event.event_type == "new":
                self.took_s.append(time.perf_counter() - self._began.pop(event.id))
