"""What disks hold: the config, a damaged outbox, and the outbox against its model."""

import math
import tempfile
from contextlib import closing
from functools import cache
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from edge.config.settings import ConfigError, load_config
from edge.delivery.outbox import Outbox
from edge.detector.outcome import Outcome
from edge.detector.rows.row import Row
from edge.history.episode_files import EpisodeFiles
from edge.history.keeper import History
from edge.history.request import answer
from edge.history.settings import HistorySettings
from edge.history.stretch import KeptRow
from edge.state.ledger import Ledger
from edge.wire.payload import encode_payload
from tests.fuzz.inputs import damaged
from tests.fuzz.target import Target, one_line
from tests.helpers.alerts import alert

ROOT = Path(__file__).resolve().parents[2]
_SHORT = b"""[device]
id = "gw-1"
[broker]
host = "localhost"
keepalive_s = 30
[[source]]
name = "field"
type = "mqtt"
[[source]]
name = "tape"
type = "file"
path = "tape.csv"
[[stream]]
id = "pump1"
source = "field"
bundle = "models/pump"
max_gap_s = 5.0
[stream.alarm]
level = 1.2
[stream.rules.flow]
max = 12.5
"""


@cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="offbeat-fuzz-"))


def _config(text: bytes) -> None:
    """A config, or one line that names the file."""
    path = _folder() / "agent.toml"
    path.write_bytes(text)
    try:
        load_config(path)
    except ConfigError as error:
        one_line(error)


@cache
def _sound() -> bytes:
    """An outbox with pending and acknowledged events and an open episode, as one file."""
    path = _folder() / "sound.db"
    with closing(Outbox(path)) as outbox:
        entries = [outbox.put(alert(number)) for number in range(8)]
        outbox.acknowledge(entries[:4])
        Ledger(outbox).commit("pump1", "0" * 64, (alert(9, episode="open"),), {})
    return path.read_bytes()


def _outbox(script: bytes) -> None:
    """Whatever is in the file: it opens or is set aside, takes an event, and still has it after a restart."""
    content = bytearray(_sound())
    for start in range(0, len(script) - 3, 4):
        high, low, what, much = script[start : start + 4]
        place = (high * 256 + low) * len(content) // 65536
        if what == 0:
            del content[place:]
        else:
            content[place : place + much % 32] = bytes([what]) * (much % 32)
    path = _folder() / "outbox.db"
    for file in _folder().glob("outbox.db*"):
        file.unlink()
    path.write_bytes(content)
    with closing(Outbox(path)) as outbox:
        _use(outbox)
        entry = outbox.put(alert(77))
        assert entry.durable
    with closing(Outbox(path)) as outbox:
        assert (entry.log, entry.seq) in [(found.log, found.seq) for found in outbox.pending(limit=100)]


def _use(outbox: Outbox) -> None:
    ledger = Ledger(outbox)
    for stream in ("pump1", "pump2"):
        ledger.load(stream, "0" * 64)
        ledger.settle(stream, "0" * 64, {})
    outbox.acknowledge(outbox.pending(limit=3))
    outbox.replay(0)


@cache
def _sound_rows() -> bytes:
    """The file of an episode's rows."""
    files = EpisodeFiles(_folder() / "sound", 10, 10**6)
    head = {"kind": "anomaly", "start_time": 20.0, "channels": [{"name": "a", "unit": ""}, {"name": "b", "unit": "m"}]}
    files.create(
        "pump1", "e1", head, [KeptRow(float(n), n / 7, [n * 1.5, math.nan], [1.0, 2.0], [0.1, 0.2]) for n in range(6)]
    )
    files.append("pump1", "e1", [], 25.0)
    return (_folder() / "sound/pump1/e1.rows").read_bytes()


def _rows(content: bytes) -> None:
    """Whatever is in the file: rows in order, of one form, that JSON takes, or none; and an episode goes on with it."""
    folder = _folder() / "rows"
    (folder / "history/pump1").mkdir(parents=True, exist_ok=True)
    file = folder / "history/pump1/e1.rows"
    file.write_bytes(content)
    history = History(folder, HistorySettings(episode_rows=100))
    found = history.around("e1")
    if found is not None:
        assert (found.times[1:] > found.times[:-1]).all()
        assert found.values.shape == (len(found), len(found.channels))
        encode_payload(answer(history, {"event_id": "e1"}))
    outcome = Outcome(0, 30.0, 1.0, True, "ON", "e1", None, ())
    for second in range(120):
        history.row("pump1", (("a", ""), ("b", "m")), Row(30.0 + second, np.zeros(2)), outcome)
    history.flush()
    file.write_bytes(content)
    history._files.choose("pump1", "e1", lambda times, _scores: np.arange(len(times))[:3])


TARGETS = (
    Target("rows' file, damaged", 1, st.deferred(lambda: damaged([_sound_rows()])), _rows, slow=True),
    Target("config, short", 2, damaged([_SHORT]), _config),
    Target("config, the example", 1, damaged([(ROOT / "agent.example.toml").read_bytes()]), _config),
    Target("outbox file, damaged", 1, st.binary(max_size=16), _outbox, slow=True),
)
