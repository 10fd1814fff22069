"""A soak: the agent as a process of its own reads simulated days of a recording as fast as it can score them."""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tests.chaos.recording import Recording
from tests.chaos.stand import FROM_STDIN, stand
from tests.helpers.mosquitto import Listener
from tests.helpers.tiny_bundle import CHANNELS
from tests.soak.samples import Sample

APART = (3300, 4500)
"""Rows between two faults: about one an hour."""
SAMPLE_EVERY_S = 0.5
_ROWS_A_WRITE = 1000

# The stream's state is saved every 600 s; at some 1,200 rows a second that is every half second here.
_OF_DEVICE = """
health_every_s = {every_s}
snapshot_every_s = 0.5
"""


@dataclass(frozen=True)
class Soak:
    """What came of it."""

    rows: int
    scored: int
    faults: int
    """Episodes that the recording has."""
    episodes: int
    """Episodes of which both `new` and `end` were received."""
    seconds: float
    samples: list[Sample]

    @property
    def complete(self) -> bool:
        """Whether every row was scored and every fault is an episode; one that the end cuts off may be one as well."""
        return self.scored == self.rows and 0 <= self.episodes - self.faults <= 1


def run(folder: Path, seed: int, rows: int, every_s: float = SAMPLE_EVERY_S) -> Soak:
    """Feed so many rows, a second each; a real broker takes the events and a subscriber reads them."""
    with stand(folder) as base:
        base.configure(FROM_STDIN, of_device=_OF_DEVICE.format(every_s=every_s), port=base.broker.port)
        began = time.monotonic()
        recording = Recording(seed, "pump1", time.time() // 1 - rows, APART)
        samples = _feed(base.agent.start(), recording, rows, base.health, folder / "state")
        status = base.agent.wait(60)
        assert status == 0, f"the agent left with {status}: {base.agent.log()[-2000:]}"
        events = [each.message.event for each in base.subscriber.received]
        kinds = [{event.id for event in events if event.event_type == kind} for kind in ("new", "end")]
        scored = Sample.of(json.loads(base.health.heard[-1].payload), 0).rows
        return Soak(rows, scored, recording.faults, len(kinds[0] & kinds[1]), time.monotonic() - began, samples)


def _feed(lines: IO[bytes], recording: Recording, rows: int, health: Listener, state: Path) -> list[Sample]:
    """Write the rows, which the agent takes as fast as it can, and gather its health meanwhile."""
    samples: list[Sample] = []
    lines.write(f"time,{','.join(CHANNELS)}\n".encode())
    for first in range(0, rows, _ROWS_A_WRITE):
        numbers = range(first, min(rows, first + _ROWS_A_WRITE))
        lines.write("".join(_line(recording, number) for number in numbers).encode())
        files = sum(file.stat().st_size for file in state.rglob("*") if file.is_file())
        new, health.heard[:] = list(health.heard), []
        samples += [Sample.of(json.loads(each.payload), files) for each in new]
    lines.close()
    return samples


def _line(recording: Recording, number: int) -> str:
    row = recording.row(number)
    return f"{row.time},{','.join(str(row.values[name]) for name in CHANNELS)}\n"
