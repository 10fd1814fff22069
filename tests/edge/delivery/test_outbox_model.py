"""The outbox against a model of it, through whatever sequence of calls hypothesis thinks of."""

import shutil
import tempfile
from contextlib import nullcontext
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from test_outbox import full_disk

from edge.delivery.entries import Entry
from edge.delivery.outbox import Outbox
from tests.helpers.alerts import alert


class OutboxModel(RuleBasedStateMachine):
    """Lists of pending, acknowledged but not yet written, and history entries say what the outbox must hold."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.outbox = Outbox(self.folder / "outbox.db")
        self.pending: list[Entry] = []
        self.unwritten: list[Entry] = []
        self.history: list[Entry] = []
        self.numbers: set[tuple[str, int]] = set()
        self.log = self.outbox.log

    def teardown(self) -> None:
        self.outbox.close()
        shutil.rmtree(self.folder)

    @rule()
    def put(self) -> None:
        self.remember(self.outbox.put(alert(len(self.numbers))))
        self.the_disk_took_all()

    @rule()
    def put_on_a_full_disk(self) -> None:
        with full_disk():
            entry = self.outbox.put(alert(len(self.numbers)))
        assert not entry.durable
        self.remember(entry)

    @rule(data=st.data(), disk_is_full=st.booleans())
    def acknowledge(self, data: st.DataObject, disk_is_full: bool) -> None:
        count = data.draw(st.integers(0, len(self.pending)))
        chosen = data.draw(st.permutations(self.pending))[:count]
        with full_disk() if disk_is_full else nullcontext():
            self.outbox.acknowledge(chosen)
        self.pending = [entry for entry in self.pending if entry not in chosen]
        self.unwritten += [entry for entry in chosen if entry.durable]
        if not disk_is_full and any(entry.durable for entry in chosen):
            self.the_disk_took_all()

    @rule(since_seq=st.integers(0, 20))
    def replay(self, since_seq: int) -> None:
        again = [entry for entry in self.history + self.unwritten if entry.seq >= since_seq]
        self.outbox.replay(since_seq)
        self.history = [entry for entry in self.history if entry not in again]
        self.unwritten = [entry for entry in self.unwritten if entry not in again]
        self.pending = in_order(self.pending + again)

    @rule()
    def restart(self) -> None:
        self.outbox.close()
        self.outbox = Outbox(self.folder / "outbox.db")
        self.pending = in_order([entry for entry in self.pending + self.unwritten if entry.durable])
        self.unwritten = []

    @rule(limit=st.integers(0, 5), data=st.data())
    def ask_for_some(self, limit: int, data: st.DataObject) -> None:
        start = data.draw(st.integers(0, len(self.pending)))
        after = self.pending[start - 1].position if start else None
        found = self.outbox.pending(limit, after)
        assert [key(entry) for entry in found] == [key(entry) for entry in self.pending[start:][:limit]]

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        assert [key(entry) for entry in self.outbox.pending(limit=1000)] == [key(entry) for entry in self.pending]
        counts = self.outbox.counts()
        assert (counts.pending, counts.history) == (len(self.pending), len(self.history))
        assert self.outbox.log == self.log

    def the_disk_took_all(self) -> None:
        self.history += self.unwritten
        self.unwritten = []

    def remember(self, entry: Entry) -> None:
        assert (entry.log, entry.seq) not in self.numbers, "a number came twice"
        self.numbers.add((entry.log, entry.seq))
        self.pending.append(entry)


def in_order(entries: list[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda entry: entry.position)


def key(entry: Entry) -> tuple[str, int, str]:
    return entry.log, entry.seq, entry.event.id


OutboxModel.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestOutboxModel = OutboxModel.TestCase
