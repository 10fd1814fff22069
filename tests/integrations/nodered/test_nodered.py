"""The example flow in Node-RED itself, headless: one message an episode, also where events come twice.

OFFBEAT_NODE names the folder whose node_modules has node-red (`npm install node-red@4`).
"""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as paho
import pytest

from tests.helpers.mosquitto import Broker, missing, wait_for

pytestmark = pytest.mark.integration
FLOW = Path(__file__).resolve().parents[3] / "edge/examples/nodered/alerts.json"
OUTPUTS = {"offbeat-new": "new", "offbeat-worse": "worse", "offbeat-over": "over"}


class NodeRed:
    """A Node-RED of its own with the example flow, its debug nodes replaced by files."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self._known: dict[str, int] = {}
        (folder / "flows.json").write_text(
            json.dumps([self._adapted(node, port) for node in json.loads(FLOW.read_text())])
        )
        settings = {"flowFile": "flows.json", "userDir": str(folder), "httpAdminRoot": False, "httpNodeRoot": False}
        (folder / "settings.js").write_text(f"module.exports = {json.dumps(settings)};")
        binary = Path(os.environ.get("OFFBEAT_NODE", "build/node"), "node_modules/.bin/node-red").resolve()
        if not binary.is_file():
            missing("Node-RED (OFFBEAT_NODE, a folder with node_modules; make test-integrations)")
        self._log = (folder / "node-red.log").open("wb")
        line = [str(binary), "--settings", str(folder / "settings.js"), "--userDir", str(folder), "--port", "0"]
        self.process = subprocess.Popen(line, stdout=self._log, stderr=subprocess.STDOUT)
        wait_for(lambda: "Connected to broker" in self.log(), "Node-RED's connection; its log: " + self.log(), 180)

    def _adapted(self, node: dict, port: int) -> dict:
        if node["type"] == "mqtt-broker":
            return {**node, "port": str(port)}
        if node["id"] in OUTPUTS:
            file = str(self.folder / f"{OUTPUTS[node['id']]}.txt")
            more = {
                "type": "file",
                "filename": file,
                "filenameType": "str",
                "appendNewline": True,
                "overwriteFile": "false",
            }
            return {**node, **more}
        return node

    def log(self) -> str:
        return (self.folder / "node-red.log").read_text(errors="replace")

    def got(self, output: str) -> list[str]:
        return self._all(output)[self._known.get(output, 0) :]

    def forget(self) -> None:
        """What came so far."""
        self._known = {output: len(self._all(output)) for output in OUTPUTS.values()}

    def _all(self, output: str) -> list[str]:
        file = self.folder / f"{output}.txt"
        return file.read_text().splitlines() if file.exists() else []

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)
        self._log.close()


@pytest.fixture
def nodered(broker: Broker, tmp_path: Path) -> Iterator[NodeRed]:
    (tmp_path / "nodered").mkdir()
    one = NodeRed(tmp_path / "nodered", broker.port)

    def hears() -> list[str]:  # "connected" it is before it has subscribed
        send(broker, event(1, "probe", log="probe"))
        return one.got("new")

    wait_for(hears, "Node-RED's subscription", 60)
    one.forget()
    yield one
    one.stop()


def event(seq: int, episode: str, kind: str = "new", severity: str = "warning", **more) -> dict:
    contributor = {"channel": "flow", "value": 9.5, "expected": 4.0, "unit": "l/s"}
    head = {"schema": 1, "event_type": kind, "id": episode, "log": "a", "seq": seq, "device": "gw-1", "stream": "pump1"}
    return {**head, "kind": "anomaly", "severity": severity, "contributors": [contributor], "rule": None, **more}


def send(broker: Broker, *events: dict | bytes) -> None:
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    for one in events:
        payload = one if isinstance(one, bytes) else json.dumps(one).encode()
        client.publish("offbeat/gw-1/pump1/event", payload, qos=1).wait_for_publish(10)
    client.disconnect()
    client.loop_stop()


def test_an_episode_is_told_of_once_however_often_its_events_come(broker, nodered):
    first = [
        event(1, "a"),
        event(2, "a", "update"),
        event(3, "a", "update", "critical"),
        event(4, "a", "end", "critical"),
    ]
    second = [event(5, "b", severity="info"), event(6, "b", "end", "info")]

    send(broker, *first, *second, *first, *second, event(7, "c"))

    wait_for(lambda: len(nodered.got("new")) >= 3, "three episodes")
    assert nodered.got("new") == [
        "gw-1 pump1 warning: flow 9.5 l/s, expected 4",
        "gw-1 pump1 info: flow 9.5 l/s, expected 4",
        "gw-1 pump1 warning: flow 9.5 l/s, expected 4",
    ]
    assert len(nodered.got("worse")) == 1
    assert len(nodered.got("over")) == 2


def test_streams_that_fail_together_are_told_of_once(broker, nodered):
    send(broker, *(event(number, f"e{number}", group="g", stream=f"pump{number}") for number in range(20)))
    send(broker, event(20, "other"))

    wait_for(lambda: len(nodered.got("new")) >= 2, "the group and the other")
    assert len(nodered.got("new")) == 2


def test_an_envelope_is_opened_and_foreign_messages_are_passed_over(broker, nodered):
    send(broker, b"[]", b'"text"', b"{}", {"specversion": "1.0", "data": event(1, "a")})

    wait_for(lambda: nodered.got("new"), "the event")
    assert len(nodered.got("new")) == 1
