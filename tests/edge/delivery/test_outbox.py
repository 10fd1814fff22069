"""The outbox keeps what it was given, whatever happens to the process, the file and the disk."""

import os
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge.delivery.outbox import Outbox
from edge.wire.events import event_to_dict
from edge.wire.payload import encode_payload
from tests.helpers.alerts import alert

EVENT_BYTES = len(encode_payload(event_to_dict(alert(10, "update"))))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox.db"


def ids(outbox: Outbox) -> list[str]:
    return [entry.event.id for entry in outbox.pending(limit=10_000)]


@contextmanager
def full_disk() -> Iterator[None]:
    """No file of this process may grow while it lasts: every write past an end is refused, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_an_event_comes_back_as_it_was_put(path: Path) -> None:
    outbox = Outbox(path)

    outbox.put(alert(1, "end"))

    assert [entry.event for entry in outbox.pending(limit=10)] == [alert(1, "end")]


def test_unacknowledged_events_survive_a_restart(path: Path) -> None:
    before = Outbox(path).put(alert(1))

    [entry] = Outbox(path).pending(limit=10)

    assert (entry.event, entry.log, entry.seq) == (before.event, before.log, before.seq)


def test_events_of_an_earlier_process_count_as_perhaps_sent_and_new_ones_do_not(path: Path) -> None:
    Outbox(path).put(alert(1))
    outbox = Outbox(path)

    outbox.put(alert(2))

    assert [entry.inherited for entry in outbox.pending(limit=10)] == [True, False]


def test_acknowledged_events_do_not_come_back_after_a_restart(path: Path) -> None:
    outbox = Outbox(path)
    first, _ = outbox.put(alert(1)), outbox.put(alert(2))

    outbox.acknowledge([first])

    assert ids(outbox) == ids(Outbox(path)) == ["episode-2"]


def test_pending_starts_behind_a_position_and_ends_at_the_limit(path: Path) -> None:
    outbox = Outbox(path)
    entries = [outbox.put(alert(number)) for number in range(5)]

    found = outbox.pending(limit=2, after=entries[1].position)

    assert [entry.seq for entry in found] == [3, 4]


def test_numbers_go_on_after_a_restart_even_when_all_was_acknowledged_and_pruned(path: Path) -> None:
    outbox = Outbox(path, history=0)
    for number in range(200):
        outbox.acknowledge([outbox.put(alert(number))])
    log = outbox.log
    outbox.close()

    entry = Outbox(path, history=0).put(alert())

    assert (entry.log, entry.seq) == (log, 201)


def test_another_file_has_another_log(tmp_path: Path) -> None:
    assert Outbox(tmp_path / "a.db").log != Outbox(tmp_path / "b.db").log


def test_history_is_kept_for_replay_and_bounded(path: Path) -> None:
    outbox = Outbox(path, history=100)
    for number in range(250):
        outbox.acknowledge([outbox.put(alert(number))])

    assert 100 <= outbox.counts().history < 200  # pruned in lumps of 64
    assert outbox.replay(since_seq=248) == 3
    assert ids(outbox) == ["episode-247", "episode-248", "episode-249"]


def test_oldest_updates_go_first_and_alerts_last_when_there_is_no_room(path: Path) -> None:
    outbox = Outbox(path, max_bytes=30 * EVENT_BYTES)
    for number in range(20):
        outbox.put(alert(number, "new"))
        outbox.put(alert(number, "update"))

    kinds = [entry.event.event_type for entry in outbox.pending(limit=100)]

    assert kinds.count("new") == 20
    assert 8 <= kinds.count("update") < 20
    assert kinds[-1] == "update", "the oldest went, not the newest"
    assert outbox.counts().dropped_updates == 20 - kinds.count("update")
    assert outbox.counts().dropped_alerts == 0


def test_alerts_are_dropped_oldest_first_only_when_no_update_is_left(path: Path) -> None:
    outbox = Outbox(path, max_bytes=10 * EVENT_BYTES)
    for number in range(5):
        outbox.put(alert(number, "update"))
    for number in range(20):
        outbox.put(alert(number, "new"))

    found = outbox.pending(limit=100)

    assert {entry.event.event_type for entry in found} == {"new"}
    assert found[-1].event.id == "episode-19"
    assert outbox.counts().dropped_updates == 5
    assert outbox.counts().dropped_alerts == 20 - len(found)
    assert outbox.counts().size_bytes <= 10 * EVENT_BYTES


def test_history_makes_room_before_any_pending_event_goes(path: Path) -> None:
    outbox = Outbox(path, max_bytes=20 * EVENT_BYTES)
    for number in range(15):
        outbox.acknowledge([outbox.put(alert(number))])
    for number in range(15):
        outbox.put(alert(number, "update"))

    assert len(ids(outbox)) == 15
    assert outbox.counts().dropped_updates == 0


def test_the_file_stays_within_twice_its_bound_and_a_log(path: Path) -> None:
    outbox = Outbox(path, max_bytes=100_000)
    for number in range(600):
        outbox.put(alert(number, "update"))
    largest_log = path.with_name("outbox.db-wal").stat().st_size
    outbox.close()

    assert path.stat().st_size < 200_000
    assert largest_log < 1_300_000


@pytest.mark.parametrize("damage", ["garbage", "middle", "truncated", "other_database", "log_id", "schema"])
def test_a_damaged_file_is_set_aside_and_the_outbox_goes_on_with_a_new_log(path: Path, damage: str) -> None:
    outbox = Outbox(path)
    for number in range(100):
        outbox.put(alert(number))
    old_log = outbox.log
    outbox.close()
    break_file(path, damage)

    outbox = Outbox(path)
    entry = outbox.put(alert(7))

    assert entry.durable
    assert entry.seq == 1
    assert entry.log != old_log
    assert path.with_name("outbox.db.damaged-1").exists()
    assert outbox.counts().set_aside == 1
    assert ids(Outbox(path)) == ["episode-7"]


def break_file(path: Path, damage: str) -> None:
    data = path.read_bytes()
    if damage == "garbage":
        path.write_bytes(b"no database " * 1000)
    elif damage == "middle":
        path.write_bytes(data[:8192] + os.urandom(16384) + data[24576:])
    elif damage == "truncated":
        path.write_bytes(data[: len(data) // 2 + 100])
    elif damage == "log_id":
        path.write_bytes(data.replace(Outbox(path).log.encode(), b"\xff" + Outbox(path).log.encode()[1:]))
    elif damage == "schema":
        path.write_bytes(
            data.replace(b"acknowledged INTEGER NOT NULL DEFAULT 0", b"acknowledged INTEGER NOT NULL D\xffFAULT 0")
        )
    else:
        database = sqlite3.connect(path)
        database.executescript("DROP TABLE event; CREATE TABLE event (something)")
        database.close()


def test_the_file_of_a_later_version_is_left_untouched_and_events_wait_in_memory(path: Path, caplog) -> None:
    outbox = Outbox(path)
    outbox.put(alert(1))
    outbox.close()
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version=99")
    database.close()
    before = path.read_bytes()

    outbox = Outbox(path)
    entry = outbox.put(alert(2))

    assert not entry.durable
    assert [one.event.id for one in outbox.pending(limit=10)] == ["episode-2"]
    assert "written by a later version (format 99" in caplog.text
    assert outbox.counts().set_aside == 0
    assert not outbox.counts().accepting
    outbox.close()
    assert path.read_bytes() == before
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_a_damaged_letter_in_a_name_is_no_disk_that_refuses(path: Path) -> None:
    outbox = Outbox(path)
    outbox.commit([alert(1)], {"pump1": b"{}"})
    outbox.close()
    path.write_bytes(path.read_bytes().replace(b"pump1{", b"\xffump1{"))

    outbox = Outbox(path)

    assert outbox.episodes() == {"\ufffdump1": b""}, "its checksum is of another name"
    assert outbox.put(alert(2)).durable
    assert ids(outbox) == ["episode-1", "episode-2"]


def test_a_file_that_is_damaged_while_in_use_is_replaced_too(path: Path) -> None:
    outbox = Outbox(path)
    before = outbox.put(alert(1))
    outbox.close()  # so that nothing of it is left in a cache
    outbox.put(alert(2))
    with sqlite3.connect(path) as other:
        other.execute("DROP TABLE event")
    other.close()

    entry = outbox.put(alert(3))

    assert entry.durable
    assert entry.log != before.log
    assert entry.position > before.position, "whoever sends in order does not miss it"
    assert ids(outbox) == ["episode-3"]


def test_damaged_files_do_not_pile_up(path: Path) -> None:
    for _ in range(8):
        path.write_bytes(b"no database " * 1000)
        outbox = Outbox(path)
        outbox.put(alert())
        outbox.close()

    assert len(list(path.parent.glob("outbox.db.damaged-*"))) == 5


def test_a_full_disk_sends_from_memory_in_order_and_goes_on_when_there_is_room(path: Path) -> None:
    outbox = Outbox(path)
    durable = outbox.put(alert(1))
    with full_disk():
        refused = [outbox.put(alert(2)), outbox.put(alert(3))]
        meanwhile = outbox.counts()
    after = outbox.put(alert(4))

    assert [entry.durable for entry in (durable, *refused, after)] == [True, False, False, True]
    assert ids(outbox) == ["episode-1", "episode-2", "episode-3", "episode-4"]
    assert [entry.seq for entry in outbox.pending(limit=10)] == [1, 1, 2, 2], "the file's numbers are the file's"
    assert refused[0].log not in (durable.log, None)
    assert (meanwhile.accepting, meanwhile.in_memory, meanwhile.not_durable) == (False, 2, 2)
    assert outbox.counts().accepting
    assert ids(Outbox(path)) == ["episode-1", "episode-4"]


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Neither folder nor files can be written; root, who can write anything, is somebody else meanwhile."""
    files = list(folder.iterdir())
    before = os.geteuid()
    for file in (*files, folder):
        file.chmod(0o444 if file.is_file() else 0o555)
    os.seteuid(before or 65534)
    try:
        yield
    finally:
        os.seteuid(before)
        for file in (folder, *files):
            file.chmod(0o644 if file.is_file() else 0o755)


def test_a_file_opened_on_a_read_only_disk_is_read_and_takes_events_once_it_can_be_written() -> None:
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are closed to others
        path = Path(name) / "outbox.db"
        before = Outbox(path)
        before.put(alert(1))
        with read_only(path.parent):
            outbox = Outbox(path)
            assert ids(outbox) == ["episode-1"]
            refused = outbox.put(alert(2))
            outbox.acknowledge(outbox.pending(limit=1))
        after = outbox.put(alert(3))

        assert (refused.durable, after.durable, after.inherited) == (False, True, False)
        assert ids(outbox) == ["episode-2", "episode-3"]
        assert ids(Outbox(path)) == ["episode-3"], "what was acknowledged meanwhile is not forgotten"


def test_what_was_acknowledged_while_the_disk_was_full_does_not_come_back(path: Path) -> None:
    outbox = Outbox(path)
    first = outbox.put(alert(1))
    with full_disk():
        second = outbox.put(alert(2))
        outbox.acknowledge([first, second])
        assert ids(outbox) == []
        assert outbox.counts().pending == 0
    outbox.put(alert(3))

    assert ids(outbox) == ids(Outbox(path)) == ["episode-3"]


def test_open_episodes_are_kept_with_their_events_and_the_newest_counts(path: Path) -> None:
    outbox = Outbox(path)
    outbox.commit([alert(1), alert(2)], {"pump1": b"one"})
    outbox.commit([], {"pump1": b"two", "pump2": b"three"})
    outbox.put(alert(3))

    again = Outbox(path)

    assert again.episodes() == {"pump1": b"two", "pump2": b"three"}
    assert ids(again) == ["episode-1", "episode-2", "episode-3"]


def test_episodes_that_the_disk_refused_are_saved_with_the_next_commit_or_catch_up(path: Path) -> None:
    outbox = Outbox(path)
    outbox.commit([alert(1)], {"pump1": b"open", "pump2": b"open"})
    with full_disk():
        outbox.commit([alert(1, "end")], {"pump1": b"closed"})
        outbox.catch_up()
    assert not outbox.counts().accepting
    assert Outbox(path).episodes()["pump1"] == b"open"

    outbox.catch_up()

    assert outbox.counts().accepting
    assert Outbox(path).episodes() == {"pump1": b"closed", "pump2": b"open"}


def test_open_episodes_outlast_a_file_that_is_damaged_while_in_use(path: Path) -> None:
    Outbox(path).commit([alert(1)], {"pump1": b"earlier"})
    outbox = Outbox(path)
    outbox.commit([alert(2)], {"pump2": b"now"})
    with sqlite3.connect(path) as other:
        other.execute("DROP TABLE event")
    other.close()

    outbox.put(alert(3))

    assert Outbox(path).episodes() == {"pump1": b"earlier", "pump2": b"now"}


def test_a_file_of_the_format_before_open_episodes_is_taken_over(path: Path) -> None:
    old = Outbox(path)
    old.put(alert(1))
    old.close()
    with sqlite3.connect(path) as database:
        database.executescript("DROP TABLE episodes; PRAGMA user_version=1")
    database.close()

    outbox = Outbox(path)
    outbox.commit([alert(2)], {"pump1": b"open"})

    assert outbox.log == old.log
    assert ids(Outbox(path)) == ["episode-1", "episode-2"]
    assert Outbox(path).episodes() == {"pump1": b"open"}


def test_all_events_are_there_for_who_asks_acknowledged_or_not(path: Path) -> None:
    outbox = Outbox(path)
    outbox.acknowledge([outbox.put(alert(1))])
    outbox.put(alert(2))

    assert [event.id for event in outbox.events()] == ["episode-1", "episode-2"]


def test_a_folder_that_cannot_be_used_leaves_the_memory_queue(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    outbox = Outbox(tmp_path / "file" / "outbox.db", max_in_memory=3)

    entries = [outbox.put(alert(number, "update" if number == 2 else "new")) for number in range(5)]

    assert not any(entry.durable for entry in entries)
    assert ids(outbox) == ["episode-1", "episode-3", "episode-4"], "the update went first, then the oldest"
    assert outbox.counts().dropped_updates == outbox.counts().dropped_alerts == 1
    outbox.acknowledge(entries)
    assert ids(outbox) == []


def test_a_state_folder_that_is_missing_is_made(tmp_path: Path) -> None:
    assert Outbox(tmp_path / "state" / "outbox.db").put(alert()).durable


def test_an_event_that_no_longer_decodes_is_left_out_and_counted(path: Path) -> None:
    outbox = Outbox(path)
    outbox.put(alert(1))
    outbox.put(alert(2))
    with sqlite3.connect(path) as other:
        other.execute("UPDATE event SET body = '{}' WHERE seq = 1")
    other.close()

    assert ids(outbox) == ["episode-2"]
    assert outbox.counts().unreadable == 1
    assert outbox.counts().pending == 1


def test_one_thread_puts_while_another_drains(path: Path) -> None:
    outbox = Outbox(path)
    seen: list[int] = []

    def drain() -> None:
        while len(seen) < 300:
            for entry in outbox.pending(limit=10):
                seen.append(entry.seq)
                outbox.acknowledge([entry])

    drainer = threading.Thread(target=drain, daemon=True)
    drainer.start()
    for number in range(300):
        outbox.put(alert(number))
    drainer.join(30)

    assert seen == list(range(1, 301))


KILLED = """
import sys, pathlib
sys.path[:0] = {paths!r}
from tests.helpers.alerts import alert
from edge.delivery.outbox import Outbox
outbox = Outbox(pathlib.Path({file!r}))
for number in range(1_000_000):
    [entry] = outbox.commit([alert(number)], {{"pump1": str(number + 1).encode()}})
    print(entry.seq, flush=True)
"""


def test_every_event_whose_put_returned_is_there_after_kill_9(path: Path) -> None:
    script = KILLED.format(paths=sys.path, file=str(path))
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert process.stdout is not None
    said = [process.stdout.readline() for _ in range(50)]
    process.kill()
    said += process.stdout.readlines()
    process.wait()

    last = int([line for line in said if line.endswith(b"\n")][-1])

    outbox = Outbox(path)
    kept = [entry.seq for entry in outbox.pending(limit=1_000_000)]
    assert kept[:last] == list(range(1, last + 1))
    assert len(kept) <= last + 1, "at most the one that was being put"
    assert outbox.episodes() == {"pump1": str(len(kept)).encode()}, "what is open is what the last event left"
