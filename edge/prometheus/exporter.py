"""Serves what the agent published last as metrics."""

import json
import logging
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, SummaryMetricFamily
from prometheus_client.registry import Collector

from edge.prometheus.metrics import OF_AGENT, OF_SOURCE, OF_STREAM, Metric, figure, quantiles
from edge.prometheus.settings import PrometheusSettings
from edge.wire.backoff import Backoff
from edge.wire.topics import DeviceTopics

log = logging.getLogger(__name__)
_KINDS = ("anomaly", "drift", "rule", "sensor")
_STATES = ("ON", "OFF", "commissioning", "unknown")
Family = CounterMetricFamily | GaugeMetricFamily | InfoMetricFamily | SummaryMetricFamily


class Exporter(Collector):
    """Collects from the payloads of the agent's own topics; `heard` is called with each of them.

    Episodes are counted by their ids in `state`. One that opens and ends between two messages is not seen here; the
    event topic has them all.
    """

    def __init__(self, topics: DeviceTopics, version: str) -> None:
        self._topics, self._version = topics, version
        self._lock = threading.Lock()
        self._health: dict[str, Any] = {}
        self._states: dict[str, dict[str, Any]] = {}
        self._open: dict[str, set[str]] = {}
        self._episodes: Counter[tuple[str, str]] = Counter()

    def heard(self, topic: str, payload: bytes) -> None:
        """What the agent publishes, in its own thread."""
        if topic == self._topics.health:
            with self._lock:
                self._health = json.loads(payload)
        elif topic.endswith("/state"):
            stream = topic.rsplit("/", 2)[1]
            with self._lock:
                self._state(stream, json.loads(payload) if payload else None)

    def collect(self) -> Iterator[Family]:
        """All metrics as they are now."""
        with self._lock:
            health, states, episodes = self._health, dict(self._states), dict(self._episodes)
        yield InfoMetricFamily("offbeat_build", "The agent's version.", value={"version": self._version})
        yield from _families(OF_AGENT, [], [([], health)])
        yield from _families(OF_STREAM, ["stream"], _labelled(health.get("streams")))
        yield from _families(OF_SOURCE, ["source"], _labelled(health.get("sources")))
        yield from self._durations(health)
        yield from self._of_states(states)
        counts = CounterMetricFamily("offbeat_episodes", "Episodes opened.", labels=["stream", "kind"])
        for (stream, kind), count in sorted(episodes.items()):
            counts.add_metric([stream, kind], count)
        yield counts

    def _state(self, stream: str, body: dict[str, Any] | None) -> None:
        if body is None:  # the stream is gone
            self._states.pop(stream, None)
            self._open.pop(stream, None)
            return
        self._states[stream] = body
        if stream not in self._open:
            self._episodes.update({(stream, kind): 0 for kind in _KINDS})
        opened = {one["id"]: one["kind"] for one in body.get("open", ())}
        for new in opened.keys() - self._open.get(stream, set()):
            self._episodes[stream, opened[new]] += 1
        self._open[stream] = set(opened)

    def _durations(self, health: Mapping[str, Any]) -> Iterator[Family]:
        for key, what in (("inference", "Time of an inference."), ("commit", "Time to write an event to disk.")):
            family = SummaryMetricFamily(f"offbeat_{key}_seconds", what)  # a label `quantile` is of summaries alone
            for quantile, seconds in quantiles(health, f"{key}_ms"):
                family.add_sample(family.name, {"quantile": quantile}, seconds)
            yield family

    def _of_states(self, states: Mapping[str, Mapping[str, Any]]) -> Iterator[Family]:
        score = GaugeMetricFamily("offbeat_score", "Score of the last row; 1 is the level.", labels=["stream"])
        state = GaugeMetricFamily(
            "offbeat_stream_state", "1 for the state that the stream is in.", labels=["stream", "state"]
        )
        is_open = GaugeMetricFamily("offbeat_open_episodes", "Episodes that are open.", labels=["stream", "kind"])
        for stream, body in sorted(states.items()):
            if body.get("score") is not None:
                score.add_metric([stream], body["score"])
            for name in _STATES:
                state.add_metric([stream, name], float(body.get("anomaly") == name))
            kinds = Counter(one["kind"] for one in body.get("open", ()))
            for kind in _KINDS:
                is_open.add_metric([stream, kind], kinds[kind])
        yield from (score, state, is_open)


class Server:
    """Serves an exporter's metrics in threads of their own; an address that is taken is tried again."""

    def __init__(self, exporter: Exporter, settings: PrometheusSettings) -> None:
        self._settings = settings
        self._server: WSGIServer | None = None
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(exporter)
        self._leaving = threading.Event()
        self.port: int | None = None
        """Where it listens; None while it does not."""

    def start(self) -> None:
        """Begin to listen; returns at once."""
        threading.Thread(target=self._listen, name="metrics", daemon=True).start()

    def stop(self) -> None:
        """End it; a scrape under way may be cut off."""
        self._leaving.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def _listen(self) -> None:
        host, port, backoff, before = self._settings.host, self._settings.port or 0, Backoff(1.0, 30.0), ""
        while not self._leaving.is_set():
            try:
                self._server, _ = start_http_server(port, host, self._registry)
            except OSError as error:
                if str(error) != before:
                    log.warning("metrics: %s:%d cannot be listened on: %s; retrying", host, port, error)
                before = str(error)
                self._leaving.wait(backoff.next_s())
                continue
            self.port = self._server.server_port
            log.info("metrics: http://%s:%d/metrics", host, self.port)
            return


def _labelled(parts: Any) -> list[tuple[list[str], Mapping[str, Any]]]:
    return [([name], part) for name, part in sorted((parts or {}).items())]


def _families(
    metrics: Iterable[Metric], labels: list[str], parts: list[tuple[list[str], Mapping[str, Any]]]
) -> Iterator[Family]:
    for metric in metrics:
        family = (CounterMetricFamily if metric.counter else GaugeMetricFamily)(metric.name, metric.help, labels=labels)
        for values, part in parts:
            if (value := figure(part, metric)) is not None:
                family.add_metric(values, value)
        yield family
