"""What a gateway runs out of for a while: descriptors, memory, threads, time, room for its log."""

import os
import resource
import signal
import socket
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

from tests.attack.chores.running import injected, limited, started_with
from tests.attack.registry import attack
from tests.attack.stand import Stand
from tests.helpers.agent import NO_THREADS, reload_signal
from tests.helpers.mosquitto import wait_for

_LASTS_S = 6.0


@attack("file descriptors run out while the broker restarts", quick=True)
def _descriptors(stand: Stand) -> None:
    agent = stand.start()
    stand.serves()
    used = len(os.listdir(f"/proc/{agent.process.pid}/fd"))
    with limited(stand, resource.RLIMIT_NOFILE, used - 2):
        stand.broker.kill()
        stand.broker.start()
        time.sleep(_LASTS_S)
    stand.over()


@attack("32 file descriptors from the start on")
def _few(stand: Stand) -> None:
    started_with(stand, stand.config(), "ulimit -n 32;")


@attack("no more memory while readings come, MQTT and all")
def _memory(stand: Stand) -> None:
    agent = stand.start()
    stand.serves()
    pages = int(Path(f"/proc/{agent.process.pid}/statm").read_text().split()[0])
    with limited(stand, resource.RLIMIT_AS, pages * os.sysconf("SC_PAGE_SIZE")):
        until = time.monotonic() + _LASTS_S
        while time.monotonic() < until:
            stand.send("sensors/pump1/readings", b'{"values":{"flow":1' + b" " * 60_000 + b"}}")
            stand.normal(5)
    stand.over()


@attack("no more memory while the broker is away and the config is read again")
def _memory_away(stand: Stand) -> None:
    agent = stand.start()
    stand.serves()
    pages = int(Path(f"/proc/{agent.process.pid}/statm").read_text().split()[0])
    with limited(stand, resource.RLIMIT_AS, pages * os.sysconf("SC_PAGE_SIZE")):
        stand.broker.kill()
        stand.broker.start()
        reload_signal(agent)
        time.sleep(_LASTS_S)
    stand.over()


@attack("no thread can be started while the config is read again with another source")
def _threads(stand: Stand) -> None:
    mark = stand.folder / "no-threads"
    agent = stand.start(PYTHONPATH=injected(stand, NO_THREADS), OFFBEAT_NO_THREADS=str(mark))
    stand.serves()
    mark.touch()
    whole = stand.config()
    (stand.folder / "agent.toml").write_text(whole.replace('name = "field"', 'name = "fields"').replace(
        'source = "field"', 'source = "fields"'))  # fmt: skip
    reload_signal(agent)
    time.sleep(_LASTS_S)
    mark.unlink()
    (stand.folder / "agent.toml").write_text(whole)
    reload_signal(agent)
    stand.over()


@attack("no file may grow, the log's neither")
def _growth(stand: Stand) -> None:
    stand.start()
    stand.serves()
    with limited(stand, resource.RLIMIT_FSIZE, 0):
        stand.serves()
        time.sleep(_LASTS_S)
    stand.passed_at = None
    stand.serves()
    stand.wait_health(lambda body: body["outbox"]["accepting"] is True, "a disk that takes events again")


@attack("the disk of the log is full from the start on", quick=True)
def _full_log(stand: Stand) -> None:
    with open("/dev/full", "wb") as full:
        started_with(stand, stand.config(), stdout=full, stderr=full)


@attack("standard error is closed")
def _closed(stand: Stand) -> None:
    started_with(stand, stand.config(), stderr=subprocess.DEVNULL, before="exec 2>&- 1>&- 0<&-;")


@attack("whoever reads the log goes away")
def _reader_gone(stand: Stand) -> None:
    end, other = os.pipe()
    started_with(stand, stand.config(), stderr=other)
    os.close(other)
    stand.serves()
    os.close(end)
    assert stand.agent is not None
    for _ in range(5):
        reload_signal(stand.agent)
        time.sleep(0.2)
    stand.passed_at = None


@attack("whoever reads the log hangs: it is written to nobody", quick=True)
def _reader_hangs(stand: Stand) -> None:
    end, other = os.pipe()
    agent = started_with(stand, stand.config().replace("[device]", '[device]\nlog_level = "debug"', 1), stderr=other)
    os.close(other)
    stand.serves()
    (stand.folder / "agent.toml").write_text(stand.config() + "\n[strange-" + "x" * 2000 + "]\n")
    for _ in range(100):  # more than a pipe holds
        reload_signal(agent)
        time.sleep(0.05)
    (stand.folder / "agent.toml").write_text(stand.config())
    stand.passed_at = None
    stand.serves()
    os.close(end)


@attack("the gateway is suspended for 20 seconds")
def _suspended(stand: Stand) -> None:
    agent = stand.start()
    stand.serves()
    agent.process.send_signal(signal.SIGSTOP)
    time.sleep(20.0)
    agent.process.send_signal(signal.SIGCONT)
    stand.over()


@attack("500 SIGHUPs while rows come")
def _hangups(stand: Stand) -> None:
    agent = stand.start()
    stand.serves()
    before = stand.health()["streams"]["pump1"]["readings"]
    for _ in range(500):
        reload_signal(agent)
        time.sleep(0.002)
    stand.normal(50)
    wait_for(lambda: stand.health()["streams"]["pump1"]["readings"] >= before + 50, "all the rows", 30.0)


@attack("500 connections to the socket of `status`, held open, with noise")
def _local_socket(stand: Stand) -> None:
    stand.start()
    stand.serves()
    found = [path for path in (stand.folder / "state").rglob("*") if path.is_socket()]
    assert found, "no socket of status"
    with ExitStack() as stack:
        for number in range(500):
            client = stack.enter_context(socket.socket(socket.AF_UNIX))
            client.settimeout(1.0)
            try:
                client.connect(str(found[0]))
                client.send(os.urandom(100) if number % 2 else b"")
            except OSError:
                continue
        stand.serves()
    stand.passed_at = None
    done = stand.command("status")
    assert done.returncode == 0, done.stdout + done.stderr
