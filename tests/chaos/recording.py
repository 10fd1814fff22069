"""The recorded readings that chaos runs on: the tiny bundle's normal operation with episodes at known rows."""

import random
from collections.abc import Iterator

from edge.detector.events.recurring import REMEMBERED_S
from edge.wire.readings import Readings
from tests.helpers.tiny_bundle import normal

FAULT = 6.0
"""Added to a flow of 1 to 3: far beyond every limit."""
FIRST_FAULT_ROW = 30
"""The window is full by then, and the chart has settled."""
OVER_ROWS = 30
"""Normal rows behind a fault after which its episode is over."""
APART_S = REMEMBERED_S + 100.0
"""Between two faults that are an episode each."""


class Recording:
    """Endless rows of one stream at 1 Hz; a fault of 10 to 16 rows after every `apart` rows.

    Each is an episode of its own where they are further apart than what comes back is remembered: by rows, or by
    `pause_s` seconds in which no row comes, behind the rows after which an episode is over. What is nearer comes and
    goes, and is one episode from the fourth time on.

    A row is a pure function of seed, stream and row number, whoever asks for it, so that a run can be repeated.
    """

    def __init__(
        self, seed: int, stream: str, start: float, apart: tuple[int, int] = (40, 60), pause_s: float = 0.0
    ) -> None:
        self._random = random.Random(f"{seed} {stream}")
        self._start, self._apart = start, apart
        """Unix seconds of row 0, and the fewest and most rows between two faults."""
        self._pause_s, self._over_at = pause_s, 0
        self.faults = 0
        """Faults that lie wholly before the last row asked for."""
        self._faults = self._draw()
        self._fault = next(self._faults)

    def row(self, number: int, calm: bool = False) -> Readings:
        """Row `number`, which must not fall; `calm` leaves its fault out."""
        while number >= self._fault.stop:
            self._over_at = self._fault.stop + OVER_ROWS
            self._fault = next(self._faults)
            self.faults += 1
        values = normal(float(number))
        if number in self._fault and not calm:
            values["flow"] += FAULT
        pauses = self.faults - (number < self._over_at)
        return Readings(values, self._start + number + self._pause_s * max(0, pauses), number)

    def _draw(self) -> Iterator[range]:
        """The rows of each fault."""
        start = FIRST_FAULT_ROW + self._random.randrange(40)
        while True:
            length = self._random.randint(10, 16)
            yield range(start, start + length)
            start += length + self._random.randint(*self._apart)
