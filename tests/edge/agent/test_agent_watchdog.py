"""Who feeds the watchdog: the loop that scores, and nobody beside it."""

import threading
import time
from collections import deque
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from edge.agent.inbox import Inbox
from edge.agent.loop import Agent
from tests.helpers.mosquitto import wait_for


class Scoring:
    """In place of an inference: turns at once, or not until `go` is set."""

    def __init__(self) -> None:
        self.go, self.stuck = threading.Event(), threading.Event()
        self.go.set()

    def turn(self, _monotonic: float) -> Iterator[Any]:
        if not self.go.is_set():
            self.stuck.set()
            self.go.wait()
        return iter(())

    def work(self, _seconds: float) -> bool:
        return False

    def save_due(self, _monotonic: float) -> None:
        """Nothing is kept here."""


class Watchdog:
    """In place of systemd."""

    watchdog_every_s = 0.0

    def __init__(self) -> None:
        self.fed = 0

    def alive(self) -> None:
        self.fed += 1

    def ready(self) -> None:
        """Not looked at here."""

    stopping = ready


def test_a_loop_that_hangs_feeds_no_watchdog_and_one_that_goes_on_does():
    def nothing(*_arguments: object) -> None:
        """What is said and kept is not looked at here."""

    scoring, watchdog = Scoring(), Watchdog()
    quiet = SimpleNamespace(
        start=nothing,
        stop=nothing,
        tick=nothing,
        serve=nothing,
        health=lambda *_arguments: {},
        publisher=SimpleNamespace(health=nothing),
    )
    agent = Agent(
        streams=[],
        inferences=[scoring],
        inbox=Inbox({}),
        readers={"rig": quiet},
        intakes={},
        ended=deque(),
        ledger=SimpleNamespace(catch_up=nothing, cut_off={}),
        reporter=quiet,
        notifier=watchdog,
        health_every_s=1000.0,
        on_reload=nothing,
    )
    loop = threading.Thread(target=agent.run, daemon=True)
    loop.start()
    wait_for(lambda: watchdog.fed >= 2, "the watchdog to be fed")

    scoring.go.clear()
    assert scoring.stuck.wait(10)
    fed = watchdog.fed
    time.sleep(0.6)  # nothing is to come
    assert watchdog.fed == fed

    scoring.go.set()
    wait_for(lambda: watchdog.fed > fed, "the watchdog to be fed again")
    agent.stop()
    loop.join(10)
    assert not loop.is_alive()
