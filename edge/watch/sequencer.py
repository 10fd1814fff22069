"""Once and in order: what a consumer makes of messages that are delivered at least once."""

from collections import Counter, OrderedDict
from dataclasses import dataclass, field

from edge.wire.events import EventMessage


@dataclass(frozen=True, slots=True)
class Received:
    """A message, and its payload as it came."""

    message: EventMessage
    payload: bytes = b""


@dataclass(slots=True)
class _Log:
    """One device's log, as far as it is known."""

    next_seq: int
    seen: dict[int, int] = field(default_factory=dict)  # by number, what it was
    forgotten_to: int = 0
    held: dict[int, tuple[Received, float]] = field(default_factory=dict)


class Sequencer:
    """Drops second copies by `(device, log, seq)` and gives messages out by rising `seq`.

    A message that jumps a number waits up to `hold_s` for the missing one; a number may also be missing for
    good, where a device had no room to keep it. One that comes after its successors is given out late, not lost.
    What the first message of a log has before it is not waited for. The same number with another alert is no second
    copy: a device whose state was put back to an older copy counts on from there. `now` is monotonic time throughout.

    Bounded: per log the last `remember` numbers (older ones count as second copies), and `max_logs` logs.
    """

    def __init__(self, hold_s: float = 1.0, remember: int = 4096, max_logs: int = 1000) -> None:
        self._hold_s, self._remember, self._max_logs = hold_s, remember, max_logs
        self._logs: OrderedDict[tuple[str, str], _Log] = OrderedDict()
        self.counts: Counter[str] = Counter()
        """`duplicates`, `reordered`, `late`, and `missing` numbers that never came in time."""
        self.gaps: list[tuple[str, str, int, int]] = []
        """Device, log, first and last of each run of numbers that never came in time; the owner takes them out."""
        self.is_new = False
        """Whether the message added last was none that had come before."""

    def add(self, received: Received, now: float) -> list[Received]:
        """Messages that may be given out now that this one has come."""
        message = received.message
        log = self._log(message)
        what = hash((message.event.id, message.event.event_type, message.event.time))
        known = log.seen.get(message.seq)
        self.is_new = known != what if known is not None else message.seq > log.forgotten_to
        if not self.is_new:
            self.counts["duplicates"] += 1
            return []
        self._remember_seq(log, message.seq, what)
        if message.seq > log.next_seq and len(log.held) < self._remember:
            log.held[message.seq] = (received, now + self._hold_s)
            return []
        if message.seq < log.next_seq:
            self.counts["late"] += 1
            return [received]
        return [received, *self._follow(log, message.seq + 1)]

    def expect(self, device: str, log: str, seq: int) -> None:
        """The next message of a log is this one: what is known of an earlier run, before anything was added."""
        self._logs.setdefault((device, log), _Log(next_seq=seq))

    def advance(self, now: float) -> list[Received]:
        """Messages that have waited long enough for one before them."""
        released: list[Received] = []
        for key, log in self._logs.items():
            while log.held and any(until <= now for _, until in log.held.values()):
                released += self._skip_gap(key, log)
        return released

    def flush(self) -> list[Received]:
        """Everything that is still held back; nobody waits any longer."""
        return self.advance(float("inf"))

    def _log(self, message: EventMessage) -> _Log:
        key = (message.device, message.log)
        log = self._logs.setdefault(key, _Log(next_seq=message.seq))
        self._logs.move_to_end(key)
        if len(self._logs) > self._max_logs:
            self._logs.popitem(last=False)
        return log

    def _remember_seq(self, log: _Log, seq: int, what: int) -> None:
        log.seen[seq] = what
        if len(log.seen) > 2 * self._remember:
            ordered = sorted(log.seen)
            log.forgotten_to = ordered[-self._remember - 1]
            log.seen = {seq: log.seen[seq] for seq in ordered[-self._remember :]}

    def _follow(self, log: _Log, seq: int) -> list[Received]:
        """Held messages from `seq` on without a gap."""
        released = []
        while seq in log.held:
            released.append(log.held.pop(seq)[0])
            seq += 1
        self.counts["reordered"] += len(released)
        log.next_seq = seq
        return released

    def _skip_gap(self, key: tuple[str, str], log: _Log) -> list[Received]:
        lowest = min(log.held)
        self.gaps = [*self.gaps[-99:], (*key, log.next_seq, lowest - 1)]
        self.counts["missing"] += lowest - log.next_seq
        first = log.held.pop(lowest)[0]
        return [first, *self._follow(log, lowest + 1)]
