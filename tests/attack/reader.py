"""The other end: whoever reads alerts loses none, and nothing that is sent steers their terminal."""

import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from functools import partial

from edge.watch.reader import AlertReader
from tests.attack.registry import attack
from tests.attack.stand import Stand
from tests.helpers.agent import ROOT, events
from tests.helpers.mosquitto import wait_for


def _raises(protocol: str, stand: Stand) -> None:
    errors = iter((OSError, MemoryError, SystemExit, KeyboardInterrupt, BrokenPipeError, ValueError))
    seen, stop = [], threading.Event()

    def callback(received: object, _payload: bytes) -> None:
        if (error := next(errors, None)) is not None:
            raise error("on purpose")
        seen.append(received)

    reader = AlertReader(replace(stand.broker.settings, protocol=protocol), callback, hold_s=0.2)

    def read() -> None:
        while not stop.is_set():
            try:
                reader.run(stop)
            except BaseException:  # the caller's; it goes on
                time.sleep(0.05)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    wait_for(lambda: reader.connected, "the reader")
    stand.start()
    stand.serves()
    wait_for(lambda: {one.seq for one in seen} >= {event["seq"] for event in events(stand.listener)}, "all", 30.0)
    stop.set()
    thread.join(10)


for _protocol in ("5", "3.1.1"):
    attack(f"a callback that raises whatever it likes, MemoryError and SystemExit among it, MQTT {_protocol}")(
        partial(_raises, _protocol)
    )


@attack("watch | head -1 ends with the first line")
def _head(stand: Stand) -> None:
    stand.start()
    line = f"{sys.executable} -m edge watch --host 127.0.0.1 --port {stand.broker.port} --json | head -1"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(line, shell=True, stdout=subprocess.PIPE, env=environment) as watching:
        time.sleep(2.0)
        for _ in range(3):
            stand.serves()
            if watching.poll() is not None:
                break
        assert watching.wait(20) == 0
        assert watching.stdout is not None
        assert watching.stdout.read().startswith(b"{")


@attack("an event with controls, marks and forged lines does not steer watch")
def _steers(stand: Stand) -> None:
    stand.start()
    line = [
        sys.executable,
        "-m",
        "edge",
        "watch",
        "--host",
        "127.0.0.1",
        "--port",
        str(stand.broker.port),
        "--timeout",
        "6",
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment) as watching:
        time.sleep(2.0)
        stand.serves()
        whole = stand.listener.on("offbeat/gw-1/pump1/event")[-1]
        other = whole.replace(b'"device":"gw-1"', b'"device":"gw-9"')
        bad = other.replace(b'"flow"', b'"\\u001b[2J\\u009b31m\\u202eflow"')
        stand.send("offbeat/gw-9/pump1/event", bad, b"\xff", b"{", b"[" * 10_000)
        output = watching.communicate(timeout=20)[0].decode("utf-8", "replace")
    assert not {"\x1b[2J", "\x9b", "\u202e"} & {mark for mark in ("\x1b[2J", "\x9b", "\u202e") if mark in output}, (
        output
    )
