"""Retained topics of what is no longer served: a stream that was removed or renamed, a device that was."""

import json
import logging
from collections.abc import Collection, Iterator
from pathlib import Path

from edge.wire.topics import DeviceTopics

log = logging.getLogger(__name__)


class KeptTopics:
    """Remembers, beside the outbox, which streams this state folder's agent has retained topics for."""

    def __init__(self, path: Path, topics: DeviceTopics) -> None:
        self._path, self._topics = path, topics

    def now(self, streams: Collection[str]) -> list[str]:
        """From here on these are served; the retained topics of what was served before and is not any more."""
        known = self._read()
        gone = [topic for topics, before in known for topic in self._left(topics, before, streams)]
        if gone:
            log.info("no longer served, their retained topics are cleared: %s", ", ".join(gone))
        body = [{"root": self._topics.root, "device": self._topics.device, "streams": sorted(streams)}]
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

    def _read(self) -> list[tuple[DeviceTopics, list[str]]]:
        try:
            body = json.loads(self._path.read_text("utf-8"))
            return [
                (DeviceTopics(str(one["device"]), str(one["root"])), [str(stream) for stream in one["streams"]])
                for one in body
            ]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, RecursionError, KeyError, TypeError) as error:
            log.warning("%s cannot be read (%r); topics of streams that were removed may stay", self._path, error)
            return []
