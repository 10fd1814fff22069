"""Secrets that are planted in a config are found nowhere: not in logs, topics, commands, tracebacks, backups, cores."""

import gzip
import json
import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from edge.web.password import hashed
from tests.helpers.agent import MQTT, PUMP, config, folder, run
from tests.helpers.authority import Authority
from tests.helpers.mosquitto import wait_for

__all__ = ["folder", "run"]

ROOT = Path(__file__).resolve().parents[3]
PLANTED = {
    "the broker's password": "planted-3f9a-broker",
    "a password of the environment": "planted-77b1-environment",
    "a password in a file": "planted-c0de-file",
    "the page's password": "planted-1e6b-page",
    "a token in an address": "planted-9d24-token",
    "a webhook's secret": "planted-5a5a-webhook",
}
LOGIN = 'username = "gw"\npassword = "' + PLANTED["the broker's password"] + '"'
ENVIRONMENT = {"OFFBEAT_PASSWORD": PLANTED["a password of the environment"]}


class Gateway:
    """An agent.toml full of secrets, and all that was printed, published and written."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port, self.said = folder, port, {"nothing": b""}
        self.authority = Authority(folder)
        page = self.authority.sign("page")
        self.key = page.with_suffix(".key")
        self.hash = hashed(PLANTED["the page's password"])
        for name, text in (("source.password", PLANTED["a password in a file"]), ("web.hash", self.hash)):
            (folder / name).write_text(f"{text}\n")
        for name in ("source.password", "web.hash", "page.key"):
            (folder / name).chmod(0o600)
        self.write(LOGIN)

    def write(self, broker: str, device: str = 'log_level = "debug"') -> None:
        """agent.toml, with lines of its [broker]."""
        own = MQTT + f'[source.broker]\nhost = "127.0.0.1"\nport = {self.port}\nusername = "s"\n'
        own += 'password_file = "source.password"\n'
        own += '[[source]]\nname = "second"\ntype = "mqtt"\n[source.broker]\nhost = "127.0.0.1"\n'
        own += f'port = {self.port}\nusername = "e"\npassword = "${{OFFBEAT_PASSWORD}}"\n'
        text = config(self.port, own, PUMP, broker=broker).replace("[broker]", f"{device}\n[broker]", 1)
        text += '[web]\nport = 0\ncert = "page.pem"\nkey = "page.key"\npassword_hash_file = "web.hash"\n'
        text += '[requests]\nallow = ["install-bundle", "status", "health"]\n[requests.bundles]\nfolder = "."\n'
        text += 'hosts = ["127.0.0.1:1"]\n'
        (self.folder / "agent.toml").write_text(text)
        (self.folder / "agent.toml").chmod(0o600)

    def command(self, *line: str) -> subprocess.CompletedProcess[bytes]:
        """A command of offbeat-edge; what it printed is kept."""
        environment = {**os.environ, **ENVIRONMENT, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-m", "edge", *line], cwd=self.folder, env=environment, capture_output=True, check=False
        )
        self.said[" ".join(line[:1])] = self.said.get(line[0], b"") + done.stdout + done.stderr
        return done

    def secrets(self) -> dict[str, bytes]:
        """What must not be found, by what it is."""
        lines = [line for line in self.key.read_text().splitlines() if not line.startswith("-")]
        keys = {f"line {number} of the page's key": line.encode() for number, line in enumerate(lines[:4])}
        return {**{name: text.encode() for name, text in PLANTED.items()}, "the hash": self.hash.encode(), **keys}

    def found(self, texts: Iterable[tuple[str, bytes]]) -> list[str]:
        """Where which secret is."""
        return [f"{name} in {where}" for where, text in texts for name, one in self.secrets().items() if one in text]


@pytest.fixture
def gateway(folder: Path, broker) -> Gateway:
    return Gateway(folder, broker.port)


def state_files(folder: Path) -> list[tuple[str, bytes]]:
    return [(str(path), path.read_bytes()) for path in (folder / "state").rglob("*") if path.is_file()]


def test_secrets_are_planted_where_they_are_used(gateway):
    there = [path.read_bytes() for path in gateway.folder.iterdir() if path.is_file()]

    for name in ("the broker's password", "a password in a file", "the hash", "line 1 of the page's key"):
        assert any(gateway.secrets()[name] in text for text in there), name


def test_no_command_prints_a_secret(gateway):
    file = gateway.folder / "agent.toml"
    for line in (
        ["check", "--config", str(file)],
        ["doctor", "--config", str(file), "--seconds", "1"],
        ["status", "--config", str(file)],
        ["size", str(file), "--json"],
        ["broker-config", "--config", str(file)],
        ["service", "install", "--config", str(file), "--dry-run"],
        ["discover", "--config", str(file), "--seconds", "1"],
        ["watch", "--config", str(file), "--timeout", "1"],
    ):
        gateway.command(*line)

    assert all(gateway.said[name] for name in ("check", "doctor", "status", "size"))
    assert gateway.found(gateway.said.items()) == []


def test_an_agent_says_none_in_its_log_topics_or_state(gateway, run, listener, broker):
    url = f"https://127.0.0.1:1/b.tar?token={PLANTED['a token in an address']}"
    with_user = f"https://u:{PLANTED['a token in an address']}@127.0.0.1:1/b.tar"
    agent = run((gateway.folder / "agent.toml").read_text(), **ENVIRONMENT)
    agent.wait_ready()
    wait_for(lambda: listener.on("offbeat/gw-1/health") and listener.on("offbeat/gw-1/info"), "health and info")
    for number, address in enumerate((url, with_user)):
        body = {"transaction": number, "url": address, "sha256": "0" * 64}
        ask(broker, "install-bundle", body)
        wait_for(lambda count=number: len(listener.on("offbeat/gw-1/response/install-bundle")) > count, "an answer", 30)
    ask(broker, "status", {"transaction": 9})
    wait_for(lambda: listener.on("offbeat/gw-1/response/status"), "an answer")
    gateway.command("status", "--config", str(gateway.folder / "agent.toml"))
    shown = [(f"ps, {path.parent.name}", path.read_bytes()) for path in command_lines(agent.process.pid)]
    assert shown
    heard = [(one.topic, one.payload) for one in list(listener.heard) if "/request/" not in one.topic]
    agent.stop()
    log = agent.log.read_bytes()

    assert b"DEBUG" in log or b"install-bundle" in log
    assert b"install-bundle: refused" in log
    assert len(heard) > 5
    places = [("log", log), *heard, *shown, *state_files(gateway.folder), *gateway.said.items()]
    assert gateway.found(places) == []


def command_lines(pid: int) -> list[Path]:
    """Those of a process and its children, which every user of a machine may read."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [Path(f"/proc/{one}/cmdline") for one in (pid, *children)]


def ask(broker, command: str, body: dict) -> None:
    import paho.mqtt.client as paho

    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    client.publish(f"offbeat/gw-1/request/{command}", json.dumps(body), qos=1).wait_for_publish(10)
    client.disconnect()
    client.loop_stop()


def test_a_login_that_is_refused_and_a_broker_that_is_down_tell_none(gateway, run, make_broker):
    refusing = make_broker(("allow_anonymous false",)).start()
    gateway.port = refusing.port
    gateway.write(LOGIN)
    agent = run((gateway.folder / "agent.toml").read_text(), **ENVIRONMENT)
    wait_for(lambda: b"Not authorized" in agent.log.read_bytes(), "the refusal")
    refusing.kill()
    wait_for(lambda: b"Connection refused" in agent.log.read_bytes(), "the broker to be missed", 30)
    agent.stop()
    for name in ("check", "doctor"):
        gateway.command(name, "--config", str(gateway.folder / "agent.toml"))

    assert gateway.found([("log", agent.log.read_bytes()), *gateway.said.items()]) == []


@pytest.mark.parametrize(
    "broker",
    [
        'password = "SECRET"',  # without a user
        'username = "gw"\npassword = ["SECRET"]',
        'username = "gw"\npassword = { is = "SECRET" }',
        'username = "gw"\npasword = "SECRET"',
        'username = "gw"\npassword = "SECRET"\npassword_file = "source.password"',
        'username = "gw"\npassword = "SECRET',  # no end
        'username = "gw"\npassword = "SECRET" "again"',
        'username = "gw"\npassword = SECRET',
        'username = "gw"\npassword = "SECRET"\npassword = "SECRET"',
        'username = "gw"\npassword = "SECRET${NOT_SET}"',
    ],
)
def test_a_config_that_is_refused_is_refused_without_the_password_in_it(folder, broker, make_broker):
    gateway = Gateway(folder, make_broker().port)
    gateway.write(broker.replace("SECRET", PLANTED["the broker's password"]))

    assert gateway.command("check", "--config", "agent.toml").returncode == 2
    assert gateway.command("size", "agent.toml").returncode == 2
    assert gateway.found(gateway.said.items()) == []


@pytest.mark.parametrize("address", ["mqtt://gw:SECRET@127.0.0.1", "gw:SECRET@127.0.0.1", "mqtts://h:8883/?pw=SECRET"])
def test_an_address_with_a_password_in_it_is_refused_without_it(gateway, address):
    secret, file = PLANTED["the broker's password"], gateway.folder / "agent.toml"
    whole = address.replace("SECRET", secret)
    gateway.write("")
    good = file.read_text()
    for table in ("[broker]", "[source.broker]"):
        file.write_text(good.replace(f'{table}\nhost = "127.0.0.1"', f'{table}\nhost = "{whole}"', 1))
        assert whole in file.read_text(), table
        for command in ("check", "doctor", "run"):
            assert gateway.command(command, "--config", "agent.toml").returncode == 2, command
    gateway.command("watch", "--host", whole, "--timeout", "1")
    gateway.command("discover", "--host", whole, "--seconds", "1")

    assert gateway.said["watch"]
    assert b"keys too" in gateway.said["check"]
    assert gateway.found(gateway.said.items()) == []


def test_an_error_with_its_traceback_shows_none(gateway):
    program = (
        "from edge.config.settings import load_config\nimport sys, traceback\nconfig = load_config('agent.toml')\n"
        "print(config, [*config.brokers], config.source)\n"
        "def fails(config):\n    raise RuntimeError(config)\n"
        "try:\n    fails(config)\nexcept RuntimeError:\n    traceback.print_exc()\n"
        "    traceback.TracebackException(*sys.exc_info(), capture_locals=True).print()\n"
    )
    environment = {**os.environ, **ENVIRONMENT, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=gateway.folder, env=environment, capture_output=True, check=True
    )

    assert b"RuntimeError" in done.stderr
    assert gateway.found([("stdout", done.stdout), ("stderr", done.stderr)]) == []


def test_a_backup_holds_secrets_only_where_asked_and_says_which_way_it_is(gateway, run):
    agent = run((gateway.folder / "agent.toml").read_text(), **ENVIRONMENT)
    agent.wait_ready()
    agent.stop()
    file = str(gateway.folder / "agent.toml")
    without = gateway.command("backup", str(gateway.folder / "without"), "--config", file)
    printed = without.stdout + without.stderr

    assert without.returncode == 0, printed
    assert gateway.found([("the backup", unpacked(gateway.folder / "without")), ("what was printed", printed)]) == []
    assert b"secret" in printed.lower() or b"password" in printed.lower(), "says that they are not in it"

    whole = gateway.command("backup", str(gateway.folder / "whole"), "--config", file, "--secrets")
    said = gateway.found([("the backup", unpacked(gateway.folder / "whole"))])

    assert whole.returncode == 0
    assert "a password in a file in the backup" in said
    assert b"secret" in (whole.stdout + whole.stderr).lower() or b"password" in whole.stdout.lower()
    assert gateway.found([("what was printed", whole.stdout + whole.stderr)]) == []
    assert (gateway.folder / "whole").stat().st_mode & 0o077 == 0


def unpacked(file: Path) -> bytes:
    content = file.read_bytes()
    return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content


def leaves_core(folder: Path, line: list[str], number: int) -> list[Path]:
    """Core files of a process in a folder of its own that may leave them, ended by a signal."""
    folder.mkdir()
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    process = subprocess.Popen(
        line, cwd=folder, env={**os.environ, **ENVIRONMENT, "PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (hard, hard)),
    )  # fmt: skip
    try:
        assert process.stderr is not None
        for text in process.stderr:
            if b"ready" in text:
                break
        limits = Path(f"/proc/{process.pid}/limits").read_text()
        (folder / "limits").write_text(limits)
    finally:
        process.send_signal(number)
        process.wait(10)
        process.stderr.close()
    return [path for path in folder.iterdir() if path.name.startswith("core")]


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT])
def test_an_agent_that_is_ended_by_a_fault_leaves_no_core_dump(gateway, number):
    run_ = [sys.executable, "-m", "edge", "run", "--config", str(gateway.folder / "agent.toml")]
    other = [sys.executable, "-c", "import sys, time; print('ready', file=sys.stderr, flush=True); time.sleep(60)"]
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]

    others = leaves_core(gateway.folder / "other", other, number)
    ours = leaves_core(gateway.folder / "ours", run_, number)

    def limit(name: str) -> list[str]:
        text = (gateway.folder / name / "limits").read_text()
        return re.search(r"Max core file size\s+(\S+)\s+(\S+)", text).groups()  # type: ignore[union-attr]

    assert ours == []
    assert set(limit("ours")) == {"0"}
    pattern = Path("/proc/sys/kernel/core_pattern").read_text().strip()
    if hard and not pattern.startswith(("|", "/")):
        assert others, "the same signal leaves one of a process that may"


def test_a_webhook_of_the_examples_says_no_secret_when_nobody_takes_what_it_posts(gateway, capsys):
    import threading

    from edge.examples.send_webhook import Webhook
    from edge.wire.events import decode_message

    stop = threading.Event()
    url = f"http://127.0.0.1:1/hook?token={PLANTED['a token in an address']}"
    webhook = Webhook(url, PLANTED["a webhook's secret"].encode(), stop, first_wait_s=0.01)
    payload = (ROOT / "tests/kept/0.1.0/messages.jsonl").read_bytes().splitlines()[0]
    threading.Timer(0.3, stop.set).start()

    with pytest.raises(InterruptedError) as ended:
        webhook(decode_message(payload), payload)

    said = capsys.readouterr()
    assert "again" in said.err
    assert gateway.found([("stderr", said.err.encode()), ("the error", repr(ended.value).encode())]) == []
