"""What disks hold: the config, a damaged outbox, and the outbox against its model."""

import tempfile
from contextlib import closing
from functools import cache
from pathlib import Path

from hypothesis import strategies as st

from edge.config.settings import ConfigError, load_config
from edge.delivery.outbox import Outbox
from edge.state.ledger import Ledger
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


TARGETS = (
    Target("config, short", 2, damaged([_SHORT]), _config),
    Target("config, the example", 1, damaged([(ROOT / "agent.example.toml").read_bytes()]), _config),
    Target("outbox file, damaged", 1, st.binary(max_size=16), _outbox, slow=True),
)
