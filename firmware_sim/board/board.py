"""What firmware adds to the rows: a timer with jitter, a clock that drifts, sequence numbers, reboots, link loss."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from firmware_sim.board.simulation import Block
from firmware_sim.schedule.schedule import Outages


@dataclass(frozen=True)
class Firmware:
    """How a board behaves. All zeros: an ideal board, as a data historian's export looks."""

    jitter_s: float = 0.0
    """Of the sampling timer, one sd, seconds; readings never change places."""
    clock_drift_ppm: float = 0.0
    """How much too fast the board's clock runs, parts per million; each board draws its own within +- this."""
    reboot_every_s: float = 0.0
    """Mean time between reboots, seconds; 0 for none. A reboot takes 15 to 40 s and `seq` starts over."""
    link_loss_every_s: float = 0.0
    """Mean time between losses of the link, seconds; 0 for none. A loss lasts 5 to 120 s."""
    buffer_rows: int = 0
    """Readings that the board keeps while the link is gone and sends when it is back; older ones are lost."""
    missing: float = 0.0
    """Part of the single values that fail to be read and are absent."""


REALISTIC = Firmware(
    jitter_s=0.004,
    clock_drift_ppm=20.0,  # a common crystal
    reboot_every_s=2 * 86400.0,
    link_loss_every_s=6 * 3600.0,
    missing=0.0005,
)
"""A fair board on a fair radio link; the default of the live links."""


@dataclass(frozen=True, slots=True)
class Sent:
    """Readings that reached the link, in the order in which they were sent."""

    sent_at: np.ndarray
    """(rows,) seconds since the start of the simulation."""
    times: np.ndarray
    """(rows,) the board's own clock, Unix seconds."""
    seqs: np.ndarray
    """(rows,) the board's counter, from 0 at each boot."""
    values: np.ndarray
    """(rows, channels), NaN where a value is missing."""
    anomaly: np.ndarray
    """(rows,) whether a fault acts."""


class Board:
    """Turns blocks of rows into what the board sends. Give it the blocks of one simulation in order."""

    def __init__(self, firmware: Firmware, seed: int, number: int, period_s: float):
        seeds = np.random.SeedSequence([seed, number, 99]).spawn(4)
        self.firmware = firmware
        self.period_s = period_s
        self.clock, self.missing = (np.random.default_rng(each) for each in seeds[:2])
        self.drift = 1e-6 * firmware.clock_drift_ppm * self.clock.uniform(-1.0, 1.0)
        # A timer is not in step with the grid of the clock; an ideal board is.
        self.phase_s = period_s * self.clock.uniform(0.2, 0.8) if firmware.jitter_s else 0.0
        self.reboots = Outages(np.random.default_rng(seeds[2]), firmware.reboot_every_s, (15.0, 40.0))
        self.losses = Outages(np.random.default_rng(seeds[3]), firmware.link_loss_every_s, (5.0, 120.0))
        self.seq = 0
        self.kept: list[Sent] = []

    def send(self, block: Block) -> Sent:
        """What goes over the link of this block, later if the link is down and the board has a buffer."""
        rows = len(block.times)
        since_s = self.period_s * (block.first + np.arange(rows))
        jitter = self.firmware.jitter_s * np.clip(self.clock.standard_normal(rows), -4.0, 4.0)
        jitter = np.clip(jitter, -0.2 * self.period_s, 0.2 * self.period_s)
        times = block.times + self.drift * since_s + self.phase_s + jitter
        up = ~self.reboots.during(since_s)
        values = np.where(self.missing.random(block.values.shape) < self.firmware.missing, np.nan, block.values)
        made = Sent(since_s + self.phase_s, times, self._count(up), values, block.anomaly)
        return self._over_the_link(_pick(made, up), self.losses.during(since_s)[up])

    def _count(self, up: np.ndarray) -> np.ndarray:
        """Sequence numbers (rows,): how many rows the board made since it last booted."""
        seqs = np.empty(len(up), dtype=np.int64)
        for place, running in enumerate(up) if not up.all() else ():
            seqs[place] = self.seq
            self.seq = self.seq + 1 if running else 0
        if up.all():
            seqs[:] = self.seq + np.arange(len(up))
            self.seq += len(up)
        return seqs

    def _over_the_link(self, made: Sent, down: np.ndarray) -> Sent:
        """Drop what is made while the link is down, or keep it for the moment at which it is up again."""
        if not self.firmware.buffer_rows or not (down.any() or self.kept):
            return _pick(made, ~down)
        parts = []
        for start, end in _runs(down):
            part = _pick(made, slice(start, end))
            if down[start]:
                self.kept = [_pick(_join([*self.kept, part]), slice(-self.firmware.buffer_rows, None))]
            else:
                parts += [_moved(late, float(part.sent_at[0])) for late in self.kept] + [part]
                self.kept = []
        return _join(parts) if parts else _pick(made, slice(0, 0))


def _runs(flags: np.ndarray) -> Iterator[tuple[int, int]]:
    """Start and end of each stretch of equal flags."""
    edges = [0, *(np.flatnonzero(np.diff(flags)) + 1).tolist(), len(flags)]
    yield from ((start, end) for start, end in pairwise(edges) if end > start)


def _pick(sent: Sent, rows: np.ndarray | slice) -> Sent:
    return Sent(sent.sent_at[rows], sent.times[rows], sent.seqs[rows], sent.values[rows], sent.anomaly[rows])


def _join(parts: list[Sent]) -> Sent:
    return Sent(
        np.concatenate([part.sent_at for part in parts]),
        np.concatenate([part.times for part in parts]),
        np.concatenate([part.seqs for part in parts]),
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.anomaly for part in parts]),
    )


def _moved(part: Sent, sent_at: float) -> Sent:
    return Sent(np.full(len(part.times), sent_at), part.times, part.seqs, part.values, part.anomaly)
