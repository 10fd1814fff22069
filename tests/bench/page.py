"""What the live page costs: `python -m tests.bench.page [--minutes 10] [--agent FOLDER]`.

A page process before twenty made-up streams at 1 Hz, with five open pages that ask as a browser does: resident memory
and its growth, alert to page, and, where Chromium is (OFFBEAT_NODE as for the tests), kilobytes of the first load and
requests elsewhere. With `--agent` and a folder of model files (`python -m tests.bench.model_files FOLDER`) also an
agent at 10 Hz with page, discovery and metrics on and no browser, beside the same agent without, in turns.
"""

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from http.client import HTTPResponse
from pathlib import Path
from statistics import median

from tests.bench.agent_load import Load, cpu_s, load, resident_mb
from tests.helpers.mosquitto import Broker, wait_for
from tests.helpers.page import Device, event, open_episode, rows_answer, state

STREAMS, CLIENTS, ALERTS = 20, 5, 20
_SETTLE_S = 20.0
_BESIDE = "[homeassistant]\ndiscovery = true\n[prometheus]\nport = 0\n[web]\nport = 0\n"


class Client(threading.Thread):
    """An open page: follows `/live`; what changes it asks for, at most twice a second, and rows once a second."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self._url, self._asked = url, 0.0
        self.seen: dict[str, float] = {}
        """When an episode, its overview included, had been fetched; monotonic seconds."""

    def run(self) -> None:
        """Until the process ends."""
        threading.Thread(target=self._follow_rows, daemon=True).start()
        with contextlib.suppress(OSError), urllib.request.urlopen(self._url + "/live", timeout=60) as live:
            assert isinstance(live, HTTPResponse)
            for line in live:
                if line.startswith(b"data: "):
                    self._heard(json.loads(line[6:]))

    def _heard(self, message: dict) -> None:
        if message["kind"] == "event":
            _get(f"{self._url}/api/episode/{message['id']}")
            _get(self._url + "/api/overview")
            self.seen[message["id"]] = time.monotonic()
        elif time.monotonic() - self._asked > 0.5:
            self._asked = time.monotonic()
            _get(self._url + "/api/overview")

    def _follow_rows(self) -> None:
        with contextlib.suppress(OSError):  # until the page goes
            while True:
                _get(self._url + "/api/rows/gw-1?stream=pump1")
                time.sleep(1.0)


def page_figures(minutes: float) -> dict[str, float | str]:
    """The page process before twenty streams."""
    with tempfile.TemporaryDirectory() as name:
        broker = Broker(Path(name)).start()
        line = [sys.executable, "-m", "edge", "watch", "--web", "--web-port", "0", "--host", "127.0.0.1"]
        page = subprocess.Popen([*line, "--port", str(broker.port), "--web-store", f"{name}/page.db"],
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)  # fmt: skip
        try:
            assert page.stdout is not None
            url = page.stdout.readline().split()[2].rstrip("/")
            return _counted(page.pid, url, broker, minutes)
        finally:
            page.terminate()
            page.wait(10)
            broker.kill()


def _counted(pid: int, url: str, broker: Broker, minutes: float) -> dict[str, float | str]:
    wait_for(lambda: _get(url + "/api/overview")["broker"]["there"], "the page's broker")
    idle_mb = resident_mb(pid)
    device, over = Device(broker), threading.Event()
    device.is_there("rows", "ack")
    device.answers["rows"] = rows_answer(600)
    publishing = threading.Thread(target=_publish, args=(device, over), daemon=True)
    publishing.start()
    clients = [Client(url) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    time.sleep(_SETTLE_S)
    before, worked, began = resident_mb(pid), cpu_s(pid), time.monotonic()
    waited = _alerts(device, clients)
    time.sleep(max(0.0, minutes * 60 - (time.monotonic() - began)))
    cpu_share, after = (cpu_s(pid) - worked) / (time.monotonic() - began), resident_mb(pid)
    browser = _browser(url)
    over.set()
    publishing.join(5)
    device.close()
    return {
        "page alone, MB": idle_mb,
        f"{CLIENTS} pages open, {STREAMS} streams at 1 Hz, MB (45)": after,
        f"growth in {minutes:g} minutes, MB (2)": after - before,
        "share of a processor": cpu_share,
        "alert to page, median s": median(waited),
        "alert to page, longest s (2)": max(waited),
        **browser,
    }


def _publish(device: Device, over: threading.Event) -> None:
    while not over.wait(1.0):
        for number in range(STREAMS):
            device.says(f"pump{number}/availability", "online")
            device.says(f"pump{number}/state", state())


def _alerts(device: Device, clients: list[Client]) -> list[float]:
    """From publishing an alert to the last page's having it."""
    waited = []
    for number in range(ALERTS):
        name, sent = f"{time.time():.6f}-{number}", time.monotonic()
        device.says("pump1/state", state(open_episode(id=name)))
        device.says("pump1/event", event(number + 1, id=name), retain=False)
        wait_for(lambda name=name: all(name in client.seen for client in clients), "an alert on every page", 20)
        waited.append(max(client.seen[name] for client in clients) - sent)
    return waited


def _browser(url: str) -> dict[str, float | str]:
    modules = Path(os.environ.get("OFFBEAT_NODE", "build/node"), "node_modules").resolve()
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None or not (modules / "playwright-core").is_dir():
        return {"first load, requests elsewhere": "not measured: no Chromium or no playwright-core in OFFBEAT_NODE"}
    visit = Path(__file__).parents[1] / "integrations/page/visit.js"
    environment = {**os.environ, "NODE_PATH": str(modules), "CHROMIUM": browser}
    found: dict[str, float | str] = {}
    for name, path in (("overview", "/"), ("stream", "/stream/gw-1/pump1")):
        with tempfile.TemporaryDirectory() as folder:
            line = ["node", str(visit), "light", "1280", "860", f"{folder}/shot.png", url + path, "wait:3000"]
            done = json.loads(subprocess.run(line, env=environment, check=True, stdout=subprocess.PIPE).stdout)
        found |= {f"first load of {name} and 3 s, kB (250)": done["kilobytes"]}
        found |= {f"requests elsewhere of {name} (0)": len(done["elsewhere"])}
    return found


def agent_figures(files: Path, rounds: int) -> dict[str, float | str]:
    """What page, discovery and metrics add to an agent that nobody looks at."""
    loads: dict[str, list[Load]] = {"": [], _BESIDE: []}
    for _ in range(rounds):
        for extra, known in loads.items():
            known.append(load(files, 1, 10.0, extra=extra))
    without, beside = loads[""], loads[_BESIDE]
    cpu = [median(one.cpu_share for one in known) for known in (without, beside)]
    memory = [median(one.resident_mb for one in known) for known in (without, beside)]
    return {
        "agent without, % of a processor": 100 * cpu[0],
        "agent with all three, % of a processor": 100 * cpu[1],
        "more, % of a processor (1)": 100 * (cpu[1] - cpu[0]),
        "agent without, MB": memory[0],
        "agent with all three, MB": memory[1],
        "more, MB (25)": memory[1] - memory[0],
    }


def _get(url: str) -> dict:
    with urllib.request.urlopen(url, timeout=20) as answer:
        found: dict = json.load(answer)
        return found


def main() -> None:
    """Print a figure a line; in brackets what it must not exceed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--agent", type=Path, metavar="FOLDER")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    figures = {} if options.minutes <= 0 else page_figures(options.minutes)
    if options.agent is not None:
        figures |= agent_figures(options.agent, options.rounds)
    for name, figure in figures.items():
        print(f"{name}: {figure if isinstance(figure, str | int) else f'{figure:.2f}'}", flush=True)


if __name__ == "__main__":
    main()
