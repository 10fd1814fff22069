"""The outbox against a model of it, through whatever sequence of calls hypothesis thinks of."""

import shutil
import tempfile
from pathlib import Path

from alerts import alert
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from test_outbox import full_disk

from edge.delivery.entry import Entry
from edge.delivery.outbox import Outbox


class OutboxModel(RuleBasedStateMachine):
    """A list of pending entries and one of history say what the outbox must hold."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.outbox = Outbox(self.folder / "outbox.db")
        self.pending: list[Entry] = []
        self.history: list[Entry] = []
        self.numbers: set[tuple[str, int]] = set()
        self.log = self.outbox.log

    def teardown(self) -> None:
        self.outbox.close()
        shutil.rmtree(self.folder)

    @rule()
    def put(self) -> None:
        self.remember(self.outbox.put(alert(len(self.numbers))))

    @rule()
    def put_on_a_full_disk(self) -> None:
        with full_disk():
            entry = self.outbox.put(alert(len(self.numbers)))
        self.remember(entry)

    @rule(data=st.data())
    def acknowledge(self, data: st.DataObject) -> None:
        count = data.draw(st.integers(0, len(self.pending)))
        chosen = data.draw(st.permutations(self.pending))[:count]
        self.outbox.acknowledge(chosen)
        for entry in chosen:
            self.pending.remove(entry)
            if entry.durable:
                self.history.append(entry)

    @rule(since_seq=st.integers(0, 20))
    def replay(self, since_seq: int) -> None:
        again = [entry for entry in self.history if entry.seq >= since_seq]
        assert self.outbox.replay(since_seq) == len(again)
        self.history = [entry for entry in self.history if entry.seq < since_seq]
        self.pending = sorted(self.pending + again, key=lambda entry: entry.position)

    @rule()
    def restart(self) -> None:
        self.outbox.close()
        self.outbox = Outbox(self.folder / "outbox.db")
        self.pending = [entry for entry in self.pending if entry.durable]

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

    def remember(self, entry: Entry) -> None:
        assert (entry.log, entry.seq) not in self.numbers, "a number came twice"
        self.numbers.add((entry.log, entry.seq))
        self.pending.append(entry)


def key(entry: Entry) -> tuple[str, int, str]:
    return entry.log, entry.seq, entry.event.id


OutboxModel.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestOutboxModel = OutboxModel.TestCase
