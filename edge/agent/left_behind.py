"""Retained topics of what is no longer served: a stream that was removed or renamed, a device that was."""

import json
import logging
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from edge.wire.topics import DeviceTopics

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Served:
    topics: DeviceTopics
    streams: list[str]
    announced: list[str]
    gone: list[str]
    """Topics that are to be cleared."""


class KeptTopics:
    """Remembers, beside the outbox, which streams this state folder's agent has retained topics for."""

    def __init__(self, path: Path, topics: DeviceTopics) -> None:
        self._path, self._topics = path, topics
        self._served = _Served(topics, [], [], [])

    def now(self, streams: Collection[str], announced: Collection[str] = ()) -> list[str]:
        """From here on these are served; the retained topics of what was served before and is not any more.

        `announced` are other retained topics of theirs, such as those of Home Assistant's discovery. What is to be
        cleared is named again by the next agent, unless this one says that it is `cleared`.
        """
        known = self._read()
        gone = [topic for one in known for topic in self._left(one.topics, one.streams, streams)]
        kept = {topic for stream in streams for topic in self._of_stream(self._topics, stream)}.union(announced)
        before = [topic for one in known for topic in (*one.announced, *one.gone)]
        gone = list(dict.fromkeys([*gone, *(topic for topic in before if topic not in kept)]))
        if gone:
            log.info("no longer served, their retained topics are cleared: %s", ", ".join(gone))
        self._served = _Served(self._topics, sorted(streams), sorted(announced), gone)
        self._write()
        return gone

    def cleared(self) -> None:
        """The broker has taken the topics back."""
        self._served = replace(self._served, gone=[])
        self._write()

    def _write(self) -> None:
        body = asdict(self._served)
        body |= body.pop("topics")
        try:
            self._path.write_text(json.dumps([body]), "utf-8")
        except OSError as error:
            log.warning("%s cannot be written (%s); topics of streams that are removed may stay", self._path, error)

    def _left(self, topics: DeviceTopics, before: Collection[str], streams: Collection[str]) -> Iterator[str]:
        same = topics == self._topics
        for stream in before:
            if not (same and stream in streams):
                yield from self._of_stream(topics, stream)
        if not same:
            yield from (topics.status, topics.info, topics.group)

    @staticmethod
    def _of_stream(topics: DeviceTopics, stream: str) -> tuple[str, str]:
        return topics.state(stream), topics.availability(stream)

    def _read(self) -> list[_Served]:
        try:
            return [_served(one) for one in json.loads(self._path.read_text("utf-8"))]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, RecursionError, KeyError, TypeError) as error:
            log.warning("%s cannot be read (%r); topics of streams that were removed may stay", self._path, error)
            return []


def _served(body: dict[str, Any]) -> _Served:
    return _Served(
        DeviceTopics(str(body["device"]), str(body["root"])),
        [str(stream) for stream in body["streams"]],
        [str(topic) for topic in body.get("announced", [])],
        [str(topic) for topic in body.get("gone", [])],
    )
