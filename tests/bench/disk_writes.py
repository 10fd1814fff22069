"""What a day of operation writes to the disk, and how long a commit takes: `python -m tests.bench.disk_writes`.

A day of one stream at 1 Hz as the agent saves it: a state file every 600 s, and some episodes, each with a `new`,
an `update` a minute for ten minutes and an `end`, acknowledged one by one. Bytes are those that the kernel counts
for this process (write_bytes of /proc/self/io): what the file system's own journal adds is not among them.
"""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

from edge.agent.loading import load_streams
from edge.config.settings import StreamConfig
from edge.delivery.figures import process_figures
from edge.delivery.outbox import Outbox
from edge.detector.events.episode import Episode
from edge.state.files import StateFiles
from edge.state.ledger import Ledger
from edge.state.snapshots import Snapshots
from edge.wire.events import Event
from tests.helpers.alerts import alert
from tests.helpers.tiny_bundle import write_tiny_bundle

SAVES_A_DAY = 86_400 // 600
UPDATES = 10


def written_bytes() -> int:
    """Bytes that this process sent to the disk so far; 0 where the system does not tell."""
    return process_figures()["written_bytes"] or 0


def save_for_a_day(folder: Path, bundle: Path) -> None:
    """The state files of one stream whose baseline has moved before each."""
    config = StreamConfig(id="pump1", source="rig", board="pump1", bundle=bundle)
    group = load_streams([config], "auto", live=()).group
    snapshots = Snapshots(
        StateFiles(folder / "streams"), Ledger(Outbox(folder / "o.db")), ["pump1"], 600.0, lambda: 0.0
    )
    snapshots.attach(group)
    for _ in range(SAVES_A_DAY):
        state = group.snapshot(0)
        group.restore(0, {**state, "baseline": [[value + 1e-3 for value in slot] for slot in state["baseline"]]})
        snapshots.save(0)


def episode(outbox: Outbox, ledger: Ledger, number: int) -> None:
    """One episode from `new` to `end`, each event acknowledged before the next."""
    first = alert(number)
    events: list[Event] = [first, *(replace(first, event_type="update") for _ in range(UPDATES)), alert(number, "end")]
    for event in events:
        open_ = {} if event.event_type == "end" else {"": Episode(event, 60.0).to_dict()}
        ledger.commit("pump1", "a" * 64, [event], open_)
        outbox.acknowledge(outbox.pending(limit=10))


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--episodes", type=int, default=100, help="in the day (100)")
    episodes = parser.parse_args().episodes
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
        folder = Path(name)
        bundle = write_tiny_bundle(folder / "tiny").folder
        before = written_bytes()
        save_for_a_day(folder, bundle)
        saved = written_bytes() - before
        outbox = Outbox(folder / "outbox.db")
        ledger = Ledger(outbox)
        for number in range(episodes):
            episode(outbox, ledger, number)
        told = written_bytes() - before - saved
    commits = outbox.commit_s
    print(f"{SAVES_A_DAY} saves of a state: {saved / 1e6:.2f} MB a day")
    print(f"{episodes} episodes of {UPDATES + 2} events: {told / 1e6:.2f} MB, {told / episodes / 1e3:.0f} kB each")
    print(f"commit: {commits.percentile(50) * 1e3:.2f} ms median, {commits.percentile(99) * 1e3:.2f} ms at 99 %")


if __name__ == "__main__":
    main()
