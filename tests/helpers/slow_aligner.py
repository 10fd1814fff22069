"""The aligner's rules as they are written down, without a thought for speed: the oracle for the real one.

Times are whole ticks, `TICKS` to a period, so that nothing here rounds.
"""

import math
from dataclasses import dataclass, field

TICKS = 8


@dataclass(frozen=True)
class SlowRow:
    """A row with its slot in place of its time."""

    slot: int
    values: tuple[float, ...]
    restart: bool
    held: tuple[int, ...]


@dataclass
class SlowAligner:
    """All durations in ticks. Keeps every reading of the run and searches them all for each row."""

    size: int
    mean: bool
    hold: int
    gap: int
    delay: int
    readings: list[tuple[int, dict[int, float]]] = field(default_factory=list)
    slots: list[int] = field(default_factory=list)
    late_run: int = 0
    leap: tuple[int, dict[int, float]] | None = None

    def add(self, tick: int, values: dict[int, float]) -> list[SlowRow]:
        """`values` maps a channel's position to its reading."""
        rows = []
        leap, self.leap = self.leap, None
        if leap is not None and tick >= leap[0] - self.gap:
            rows = self._take(*leap)
        if self.readings and tick > self._latest() + self.gap:
            self.leap = (tick, values)
            return rows
        return rows + self._take(tick, values)

    def advance(self, now: int) -> list[SlowRow]:
        rows = []
        if self.leap is not None and self.leap[0] <= now + self.gap:
            rows = self._take(*self.leap)
            self.leap = None
        return rows + self._close(now - self.delay)

    def flush(self) -> list[SlowRow]:
        rows = [] if self.leap is None else self._take(*self.leap)
        self.leap = None
        return rows + self._close(math.inf)

    def _latest(self) -> int:
        return max(tick for tick, _ in self.readings)

    def _take(self, tick: int, values: dict[int, float]) -> list[SlowRow]:
        behind = bool(self.readings) and tick < self._latest() - max(self.gap, self.delay)
        if behind or (self.slots and _slot(tick) <= self.slots[-1]):
            return self._late(tick, values, behind)
        self.late_run = 0
        self.readings.append((tick, values))
        newest = [max((t for t, v in self.readings if c in v), default=-math.inf) for c in range(self.size)]
        return self._close(max(min(newest), self._latest() - self.delay))

    def _late(self, tick: int, values: dict[int, float], behind: bool) -> list[SlowRow]:
        newest = {c: max(t for t, v in self.readings if c in v) for _, v in self.readings for c in v}
        if any(newest.get(c) == tick for c in values):
            return []
        self.late_run = self.late_run + 1 if behind else 0
        if self.late_run < 10:
            return []
        rows = self._close(math.inf)
        self.readings, self.slots, self.late_run = [], [], 0
        return rows + self._take(tick, values)

    def _close(self, reached: float) -> list[SlowRow]:
        last = self.slots[-1] if self.slots else -math.inf
        rows = []
        for slot in sorted({_slot(tick) for tick, _ in self.readings}):
            if slot > last and slot * TICKS <= reached:
                if self.slots and (slot - self.slots[-1]) * TICKS <= self.gap:
                    rows += [self._row(missing) for missing in range(self.slots[-1] + 1, slot)]
                rows.append(self._row(slot))
        return rows

    def _row(self, slot: int) -> SlowRow:
        restart = not self.slots or (slot - self.slots[-1]) * TICKS > self.gap
        self.slots.append(slot)
        values, held = [], []
        for channel in range(self.size):
            own = [s for s in range(slot, slot - self.hold // TICKS - 1, -1) if self._readings(s, channel)]
            values.append(self._aggregate(own[0], channel) if own else math.nan)
            if own and own[0] != slot:
                held.append(channel)
        return SlowRow(slot, tuple(values), restart, tuple(held))

    def _readings(self, slot: int, channel: int) -> list[tuple[int, int, float]]:
        return [
            (tick, number, values[channel])
            for number, (tick, values) in enumerate(self.readings)
            if _slot(tick) == slot and channel in values
        ]

    def _aggregate(self, slot: int, channel: int) -> float:
        found = self._readings(slot, channel)
        return sum(value for _, _, value in found) / len(found) if self.mean else max(found)[2]


def _slot(tick: int) -> int:
    return -(-tick // TICKS)
