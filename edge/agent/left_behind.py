"""Retained topics of what is no longer served: a stream that was removed or renamed, a device that was."""

import json
import logging
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from edge.wire.topics import DeviceTopics

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Served:
    topics: DeviceTopics
    streams: list[str]
    announced: list[str]


class KeptTopics:
    """Remembers, beside the outbox, which streams this state folder's agent has retained topics for."""

    def __init__(self, path: Path, topics: DeviceTopics) -> None:
        self._path, self._topics = path, topics

    def now(self, streams: Collection[str], announced: Collection[str] = ()) -> list[str]:
        """From here on these are served; the retained topics of what was served before and is not any more.

        `announced` are other retained topics of theirs, such as those of Home Assistant's discovery.
        """
        known = self._read()
        gone = [topic for one in known for topic in self._left(one.topics, one.streams, streams)]
        gone += [topic for one in known for topic in one.announced if topic not in announced]
        if gone:
            log.info("no longer served, their retained topics are cleared: %s", ", ".join(gone))
        served = {"root": self._topics.root, "device": self._topics.device, "streams": sorted(streams)}
        body = [served | {"announced": sorted(announced)}]
        try:
            self._path.write_text(json.dumps(body), "utf-8")
        except OSError as error:
            log.warning("%s cannot be written (%s); topics of streams that are removed may stay", self._path, error)
        return gone

    def _left(self, topics: DeviceTopics, before: Collection[str], streams: Collection[str]) -> Iterator[str]:
        same = topics == self._topics
        for stream in before:
            if not (same and stream in streams):
                yield from (topics.state(stream), topics.availability(stream))
        if not same:
            yield from (topics.status, topics.info)

    def _read(self) -> list[_Served]:
        try:
            body = json.loads(self._path.read_text("utf-8"))
            return [
                _Served(
                    DeviceTopics(str(one["device"]), str(one["root"])),
                    [str(stream) for stream in one["streams"]],
                    [str(topic) for topic in one.get("announced", ())],
                )
                for one in body
            ]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, RecursionError, KeyError, TypeError) as error:
            log.warning("%s cannot be read (%r); topics of streams that were removed may stay", self._path, error)
            return []
