"""The compose project as it is: from `up` to an alert, and again after `down`, with nothing lost."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator

import pytest

from edge.wire.broker import BrokerSettings
from release.image import DEPLOY
from tests.helpers.mosquitto import Listener, wait_for
from tests.integrations.containers.store import healthy, make_services, podman

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1200)]
_CHECKED = ("broker", "agent", "page", "prometheus")


class Project:
    """`podman-compose` under a name and on ports of its own."""

    def __init__(self, image: str) -> None:
        self.name = f"offbeat-test-{uuid.uuid4().hex[:8]}"
        names = ("BROKER", "PAGE", "PROMETHEUS")
        self.ports = dict(zip(names, _free_ports(len(names)), strict=True))
        ports = {f"OFFBEAT_{name}_PORT": str(port) for name, port in self.ports.items()}
        self._environment = {**os.environ, **ports, "OFFBEAT_IMAGE": image, "OFFBEAT_FAULT": "leak@60s+20m"}

    def compose(self, *arguments: str) -> str:
        line = [sys.executable, "-m", "podman_compose", "--project-name", self.name, *arguments]
        done = subprocess.run(line, cwd=DEPLOY, env=self._environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def up(self) -> None:
        began = time.monotonic()
        self.compose("up", "--detach")
        for service in _CHECKED:
            wait_for(lambda: healthy(f"{self.name}_{service}_1"), f"a healthy {service}", 240)  # noqa: B023
        print(f"ready after {time.monotonic() - began:.0f} s")

    def passwords(self) -> dict[str, str]:
        lines = self.compose("run", "--rm", "prepare", "--show").splitlines()
        return {line.split()[0]: line.split()[1] for line in lines if "  " in line}

    def listener(self) -> Listener:
        password = self.passwords()["viewer"]
        broker = BrokerSettings(host="127.0.0.1", port=self.ports["BROKER"], username="viewer", password=password)
        return Listener(broker, ("offbeat/#",))

    def page(self, password: str) -> urllib.request.OpenerDirector:
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        url = f"http://127.0.0.1:{self.ports['PAGE']}/login"
        opener.open(url, urllib.parse.urlencode({"password": password}).encode(), timeout=20).close()
        return opener

    def get(self, name: str, path: str, opener: urllib.request.OpenerDirector | None = None) -> dict:
        url = f"http://127.0.0.1:{self.ports[name]}{path}"
        with (opener or urllib.request.build_opener()).open(url, timeout=20) as answer:
            return json.load(answer)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@pytest.fixture
def project(image) -> Iterator[Project]:
    make_services()
    one = Project(image)
    try:
        one.up()
        yield one
    finally:
        one.compose("down", "--volumes", "--timeout", "5")


def _events(listener: Listener) -> list[dict]:
    return [json.loads(payload) for payload in listener.on("offbeat/gw-1/pump1/event")]


def test_an_alert_arrives_everywhere_and_down_and_up_lose_nothing(project):
    listener = project.listener()
    first = wait_for(lambda: _events(listener), "an alert at a subscriber", 240)[0]
    listener.close()
    opener = project.page(project.passwords()["page"])
    asked = lambda: project.get("PAGE", "/api/episodes", opener)["episodes"]  # noqa: E731
    wait_for(lambda: first["id"] in [one["id"] for one in asked()], "the alert on the page", 30)
    rule = "/api/v1/query?query=" + urllib.parse.quote('ALERTS{alertname="OffbeatEpisode",alertstate="firing"}')
    wait_for(lambda: project.get("PROMETHEUS", rule)["data"]["result"], "the alert in Prometheus", 90)
    before = project.passwords()

    project.compose("down", "--timeout", "20")
    project.up()

    assert project.passwords() == before
    opener = project.page(before["page"])
    assert first["id"] in [one["id"] for one in project.get("PAGE", "/api/episodes", opener)["episodes"]]
    rows = f"/api/rows/gw-1?event_id={first['id']}"
    assert project.get("PAGE", rows, opener), "the rows around it are the agent's, on its volume"
    listener = project.listener()
    later = wait_for(lambda: [one for one in _events(listener) if one["seq"] > first["seq"]], "a later event", 240)
    assert {one["log"] for one in later} == {first["log"]}
    listener.close()


def test_nobody_gets_in_without_a_password(project):
    with pytest.raises(AssertionError, match="did not confirm"):
        Listener(BrokerSettings(host="127.0.0.1", port=project.ports["BROKER"]), ("#",))
    with urllib.request.urlopen(f"http://127.0.0.1:{project.ports['PAGE']}/", timeout=20) as answer:
        assert answer.url.endswith("/login")
    logs = "".join(podman("logs", f"{project.name}_{name}_1") for name in ("prepare", "agent", "page"))
    assert not [user for user, password in project.passwords().items() if password in logs]
