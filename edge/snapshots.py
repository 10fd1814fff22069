"""When what streams have learnt goes to disk, and how it comes back."""

import logging
from collections.abc import Callable, Sequence
from typing import Any

from edge.detector.group import StreamGroup
from edge.state_files import StateFiles

log = logging.getLogger(__name__)


class Snapshots:
    """Saves and restores the streams of one group; `streams` are their ids in the group's order."""

    def __init__(
        self, files: StateFiles, streams: Sequence[str], every_s: float, monotonic: Callable[[], float]
    ) -> None:
        self._files, self._streams, self._every_s, self._monotonic = files, streams, every_s, monotonic
        self._group: StreamGroup | None = None
        self._fresh: list[dict[str, Any]] = []
        self._saved_at = [monotonic()] * len(streams)
        self._refused = False

    def attach(self, group: StreamGroup) -> None:
        """Take care of this group from now on, and bring its streams back to their files."""
        self._group = group
        self._fresh = [group.snapshot(number) for number in range(len(self._streams))]
        for number in range(len(self._streams)):
            self.restore(number)

    def save(self, number: int) -> None:
        """Write one stream's state. A disk that refuses is reported once; the agent goes on without."""
        if self._group is None:
            return
        self._saved_at[number] = self._monotonic()
        try:
            self._files.save(self._streams[number], self._group.bundle.sha256, self._group.snapshot(number))
        except (OSError, ValueError) as error:
            if not self._refused:
                log.error("stream %s: its state cannot be saved: %s", self._streams[number], error)
            self._refused = True
        else:
            self._refused = False

    def due(self, monotonic: float) -> list[int]:
        """Streams that were saved `every_s` ago or longer."""
        return [number for number, at in enumerate(self._saved_at) if monotonic - at >= self._every_s]

    def restore(self, number: int) -> None:
        """Bring one stream back to its file, or to how the group was made; an unusable file is set aside."""
        assert self._group is not None
        stream, sha256 = self._streams[number], self._group.bundle.sha256
        self._group.restore(number, self._fresh[number])
        state = self._files.load(stream, sha256)
        if state is None:
            return
        try:
            self._group.restore(number, state)
        except ValueError as error:
            self._files.set_aside(stream, sha256, error)
            self._group.restore(number, self._fresh[number])
