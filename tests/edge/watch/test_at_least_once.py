"""Each alert is given out until its callback has returned once, whatever it raises and whatever the broker does."""

import random
import threading
import time

from test_alert_reader import message, on_its_topic, send

from edge.watch.reader import AlertReader
from edge.wire.events import EventMessage
from tests.helpers.mosquitto import Broker, wait_for

ERRORS = (
    OSError,
    ValueError,
    MemoryError,
    ConnectionError,
    KeyboardInterrupt,
    SystemExit,
    BrokenPipeError,
    TimeoutError,
)


def test_a_thousand_alerts_with_a_callback_that_fails_and_a_broker_that_is_killed(make_broker) -> None:
    persistent = ("persistence true", "autosave_on_changes true", "autosave_interval 1", "max_queued_messages 0")
    broker: Broker = make_broker(("allow_anonymous true", *persistent), client_id="reader").start()
    chance, seen, stop, failures = random.Random(1), set(), threading.Event(), []

    def callback(received: EventMessage, _payload: bytes) -> None:
        if chance.random() < 0.2:
            raise chance.choice(ERRORS)("on purpose")
        seen.add(received.seq)

    reader = AlertReader(broker.settings, callback, hold_s=0.2)

    def read() -> None:
        while not stop.is_set():
            try:
                reader.run(stop)
            except BaseException as error:
                failures.append(error)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    wait_for(lambda: reader.connected, "the reader")
    for start in range(1, 1001, 50):
        send(broker, [on_its_topic(message(seq)) for seq in range(start, start + 50)])
        time.sleep(0.1)
        broker.kill()
        broker.start()

    wait_for(lambda: len(seen) == 1000, "all alerts", 120.0)
    stop.set()
    thread.join(10)
    assert failures
    assert all(str(error) == "on purpose" for error in failures)
