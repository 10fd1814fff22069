"""The demo's broker: Mosquitto where it is installed, else amqtt inside the demo's own process."""

import asyncio
import logging
import os
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from firmware_sim.demo.processes import DemoError, Processes

HOST = "127.0.0.1"


def mosquitto() -> str | None:
    """The program, if it is installed; Debian keeps it in /usr/sbin, which is not in every user's PATH."""
    return shutil.which("mosquitto", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin"]))


def free_port() -> int:
    """A TCP port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextmanager
def broker(processes: Processes, folder: Path, use_amqtt: bool) -> Iterator[tuple[str, int]]:
    """A broker that accepts connections: its name and port."""
    port, program = free_port(), None if use_amqtt else mosquitto()
    if program:
        config = folder / "mosquitto.conf"
        config.write_text(f"listener {port} {HOST}\nallow_anonymous true\n", "utf-8")
        processes.start("mosquitto", [program, "-c", str(config)])
        processes.wait_for(lambda: _accepts(port), f"mosquitto on port {port}", 10.0)
        yield "Mosquitto", port
    else:
        with _amqtt(port):
            yield "amqtt, inside the demo's own process", port


def _accepts(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), timeout=1.0).close()
    except OSError:
        return False
    return True


@contextmanager
def _amqtt(port: int) -> Iterator[None]:
    """amqtt on an event loop of its own; it knows no last will on time-out and no MQTT 5, so it is for demos only."""
    try:
        from amqtt.broker import Broker
    except ImportError as error:
        raise DemoError(
            f"no Mosquitto and no amqtt ({error}): apt-get install mosquitto, or pip install amqtt"
        ) from error
    for name in ("amqtt", "transitions"):
        logging.getLogger(name).setLevel(logging.ERROR)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="amqtt", daemon=True)
    thread.start()
    listeners = {"default": {"type": "tcp", "bind": f"{HOST}:{port}"}}
    plugins = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}
    made = Broker({"listeners": listeners, "plugins": plugins}, loop=loop)
    asyncio.run_coroutine_threadsafe(made.start(), loop).result(10.0)
    try:
        yield
    finally:
        asyncio.run_coroutine_threadsafe(made.shutdown(), loop).result(10.0)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5.0)
