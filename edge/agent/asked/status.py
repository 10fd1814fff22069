"""How the agent stands: what runs, since when, how each stream is, what is open, and what has not been delivered."""

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from edge import __version__
from edge.delivery.figures import LinkCounts, OutboxCounts
from edge.delivery.outbox import Outbox
from edge.delivery.publisher import Publisher
from edge.wire.payload import jsonable

SCHEMA = 1
_OF_BUNDLE = ("name", "sha256", "created", "variant", "runtime", "streams")


def status_body(
    uptime_s: float,
    bundles: Iterable[Mapping[str, Any]],
    streams: Mapping[str, Mapping[str, Any]],
    outbox: Outbox,
    publisher: Publisher,
    more: Sequence[str],
) -> dict[str, Any]:
    """The answer to the request `status`, as `offbeat-edge schema status` describes it; `more` is trouble that is known
    elsewhere."""
    now, counts, link = time.time(), outbox.counts(), publisher.counts()
    oldest = next(iter(outbox.pending(limit=1)), None)
    body = {
        "schema": SCHEMA,
        "device": publisher.topics.device,
        "time": now,
        "version": __version__,
        "pid": os.getpid(),
        "started": now - uptime_s,
        "bundles": [{name: one[name] for name in _OF_BUNDLE} for one in bundles],
        "streams": dict(streams),
        "outbox": {
            "pending": counts.pending,
            "oldest": None if oldest is None else oldest.event.time,
            "in_memory": counts.in_memory,
            "accepting": counts.accepting,
        },
        "broker": {
            "address": publisher.address,
            "connected": link.connected,
            "contact": link.contact_at,
            "mqtt": link.mqtt,
        },
        "troubles": [*_of_streams(streams), *more, *_of_delivery(publisher.address, counts, link)],
    }
    return jsonable(body)


def _of_streams(streams: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return [f"stream {name}: {one['why']}" for name, one in streams.items() if one["why"]]


def _of_delivery(address: str, counts: OutboxCounts, link: LinkCounts) -> list[str]:
    found = [] if link.connected else [f"no connection to {address}; {counts.pending} events wait"]
    found += [f"the broker takes nothing on {topic}: {reason}" for topic, reason in link.refused.items()]
    return found if counts.accepting else [*found, "the disk takes no events; they are sent from memory"]
