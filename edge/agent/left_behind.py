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
        self._streams: list[str] = []

    def now(self, streams: Collection[str]) -> list[str]:
        """From here on these are served; the retained topics of what was served before and is not any more.

        They are named again by the next agent, unless this one says that they are `cleared`.
        """
        known, before = self._read()
        gone = [topic for topics, names in known for topic in self._left(topics, names, streams)]
        served = {topic for stream in streams for topic in self._of_stream(self._topics, stream)}
        gone = list(dict.fromkeys([*gone, *(topic for topic in before if topic not in served)]))
        if gone:
            log.info("no longer served, their retained topics are cleared: %s", ", ".join(gone))
        self._streams = sorted(streams)
        self._write(gone)
        return gone

    def cleared(self) -> None:
        """The broker has taken the topics back."""
        self._write([])

    def _write(self, gone: Collection[str]) -> None:
        body = {"root": self._topics.root, "device": self._topics.device, "streams": self._streams, "gone": list(gone)}
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

    def _read(self) -> tuple[list[tuple[DeviceTopics, list[str]]], list[str]]:
        """What was served, and topics that were to be cleared."""
        try:
            body = json.loads(self._path.read_text("utf-8"))
            known = [
                (DeviceTopics(str(one["device"]), str(one["root"])), [str(stream) for stream in one["streams"]])
                for one in body
            ]
            return known, [str(topic) for one in body for topic in one.get("gone", [])]
        except FileNotFoundError:
            return [], []
        except (OSError, ValueError, RecursionError, KeyError, TypeError) as error:
            log.warning("%s cannot be read (%r); topics of streams that were removed may stay", self._path, error)
            return [], []
