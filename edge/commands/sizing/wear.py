"""What an outage fills and a day writes: measured sizes, times the bounds and intervals of the config."""

from dataclasses import dataclass
from typing import Any

from edge.commands.sizing.measure import Costs
from edge.config.settings import Config, StreamConfig
from edge.detector.events.episode import FIRST_UPDATE_S

DAY_S = 86_400.0
EPISODE_S = 3600.0
"""How long an episode is taken to last."""
_BLOCK = 4096
"""What a disk writes at least, bytes: a page of memory and of SQLite."""
_FLUSH_S = 10.0
"""How often rows around episodes and the archive are written, as in edge.history.keeper."""


@dataclass(frozen=True)
class Outage:
    """The outbox while no broker is there."""

    events: int
    bytes: int
    most_bytes: int
    """The bound of the config."""
    full_after_s: float
    """From when on something is dropped, with episodes coming as they are taken to."""

    @property
    def fits(self) -> bool:
        """Whether nothing is dropped."""
        return self.bytes <= self.most_bytes


@dataclass(frozen=True)
class Writes:
    """One kind of write to the disk, a day."""

    what: str
    times: float
    bytes: float
    synced: float
    """How often the disk must have it before the agent goes on."""


def updates(seconds: float, update_every_s: float) -> int:
    """How often an episode that only goes on is told again in so long.

    >>> updates(3600.0, 3600.0), updates(3600.0, 60.0), updates(30.0, 3600.0)
    (5, 60, 0)
    """
    told, at, wait_s = 0, 0.0, min(FIRST_UPDATE_S, update_every_s)
    while (at := at + wait_s) <= seconds:
        told += 1
        wait_s = min(2 * wait_s, update_every_s)
    return told


def events_of(stream: StreamConfig) -> dict[str, int]:
    """Events of one episode: it begins, is told again, calms and ends."""
    return {"new": 1, "update": updates(EPISODE_S, stream.alarm.update_every_s) + 1, "end": 1}


def outage(config: Config, costs: Costs, seconds: float, episodes: float) -> Outage:
    """So many episodes a day and stream, for so long."""
    each = [events_of(stream) for stream in config.stream]
    whole = max(costs.event_bytes.values())
    a_day = episodes * sum(
        sum(count * costs.event_bytes.get(kind, whole) for kind, count in one.items()) for one in each
    )
    count = episodes * sum(sum(one.values()) for one in each)
    most = config.delivery.outbox_bytes
    days = seconds / DAY_S
    return Outage(round(count * days), round(a_day * days), most, most / a_day * DAY_S)


def writes(config: Config, costs: Costs, episodes: float) -> list[Writes]:
    """What goes to the disk in a day, kind by kind; what the file system adds for itself is not among them."""
    saves = DAY_S / config.device.snapshot_every_s
    states = sum(_blocks(one.state_bytes) * len(one.streams) for one in costs.bundles)
    events = episodes * sum(sum(events_of(stream).values()) for stream in config.stream)
    told = [
        Writes("states", saves * len(config.stream), saves * states, saves * len(config.stream)),
        Writes("events", events, events * costs.event_written_bytes, events),
    ]
    if config.history.episodes and config.history.max_bytes:
        flushes = sum(episodes * EPISODE_S / max(_FLUSH_S, one.period_s) * len(one.streams) for one in costs.bundles)
        size = episodes * len(config.stream) * costs.episode_bytes
        told.append(Writes("rows around episodes", flushes, max(flushes * _BLOCK, size), flushes))
    if config.history.archive_bytes:
        flushes = sum(DAY_S / max(_FLUSH_S, one.period_s) * len(one.streams) for one in costs.bundles)
        size = sum(DAY_S / one.period_s * len(one.streams) * one.archived_row_bytes for one in costs.bundles)
        told.append(Writes("archive", flushes, max(size, flushes * _BLOCK), 0))
    return told


def as_json(outbox: Outage, disk: list[Writes]) -> dict[str, Any]:
    """Plain JSON."""
    head = {"events": outbox.events, "bytes": outbox.bytes, "most_bytes": outbox.most_bytes}
    told = [{"what": one.what, "times": one.times, "bytes": round(one.bytes), "synced": one.synced} for one in disk]
    return {"outage": {**head, "full_after_s": outbox.full_after_s, "fits": outbox.fits}, "writes_a_day": told}


def _blocks(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK
