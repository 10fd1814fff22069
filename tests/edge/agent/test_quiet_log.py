"""What somebody can bring about, or a retry brings, again and again does not fill the log: few lines, with a count."""

import logging
import threading

import pytest

from edge.agent.troubles import Troubles
from edge.delivery.outbox import Outbox
from edge.delivery.publisher import Publisher
from edge.delivery.requests import Requests
from edge.wire.backoff import Backoff
from edge.wire.broker import BrokerSettings
from edge.wire.topics import DeviceTopics
from edge.wire.worker import Worker
from tests.helpers.mosquitto import Broker, wait_for

TOPICS = DeviceTopics("gw-1")


def lines(caplog: pytest.LogCaptureFixture, text: str) -> list[str]:
    return [record.getMessage() for record in caplog.records if text in record.getMessage()]


def test_a_stream_that_fails_for_a_day_is_a_few_lines_with_a_count(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    now = [0.0]
    troubles, tried_again = Troubles(["pump1"], lambda: now[0]), 0
    for now[0] in range(0, 86_400, 20):
        troubles.note(0, ValueError("on purpose"))
        tried_again += troubles.forget(0)

    found = lines(caplog, "out of order")
    assert 4 < len(found) < 40
    assert tried_again == len(found)
    assert "times since it was last logged" in found[-1]


def test_another_stream_that_fails_meanwhile_is_logged_at_once(caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    troubles = Troubles(["pump1", "fan2"], lambda: now[0])
    for now[0] in range(0, 200, 20):
        troubles.note(0, ValueError("on purpose"))
    troubles.note(1, ValueError("on purpose"))

    assert lines(caplog, "fan2") == ["stream fan2: out of order: ValueError: on purpose"]


def test_a_thread_that_fails_again_and_again_says_so_a_few_times_and_is_run_every_time(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tries, leaving = [], threading.Event()

    def work() -> None:
        tries.append(1)
        if len(tries) < 50:
            raise MemoryError("on purpose")

    worker = Worker("example", work, lambda _error: None, leaving, Backoff(0.001, 0.001))
    worker.start()
    worker.join(10.0)

    assert len(tries) == 50
    assert len(lines(caplog, "failed and is started again")) == 4


def test_a_request_that_fails_by_a_bug_of_ours_is_answered_every_time_and_logged_a_few_times(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(_fields: dict) -> None:
        raise ZeroDivisionError

    requests = Requests(TOPICS, allow=["ping"])
    requests.register("ping", fail)
    answers = [requests.answer("offbeat/gw-1/request/ping", b'{"transaction": %d}' % number) for number in range(15)]

    assert all(answer is not None and b"ping failed" in answer[1] for answer in answers)
    assert len(lines(caplog, "request ping failed")) == 4


def test_requests_that_are_too_long_are_passed_over_with_a_few_lines(
    broker: Broker, tmp_path, caplog: pytest.LogCaptureFixture
) -> None:
    requests = Requests(TOPICS, allow=["ping"])
    requests.register("ping", lambda _fields: "pong")
    publisher = Publisher(broker.settings, TOPICS, Outbox(tmp_path / "outbox.db"), requests=requests)
    publisher.start()
    listener = broker.listen("offbeat/gw-1/response/ping")
    try:
        wait_for(lambda: "request/+" in broker.log(), "the subscription")
        client = listener._client
        for _ in range(30):
            client.publish("offbeat/gw-1/request/ping", b" " * 600_000, qos=1).wait_for_publish(10)
        client.publish("offbeat/gw-1/request/ping", b'{"transaction": 1}', qos=1)
        wait_for(lambda: listener.heard, "the answer")
    finally:
        publisher.stop()
        listener.close()

    assert len(lines(caplog, "a request is passed over")) == 4


def test_a_disk_that_comes_and_goes_is_a_few_lines_and_the_last_says_how_it_stands(
    tmp_path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now = [1000.0]
    monkeypatch.setattr("edge.delivery.outbox.time.monotonic", lambda: now[0])
    outbox = Outbox(tmp_path / "outbox.db")
    for _ in range(100):
        for accepting in (False, True):
            now[0] += 1.0
            outbox._note(accepting)
    now[0] += 5000.0
    outbox.catch_up()
    outbox.close()

    found = lines(caplog, "outbox.db takes")
    assert 4 < len(found) < 12
    assert "takes events again" in found[-1]


def test_the_page_names_a_refused_subscription_once_and_says_when_it_is_granted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    link = pytest.importorskip("edge.web.link")
    caplog.set_level(logging.INFO)

    class Answered:
        def __init__(self, refusal: str | None) -> None:
            self.subscribed = [("offbeat/+/state", refusal)]

    page = link.Link(BrokerSettings(), "offbeat", [], lambda *_: None, lambda *_: None)
    for refusal in ("Not authorized",) * 20 + (None,) * 20:
        page._require_granted(Answered(refusal))

    assert [line.split(": ", 1)[1] for line in lines(caplog, "page: ")] == [
        "the broker refuses offbeat/+/state: Not authorized",
        "the broker grants offbeat/+/state again",
    ]
