"""The live page in a thread, with a real broker behind it, and a client without a browser."""

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest

from edge.web.password import hashed
from edge.web.server import address, listen, make_server
from edge.web.service import PageService
from edge.web.settings import WebSettings
from tests.helpers.mosquitto import Broker, wait_for

EPISODE = "01a21ab1-5130-77c8-912d-8ea10459383f"


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Leaves a redirection to the test."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Page:
    """Serves until `stop`; `get` and `post` are a browser's with one cookie."""

    def __init__(self, broker: Broker, store: Path | None, **settings: Any) -> None:
        self.settings = WebSettings(**{"port": 0, **settings})
        self._socket = listen(self.settings)
        self.service = PageService(broker.settings, store=store)
        self._server = make_server(self.service, self.settings)
        self.url = address(self.settings, self._socket).rstrip("/")
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), daemon=True)
        self._thread.start()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(), NoRedirect())
        wait_for(lambda: self.service.broker["there"], "the page's broker")

    def open(self, path: str, body: bytes | None = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body; `X_y="z"` sends a header `x-y`."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            answer = self._opener.open(urllib.request.Request(self.url + path, body, given), timeout=20)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.read()

    def get(self, path: str) -> Any:
        """The JSON at a path that must be there."""
        status, _, body = self.open(path)
        assert status == 200, (status, body[:300])
        return json.loads(body)

    def post(self, path: str, fields: dict[str, Any], token: str | None = None) -> tuple[int, Any]:
        """Status and JSON."""
        token = self.get("/api/session")["token"] if token is None else token
        status, _, body = self.open(
            path, json.dumps(fields).encode(), content_type="application/json", x_offbeat_token=token
        )
        return status, json.loads(body)

    def stop(self) -> None:
        """End it."""
        self._server.should_exit = True
        self._thread.join(10)


@pytest.fixture
def page(broker: Broker, tmp_path: Path) -> Iterator[Page]:
    """On loopback, without a password."""
    one = Page(broker, tmp_path / "page.db")
    yield one
    one.stop()


@pytest.fixture
def guarded(broker: Broker, tmp_path: Path) -> Iterator[Page]:
    """On loopback, with the password `correct horse`."""
    (tmp_path / "hash").write_text(hashed("correct horse") + "\n")
    one = Page(broker, None, password_hash_file=tmp_path / "hash")
    yield one
    one.stop()


class Device:
    """What a device `gw-1` publishes, by hand; answers requests with `answers[command]`."""

    def __init__(self, broker: Broker) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[str, Any] = {}
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        self._client.on_message = self._request
        self._client.connect("127.0.0.1", broker.port)
        self._client.subscribe("offbeat/gw-1/request/+", 1)
        self._client.loop_start()

    def says(self, topic: str, body: Any, retain: bool = True, root: str = "offbeat/gw-1/") -> None:
        """Publish, QoS 1, and wait for the broker."""
        payload = body if isinstance(body, str | bytes) else json.dumps(body)
        self._client.publish(root + topic, payload, qos=1, retain=retain).wait_for_publish(10)

    def is_there(self, *requests: str) -> None:
        """Online, with a stream pump1 that is calm."""
        self.says("status", "online")
        self.says("info", {"version": "1", "requests": list(requests)})
        self.says("pump1/availability", "online")
        self.says("pump1/state", state())

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()

    def _request(self, client: paho.Client, _userdata: Any, message: paho.MQTTMessage) -> None:
        fields, command = json.loads(message.payload), message.topic.rsplit("/", 1)[1]
        self.asked.append((command, fields))
        answer = self.answers.get(command, {"status": "error", "message": f"{command} is not allowed here"})
        body = {**answer, "transaction": fields.get("transaction")}
        client.publish(f"offbeat/gw-1/response/{command}", json.dumps(body), qos=1)


@pytest.fixture
def device(broker: Broker) -> Iterator[Device]:
    """Not yet online."""
    one = Device(broker)
    yield one
    one.close()


def state(*episodes: dict[str, Any], time_s: float | None = None, **more: Any) -> dict[str, Any]:
    """A stream's state; calm without episodes."""
    anomaly = "ON" if episodes else "OFF"
    body = {"anomaly": anomaly, "score": 0.3, "event_id": None, "time": time.time() if time_s is None else time_s}
    return {**body, "open": list(episodes), **more}


def open_episode(**changes: Any) -> dict[str, Any]:
    """As a state lists it."""
    known = {"id": EPISODE, "kind": "anomaly", "severity": "warning", "start_time": time.time() - 60}
    return {**known, "top_score": 1.7, "channel": "flow", "rule": None, **changes}


def event(seq: int = 1, event_type: str = "new", **changes: Any) -> dict[str, Any]:
    """An event message of the stream pump1."""
    now = time.time()
    contributor = {"channel": "flow", "share": 0.7, "value": 9.5, "expected": 4.0, "unit": "l/s"}
    body = {"schema": 1, "event_type": event_type, "id": EPISODE, "log": "a", "seq": seq, "device": "gw-1"}
    body |= {"stream": "pump1", "kind": "anomaly", "start_time": now - 60, "time": now, "score": 1.7}
    body |= {"end_time": now if event_type == "end" else None, "top_score": 1.7, "severity": "warning"}
    body |= {"return_period_s": 86400.0, "contributors": [contributor], "rule": None, "window": None}
    return {**body, "model": None, "replayed": False, "durable": True, **changes}


def rows_answer(count: int = 60, channel: str = "flow", unit: str = "l/s") -> dict[str, Any]:
    """What a device answers to `rows`."""
    now = time.time()
    times = [now - count + number for number in range(count)]
    values = {channel: [4.0 + (number % 7) / 10 for number in range(count)]}
    body = {"stream": "pump1", "event_id": None, "kind": None, "start_time": None, "end_time": None}
    body |= {"rows": count, "of": count, "channels": [{"name": channel, "unit": unit}], "times": times}
    body |= {"scores": [0.2] * count, "values": values, "expected": {channel: [4.2] * count}}
    return {"status": "ok", "data": {**body, "tolerance": {channel: [1.0] * count}}}
