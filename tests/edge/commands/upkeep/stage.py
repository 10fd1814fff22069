"""A gateway with a broker, a bundle that runs and a board that sends, to be broken in one way or another."""

import contextlib
import io
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge.__main__ import main
from tests.helpers.agent import MQTT, PUMP, as_csv, board, config, rows
from tests.helpers.authority import Authority
from tests.helpers.mosquitto import Broker
from tests.helpers.tiny_bundle import write_tiny_bundle

RECORDING = '[[source]]\nname = "field"\ntype = "file"\npath = "tape.csv"\n'
"""Where a broker is not what readings come from."""

LIMIT_S = 3.0
"""How long sensors are listened to."""


class Stage:
    """A gateway and its broker, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        write_tiny_bundle(folder / "tiny")
        (folder / "broker").mkdir()
        self.broker = Broker(folder / "broker", ("allow_anonymous true",))
        self.board = "pump1"
        self.values: dict[str, float] | bytes = rows(1000, 1)[0].values
        self.ahead_s, self.down = 0.0, False
        self.kept: object = None
        """What must live as long as the stage, such as an open port."""
        self.write()

    def write(self, more: str = "", broker: str = "", source: str = MQTT, stream: str = PUMP) -> None:
        """agent.toml, with more tables at its end and more lines in [broker]."""
        path = self.folder / "agent.toml"
        path.write_text(config(self.broker.port, source, stream, broker=broker) + more)
        path.chmod(0o600)

    def secret(self, name: str, text: str, mode: int = 0o600) -> Path:
        """A file beside it."""
        path = self.folder / name
        path.write_text(text)
        path.chmod(mode)
        return path

    def authority(self, name: str = "ca") -> Authority:
        """One that signs certificates, in a folder of its own."""
        (self.folder / name).mkdir()
        made = Authority(self.folder / name, name)
        for key in (self.folder / name).glob("*.key"):
            key.chmod(0o600)
        return made

    def over_tls(self, authority: Authority, lines: str, wants_client: bool = False) -> None:
        """The broker speaks TLS; readings come from a recording, since the board does not."""
        self.served_by(authority.broker_lines(authority.sign("server"), wants_client), lines)

    def served_by(self, conf: tuple[str, ...], lines: str = "") -> None:
        """Another broker, and what [broker] says of it."""
        self.broker = Broker(self.folder / "broker", conf)
        self.board = ""
        self.secret("tape.csv", as_csv(rows(1_767_225_600, 60)))
        self.write(broker=lines, source=RECORDING)

    def reword(self, old: str, new: str) -> None:
        """Other words in agent.toml."""
        path = self.folder / "agent.toml"
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    def page(self, lines: str) -> None:
        """The live page, on a port that nobody listens on meanwhile."""
        self.write(f"[web]\nport = 8443\n{lines}")

    def doctor(self) -> tuple[int, list[str]]:
        """Its exit status and lines, in the folder's own words."""
        out = io.StringIO()
        with contextlib.ExitStack() as stack:
            if not self.down:
                stack.callback(self.broker.start().kill)
                if self.board:
                    stack.enter_context(sending(self.broker, self.board, self.values, self.ahead_s))
            stack.enter_context(contextlib.redirect_stdout(out))
            line = ["doctor", "--config", str(self.folder / "agent.toml"), "--seconds", str(LIMIT_S)]
            status = main([*line, "--unit", "no-such.service"])
        return status, [one.replace(f"{self.folder}/", "") for one in out.getvalue().splitlines()]


@contextmanager
def sending(
    broker: Broker, name: str, values: dict[str, float] | bytes, ahead_s: float = 0.0, unit_s: float = 1.0
) -> Iterator[None]:
    """A board that sends these values, or just this payload, until this ends."""
    stop = threading.Event()

    def payload() -> bytes:
        if isinstance(values, bytes):
            return values
        return json.dumps({"time": (time.time() + ahead_s) / unit_s, "values": values}).encode()

    def send() -> None:
        with board(broker) as publish:
            while not stop.wait(0.05):
                publish(f"sensors/{name}/readings", payload())

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(10)
