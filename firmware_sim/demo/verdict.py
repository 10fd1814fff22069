"""Which faults were found: episodes against the simulator's truth."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.wire.events import Event
from firmware_sim.machine.faults import Fault

GRACE_S = 30.0
"""An episode that starts so long after a fault's end still finds it, simulated seconds; as `evaluate` has it."""
FOUND_SHARE = 0.8
"""Part of the faults that must be found."""
FALSE_ALLOWED = 1
"""False episodes that are forgiven."""


@dataclass(frozen=True)
class Episode:
    """What a detector reported, once."""

    start: float
    """Onset, Unix seconds."""
    raised: float
    """When it was reported, Unix seconds of the readings."""
    kind: str
    channel: str | None
    """The channel blamed most; None where the detector blames none."""
    score: float | None = None
    """Highest score of the episode."""


@dataclass(frozen=True)
class FaultVerdict:
    """One fault and the first episode that found it."""

    fault: Fault
    episode: Episode | None

    @property
    def delay_s(self) -> float | None:
        """From the fault's start to the report, simulated seconds."""
        return self.episode.raised - self.fault.start if self.episode else None

    @property
    def blamed_right(self) -> bool | None:
        """Whether the channel blamed most is one that the fault moves; None where none was blamed."""
        return self.episode.channel in self.fault.channels if self.episode and self.episode.channel else None


@dataclass(frozen=True)
class Verdict:
    """How a detector did in one run."""

    findings: tuple[FaultVerdict, ...]
    """One for each fault, in the order of time."""
    false: tuple[Episode, ...]
    """Episodes that started outside every fault."""

    @property
    def found(self) -> int:
        """How many faults were found."""
        return sum(finding.episode is not None for finding in self.findings)

    @property
    def passed(self) -> bool:
        """Whether the demo may end with status 0."""
        return self.found >= FOUND_SHARE * len(self.findings) and len(self.false) <= FALSE_ALLOWED


def judge(faults: Sequence[Fault], episodes: Iterable[Episode]) -> Verdict:
    """Match episodes with faults by where they start; one that was already on when a fault began finds nothing."""
    ordered = sorted(episodes, key=lambda episode: episode.start)

    def within(episode: Episode, fault: Fault) -> bool:
        return fault.start <= episode.start <= fault.end + GRACE_S

    findings = [FaultVerdict(fault, next((one for one in ordered if within(one, fault)), None)) for fault in faults]
    return Verdict(tuple(findings), tuple(one for one in ordered if not any(within(one, fault) for fault in faults)))


def episodes_of(events: Iterable[Event]) -> list[Episode]:
    """The episodes that events tell of. Whom an episode blames is what its `new` said: a subscriber acts on that."""
    events = list(events)
    tops: dict[str, float] = {}
    for event in events:
        if event.top_score is not None:
            tops[event.id] = max(event.top_score, tops.get(event.id, 0.0))
    began = {event.id: event for event in reversed(events) if event.event_type == "new"}
    return [
        Episode(event.start_time, event.time, event.kind, _blamed(event), tops.get(event.id))
        for event in began.values()
    ]


def _blamed(event: Event) -> str | None:
    if event.rule:
        return event.rule.channel
    return max(event.contributors, key=lambda part: part.share).channel if event.contributors else None


def read_faults(truth: Path) -> list[Fault]:
    """The faults in a truth file."""
    entries = json.loads(truth.read_text("utf-8"))["faults"]
    return [Fault(**{**entry, "channels": tuple(entry["channels"])}) for entry in entries]
