"""Set-ups that are well and that are not, and what `doctor` says.

Each has a real broker, a bundle that runs and a board that sends. `python -m
tests.edge.commands.upkeep.broken_set_ups` prints the table of the documents.
"""

import contextlib
import io
import json
import re
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from edge.__main__ import main
from tests.helpers.agent import MQTT, PUMP, as_csv, board, config, rows
from tests.helpers.authority import Authority
from tests.helpers.mosquitto import Broker
from tests.helpers.tiny_bundle import write_tiny_bundle

LIMIT_S = 5.0
"""How long sensors are listened to."""


class Stage:
    """A gateway and its broker, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        write_tiny_bundle(folder / "tiny")
        (folder / "broker").mkdir()
        self.broker = Broker(folder / "broker", ("allow_anonymous true",))
        self.board, self.values = "pump1", rows(1000, 1)[0].values
        self.down = False
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
        server = authority.sign("server")
        self.broker = Broker(self.folder / "broker", authority.broker_lines(server, wants_client))
        self.board = ""
        self.secret("tape.csv", as_csv(rows(1_767_225_600, 60)))
        self.write(broker=lines, source='[[source]]\nname = "field"\ntype = "file"\npath = "tape.csv"\n')

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
                    stack.enter_context(sending(self.broker, self.board, self.values))
            stack.enter_context(contextlib.redirect_stdout(out))
            line = ["doctor", "--config", str(self.folder / "agent.toml"), "--seconds", str(LIMIT_S)]
            status = main([*line, "--unit", "no-such.service"])
        return status, [one.replace(f"{self.folder}/", "") for one in out.getvalue().splitlines()]


@contextmanager
def sending(broker: Broker, name: str, values: dict[str, float]) -> Iterator[None]:
    """A board that sends until this ends."""
    stop = threading.Event()

    def send() -> None:
        with board(broker) as publish:
            while not stop.wait(0.05):
                publish(f"sensors/{name}/readings", json.dumps({"time": 1000.0, "values": values}).encode())

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(10)


class SetUp(NamedTuple):
    """What is wrong, how it becomes so, and what doctor has to say of it."""

    what: str
    make: Callable[[Stage], object]
    level: str
    said: str


def _down(stage: Stage) -> None:
    stage.down = True


def _access_list(stage: Stage) -> None:
    access = stage.secret("acl", "topic read #\ntopic write sensors/#\n")
    stage.broker = Broker(stage.folder / "broker", (f"acl_file {access}", "allow_anonymous true"))
    stage.write()


def _wrong_login(stage: Stage) -> None:
    stage.broker = Broker(stage.folder / "broker", ("allow_anonymous false",))
    stage.board = ""
    stage.write(broker='username = "gw"\npassword = "wrong"\n')


def _other_authority(stage: Stage) -> None:
    right, wrong = stage.authority(), stage.authority("other")
    stage.over_tls(right, f'ca = "{wrong.pem}"\n')


def _ended_authority(stage: Stage) -> None:
    right, old = stage.authority(), stage.authority("old")
    ended = old.sign("ended", days=0)
    both = stage.secret("both.pem", right.pem.read_text() + ended.read_text())
    stage.over_tls(right, f'ca = "{both}"\n')


def _not_yet(stage: Stage) -> None:
    authority = stage.authority()
    client = authority.sign("gw", begins="2090")
    client.with_suffix(".key").chmod(0o600)
    stage.over_tls(
        authority, f'ca = "{authority.pem}"\ncert = "{client}"\nkey = "{client.with_suffix(".key")}"\n', True
    )


def _client_of_another_key(stage: Stage) -> None:
    authority = stage.authority()
    client, other = authority.sign("gw"), authority.sign("gw2")
    other.with_suffix(".key").chmod(0o600)
    stage.over_tls(authority, f'ca = "{authority.pem}"\ncert = "{client}"\nkey = "{other.with_suffix(".key")}"\n', True)


def _page_ended(stage: Stage) -> None:
    page = stage.authority().sign("page", days=0)
    page.with_suffix(".key").chmod(0o600)
    stage.page(f'cert = "{page}"\nkey = "{page.with_suffix(".key")}"\n')


def _page_of_another_key(stage: Stage) -> None:
    authority = stage.authority()
    page, other = authority.sign("page"), authority.sign("other")
    other.with_suffix(".key").chmod(0o600)
    stage.page(f'cert = "{page}"\nkey = "{other.with_suffix(".key")}"\n')


def _page_key_for_all(stage: Stage) -> None:
    page = stage.authority().sign("page", days=400)
    page.with_suffix(".key").chmod(0o644)
    stage.page(f'cert = "{page}"\nkey = "{page.with_suffix(".key")}"\n')


def _no_hash(stage: Stage) -> None:
    stage.page(f'password_hash_file = "{stage.secret("web.hash", "correct horse battery")}"\n')


def _password_for_all(stage: Stage) -> None:
    stage.write(broker=f'username = "gw"\npassword_file = "{stage.secret("broker.password", "x", 0o644)}"\n')


def _open_state(stage: Stage) -> None:
    (stage.folder / "state").mkdir()
    (stage.folder / "state").chmod(0o755)


def _misnamed(stage: Stage) -> None:
    stage.board = "pumpl"


def _misspelt(stage: Stage) -> None:
    stage.values = {"flow": 2.0, "presure": 5.0}


HEALTHY = SetUp("all is well", lambda _stage: None, "ok", "bundle tiny, float32:")
BROKEN = (
    SetUp("a key of the config is misspelt", lambda stage: stage.write('[delivry]\n'), "FAIL", "delivry"),
    SetUp("the broker is down", _down, "FAIL", "alerts wait in the outbox meanwhile"),
    SetUp("the broker takes nothing from this device", _access_list, "FAIL", "offbeat/gw-1/check"),
    SetUp("the broker refuses the password", _wrong_login, "FAIL", "broker:"),
    SetUp("another authority signed the broker's certificate", _other_authority, "FAIL", "broker:"),
    SetUp("one of two authorities has ended", _ended_authority, "do", "both.pem, certificate 2 of 2, ended"),
    SetUp("the client's certificate is not valid yet", _not_yet, "FAIL", "is not valid before 2090-01-01"),
    SetUp("the client's key is another's", _client_of_another_key, "FAIL", "gw2.key is not the key of"),
    SetUp("the page's certificate has ended", _page_ended, "FAIL", "page.pem ended"),
    SetUp("the page's key is another's", _page_of_another_key, "FAIL", "other.key is not the key of"),
    SetUp("every user may read the page's key", _page_key_for_all, "do", "page.key can be read by every user"),
    SetUp("the page's password is no hash", _no_hash, "FAIL", "make one with: offbeat-edge password"),
    SetUp(
        "the page's certificate is missing",
        lambda stage: stage.page('cert = "no.pem"\nkey = "no.key"\n'), "FAIL", "web.cert: there is no file",
    ),
    SetUp("every user may read the broker's password", _password_for_all, "do", "chmod 600 it"),
    SetUp(
        "a model file has changed",
        lambda stage: (stage.folder / "tiny/float32.tflite").write_bytes(b"x"), "FAIL", "SHA-256",
    ),
    SetUp("the bundle is gone", lambda stage: shutil.rmtree(stage.folder / "tiny"), "FAIL", "a bundle's folder?"),
    SetUp("the board has another name", _misnamed, "do", "did you mean 'pumpl'?"),
    SetUp("a channel has another name", _misspelt, "do", "did you mean 'presure'?"),
    SetUp("other users may look into the state folder", _open_state, "do", "chmod -R go-rwx"),
    SetUp("the state folder is a file", lambda stage: stage.secret("state", ""), "FAIL", "cannot be written to"),
)  # fmt: skip


def examined(set_up: SetUp, folder: Path) -> tuple[int, list[str]]:
    """The exit status and the lines of doctor before a set-up."""
    stage = Stage(folder)
    set_up.make(stage)
    return stage.doctor()


def print_table() -> None:
    """Print the table: of what is broken only what is not said where all is well."""
    known: set[str] = set()
    print("| set-up | exit status | what `doctor` says that it does not say where all is well |")
    print("|---|---|---|")
    for set_up in (HEALTHY, *BROKEN):
        with tempfile.TemporaryDirectory() as name:
            status, lines = examined(set_up, Path(name))
        told = [line for line in lines if line.split()[0] != "ok" and " ".join(line.split()[:2]) not in known]
        if set_up is HEALTHY:
            known = {" ".join(line.split()[:2]) for line in told}
            told = [f"{len(lines) - len(told)} lines `ok`; of this machine: " + "; ".join(told)]
        line = f"| {set_up.what} | {status} | {'<br>'.join(' '.join(one.split()) for one in told)} |"
        print(re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:1883", line.replace(name, "…")), flush=True)


if __name__ == "__main__":
    print_table()
