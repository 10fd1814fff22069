"""Retained topics of what is no longer served: a stream that was removed or renamed, a device that was."""

import json
import logging
import time
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any, Protocol

from edge.detector.bundle.files import write_atomically
from edge.wire.topics import DeviceTopics

log = logging.getLogger(__name__)

_CLEAR_AFTER_S = 10.0


class Retained(Protocol):
    """What is retained at the broker, as `Publisher` keeps it."""

    def retain(self, topic: str, payload: bytes, urgent: bool = True) -> None: ...

    def holds(self, topic: str, payload: bytes) -> bool: ...


class KeptTopics:
    """Remembers, beside the outbox, which streams this state folder's agent has retained topics for, and which of
    their topics the broker has still to clear: it may be away until after the next start.
    """

    def __init__(self, path: Path, topics: DeviceTopics, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._path, self._topics, self._monotonic = path, topics, monotonic
        self._streams: set[str] = set()
        self._announced: set[str] = set()
        self._due: dict[str, float] = {}  # topics to be cleared, and from when on
        self._sent: set[str] = set()  # of these, as far as it is known to the publisher

    def now(self, streams: Collection[str], announced: Collection[str] = ()) -> None:
        """From here on these are served; what was served before and is not any more is cleared a little later.

        Later, so that subscribers see what was said last on these topics. `announced` are other retained topics of
        theirs, such as those of Home Assistant's discovery.
        """
        body = self._read()
        before = {DeviceTopics(one["device"], one["root"]): set(one["streams"]) for one in body}
        wanted = {topic for one in body for topic in (*one["clear"], *one["announced"])}
        for topics, names in before.items():
            wanted.update(_left(topics, names, topics == self._topics, streams))
        served = {topic for stream in streams for topic in _of(self._topics, stream)}
        served |= {self._topics.status, self._topics.info, self._topics.group, *announced}
        wanted -= served
        if new := sorted(wanted - self._due.keys()):
            log.info("no longer served, their retained topics are cleared: %s", ", ".join(new))
        at = self._monotonic() + _CLEAR_AFTER_S
        self._due = {topic: self._due.get(topic, at) for topic in sorted(wanted)}
        self._sent &= self._due.keys()
        self._streams, self._announced = set(streams), set(announced)
        self._write()

    def look(self, publisher: Retained) -> list[str]:
        """Clear what is due; the streams of this device whose topics are, just now. To be called now and then."""
        now = self._monotonic()
        taken = [topic for topic, at in self._due.items() if topic not in self._sent and now >= at]
        for topic in taken:
            publisher.retain(topic, b"")
        done = [topic for topic in self._sent if publisher.holds(topic, b"")]
        self._sent.update(taken)
        for topic in done:
            del self._due[topic]
            self._sent.discard(topic)
        if done:
            self._write()
        levels = [topic.removeprefix(f"{self._topics.root}/").split("/") for topic in taken]
        return [level[1] for level in levels if len(level) == 3 and level[0] == self._topics.device]

    def _write(self) -> None:
        device, root = self._topics.device, self._topics.root
        served = {"root": root, "device": device, "streams": sorted(self._streams)}
        body = [served | {"announced": sorted(self._announced), "clear": sorted(self._due)}]
        try:
            write_atomically(self._path, json.dumps(body).encode())
        except OSError as error:
            log.warning("%s cannot be written (%s); topics of streams that are removed may stay", self._path, error)

    def _read(self) -> list[dict[str, Any]]:
        try:
            return read_served(self._path)
        except FileNotFoundError:
            return []
        except (OSError, ValueError) as error:
            log.warning("%s cannot be read (%s); topics of streams that were removed may stay", self._path, error)
            return []


def read_served(path: Path) -> list[dict[str, Any]]:
    """What is kept of each device: `root`, `device`, `streams`, topics `announced`, and the topics to `clear`.

    Raises:
        FileNotFoundError, OSError: it cannot be read.
        ValueError: it holds something else.
    """
    try:
        return [
            {
                "root": str(one["root"]),
                "device": str(one["device"]),
                "streams": [str(stream) for stream in one["streams"]],
                "announced": _topics(one.get("announced", ())),
                "clear": _topics(one.get("clear", ())),
            }
            for one in json.loads(path.read_text("utf-8"))
        ]
    except (RecursionError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(repr(error)) from error


def _topics(listed: Iterable[Any]) -> list[str]:
    return [topic for topic in map(str, listed) if not set("#+\0") & set(topic)]


def _left(topics: DeviceTopics, before: Iterable[str], same: bool, streams: Collection[str]) -> list[str]:
    """Topics of a device's streams that are not served any more; of a device of another name, its own as well."""
    gone = [topic for name in before if not (same and name in streams) for topic in _of(topics, name)]
    return gone if same else [*gone, topics.status, topics.info, topics.group]


def _of(topics: DeviceTopics, stream: str) -> tuple[str, str]:
    return topics.state(stream), topics.availability(stream)
