"""What is taken or not there for a while: ports, folders, signatures. It is named, and what comes back is taken up."""

import os
import shutil
import socket
import urllib.request
from contextlib import suppress
from functools import partial

from tests.attack.registry import attack
from tests.attack.stand import ALLOW, Stand
from tests.helpers.mosquitto import wait_for

_STDIN = '[[source]]\nname = "field"\ntype = "stdin"\nboard = "pump1"\n'


def _port_taken(table: str, path: str, stand: Stand) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        stand.start(stand.config(broker=f"{ALLOW}[{table}]\nport = {port}\n"))
        stand.serves()
        stand.wait_said(str(port))
    stand.over()

    def answers() -> bool:
        with suppress(OSError):
            return bool(urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5).read())
        return False

    wait_for(answers, f"{table} on the port that is free again; the log ends {stand.log()[-400:]}", 30.0)


for _table, _path in {"prometheus": "/metrics", "web": "/"}.items():
    attack(f"the port of [{_table}] is taken at the start, then free")(partial(_port_taken, _table, _path))


@attack("a path of the state folder that is too long for a socket")
def _long_path(stand: Stand) -> None:
    long = "x" * 120
    text = stand.config().replace("[device]", f'[device]\nstate_dir = "{long}"', 1)
    stand.start(text)
    stand.serves()
    assert stand.command("status").returncode == 0


@attack("a folder where the socket of `status` belongs")
def _folder_socket(stand: Stand) -> None:
    stand.start()
    stand.serves()
    stand.end()
    found = stand.folder / "state" / "agent.sock"
    found.mkdir(parents=True, exist_ok=True)
    stand.start()


@attack("the state folder is a link to a disk that is not mounted yet")
def _dangling(stand: Stand) -> None:
    (stand.folder / "state").symlink_to("disk")
    stand.start()
    stand.serves()
    (stand.folder / "disk").mkdir()
    stand.passed_at = None
    stand.wait_health(lambda body: body["outbox"]["accepting"] is True, "a disk that takes events")


@attack("the history's folder is a file")
def _history(stand: Stand) -> None:
    (stand.folder / "state").mkdir()
    for name in ("history", "archive", "streams"):
        (stand.folder / "state" / name).write_text("")
    stand.start(stand.config(broker=ALLOW + "[history]\narchive_bytes = 1000000\n"))
    stand.serves()
    for name in ("history", "archive", "streams"):
        (stand.folder / "state" / name).unlink()


@attack("a bundle without the signature that it should have is named")
def _no_key(stand: Stand) -> None:
    stand.start(stand.config().replace("[device]", '[device]\nbundle_key = "disk/key.pub"', 1))
    stand.wait_health(lambda body: "signature" in str(body["streams"]["pump1"]["trouble"]), "the trouble")
    stand.to_serve = False


@attack("a writer to standard input who is there and says nothing")
def _still(stand: Stand) -> None:
    stand.start(stand.config(_STDIN), up=False)
    stand.wait_health(lambda body: body["streams"]["pump1"]["trouble"], "trouble")
    stand.to_serve = False


@attack("a line without an end on standard input")
def _endless(stand: Stand) -> None:
    agent = stand.start(stand.config(_STDIN))
    before = stand.health()["rss_bytes"]
    for _ in range(100):
        agent.send_lines(b"1" * 1_000_000)
    grown = (stand.health()["rss_bytes"] - before) / 1e6
    assert grown <= 10.0, f"{grown:.1f} MB more resident"
    stand.wait_health(lambda body: body["streams"]["pump1"]["trouble"], "trouble")
    stand.to_serve = False


@attack("the bundle's folder is unmounted while the agent restarts, and mounted after a minute's wait")
def _unmounted(stand: Stand) -> None:
    stand.start()
    stand.serves()
    stand.end()
    (stand.folder / "tiny").rename(stand.folder / "away")
    stand.start()
    stand.wait_health(lambda body: body["streams"]["pump1"]["trouble"], "trouble")
    shutil.move(stand.folder / "away", stand.folder / "tiny")
    stand.over()


@attack("the agent's file of the program is replaced while it runs, as an upgrade does")
def _upgraded(stand: Stand) -> None:
    from tests.helpers.agent import ROOT

    copy = stand.folder / "program"
    shutil.copytree(ROOT / "edge", copy / "edge", ignore=shutil.ignore_patterns("__pycache__"))
    os.chdir(copy)
    try:
        stand.start(PYTHONPATH=str(copy))
    finally:
        os.chdir(ROOT)
    stand.serves()
    shutil.rmtree(copy / "edge")
    stand.broker.kill()
    stand.broker.start()
    stand.over()
