"""Fixtures for all tests: a real broker, where one is installed."""

import os
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

# pytest puts tests/ in front of the path; without this `import edge` would find the folder tests/edge.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.helpers.mosquitto import PERSISTENT, Broker, Listener, executable, missing

pytest_plugins = ["tests.helpers.ci_skips", "tests.helpers.subnormals"]


@pytest.fixture(autouse=True)
def _no_state_of_the_user(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `watch` keeps of its sessions is not the user's, and not another test's."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.getbasetemp() / f"state-{uuid.uuid4().hex}"))


@pytest.fixture(autouse=True)
def same_umask() -> Iterator[None]:
    """An agent that runs in a test's own process makes its files private; the next test's are as they were."""
    before = os.umask(0o022)
    os.umask(before)
    yield
    os.umask(before)


@pytest.fixture
def make_broker(tmp_path: Path) -> Iterator[Callable[..., Broker]]:
    """Makes brokers that end with the test: `make_broker()`, or with Broker's own arguments; not yet started."""
    if executable() is None:
        missing("mosquitto (Debian: apt-get install mosquitto)")
    with ExitStack() as stack:

        def make(*arguments: Any, **settings: Any) -> Broker:
            folder = tmp_path / f"mosquitto-{len(os.listdir(tmp_path))}"
            folder.mkdir()
            broker = Broker(folder, *arguments, **settings)
            stack.callback(broker.kill)
            return broker

        yield make


@pytest.fixture
def broker(make_broker: Callable[..., Broker]) -> Broker:
    """A running Mosquitto that forgets nothing when it is killed, open to all on 127.0.0.1."""
    return make_broker(("allow_anonymous true", *PERSISTENT)).start()


@pytest.fixture
def listener(broker: Broker) -> Iterator[Listener]:
    """Hears everything on `broker` from before the test began."""
    listening = broker.listen("#")
    yield listening
    listening.close()
