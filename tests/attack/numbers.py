"""Numbers and names at their edges: intervals, cells, channel names."""

import time

from tests.attack.registry import attack
from tests.attack.stand import ALLOW, Stand
from tests.helpers.agent import MQTT, PUMP
from tests.helpers.mosquitto import wait_for


@attack("a keepalive shorter than every other interval is kept")
def _keepalive(stand: Stand) -> None:
    text = stand.config(broker="keepalive_s = 2\n" + ALLOW).replace("health_every_s = 0.2", "health_every_s = 60.0")
    stand.start(text)
    time.sleep(8.0)
    assert stand.log().count("connected to") == 1, stand.log()
    assert "timeout" not in stand.broker.log().lower()


def _tape(stand: Stand, lines: str) -> None:
    tape = '[[source]]\nname = "tape"\ntype = "file"\npath = "tape.csv"\nboard = "pump2"\ntime_column = "time"\n'
    (stand.folder / "tape.csv").write_text(lines)
    stand.start(stand.config(MQTT + tape, PUMP, 'id = "pump2"\nbundle = "tiny"\nsource = "tape"\n'))


@attack("a CSV cell of 200 KB")
def _cell(stand: Stand) -> None:
    rows = "".join(f"{1_763_772_000 + number},2.0,5.0\n" for number in range(50))
    long = f"{1_763_772_050},{'9' * 200_000},5.0\n"
    more = "".join(f"{1_763_772_051 + number},2.0,5.0\n" for number in range(50))
    _tape(stand, "time,flow,pressure\n" + rows + long + more)
    wait_for(lambda: stand.health()["streams"]["pump2"]["rows"] >= 90, "the rows around it", 30.0)


@attack("a CSV of NULs beside a source that serves")
def _nuls(stand: Stand) -> None:
    _tape(stand, "time,flow,pressure\n" + "\x00" * 100_000 + "\n1763772000,2.0,5.0\n")
    stand.wait_said("source tape: 1 bad frames so far, the last: line 2: longer than")


@attack("a queue of one reading")
def _queue(stand: Stand) -> None:
    stand.start(stand.config().replace('id = "gw-1"', 'id = "gw-1"\nqueue_readings = 1', 1))
    assert stand.health()
    stand.to_serve = False


@attack("the largest numbers that a config may have")
def _largest(stand: Stand) -> None:
    stand.start(stand.config(MQTT, PUMP + "max_hold_s = 1e9\nmax_gap_s = 1e9\noffline_after_s = 1e9\n"))
