"""Why TLS fails is said in words, with what to do, on every way to a broker: a table of ways and causes."""

import argparse
import io
import json
import logging
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from edge.commands.check import broker_result, source_result
from edge.commands.discover import discover
from edge.commands.upkeep.heard import heard_by_agent
from edge.config.settings import Config, load_config
from edge.delivery.outbox import Outbox
from edge.delivery.publisher import Publisher
from edge.mqtt.causes import cause
from edge.mqtt.connection import ConnectError, Connection
from edge.sources.intake import Intake
from edge.sources.mqtt import MqttReader
from edge.sources.settings import MqttSource
from edge.watch.reader import AlertReader
from edge.watch.terminal import watch
from edge.web.link import Link
from edge.wire.broker import BrokerSettings
from edge.wire.topics import DeviceTopics
from tests.helpers.agent import MQTT, PUMP
from tests.helpers.authority import Authority
from tests.helpers.mosquitto import Broker, executable, missing, wait_for
from tests.helpers.tiny_bundle import write_tiny_bundle


@dataclass(frozen=True)
class Cause:
    """A broker that our settings do not fit, and what is to be said of it."""

    words: tuple[str, ...]
    """One of them: what TLS 1.3 says of a client's certificate is lost where the broker hangs up too soon after it."""
    server: str | None = "server"
    wants_client: bool = False
    ca: str | None = "ca"
    client: str | None = None


REFUSED = ("does not know the authority that signed it", "perhaps for the client certificate")
CAUSES = {
    "its certificate has ended": Cause(("the broker's certificate has ended; renew it there",), server="ended"),
    "its certificate is another host's": Cause(("is not made out to host = 127.0.0.1",), server="other-host"),
    "its authority is unknown": Cause(("was not signed by ca = ",), ca="stranger"),
    "it wants a certificate of ours": Cause(
        ("of this client; set cert and key", "set cert and key"), wants_client=True
    ),
    "it refuses our certificate": Cause(REFUSED, wants_client=True, client="strange"),
    "our certificate has ended": Cause(("it has ended; renew it",), wants_client=True, client="old"),
    "its port is the plain one": Cause(("does not speak TLS; take the broker's TLS port",), server=None),
    "its port wants TLS": Cause(("where this port wants TLS, name its authority",), ca=None),
}


@pytest.fixture(scope="module")
def misfits(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, BrokerSettings]]:
    """By cause, settings that do not fit the broker that they name."""
    if executable() is None:
        missing("mosquitto (Debian: apt-get install mosquitto)")
    folder = tmp_path_factory.mktemp("brokers")
    authority, other = (Authority(tmp_path_factory.mktemp(name), name) for name in ("ca", "other"))
    servers = {
        "server": authority.sign("server"),
        "ended": authority.sign("ended", days=0),
        "other-host": authority.sign("other-host", "DNS:broker.example"),
    }
    clients = {"strange": other.sign("strange"), "old": authority.sign("old", days=0)}
    brokers, found = [], {}
    for number, (name, one) in enumerate(CAUSES.items()):
        (folder / str(number)).mkdir()
        lines = (
            authority.broker_lines(servers[one.server], one.wants_client) if one.server else ("allow_anonymous true",)
        )
        brokers.append(Broker(folder / str(number), lines).start())
        ca = {"ca": authority.pem, "stranger": other.pem, None: None}[one.ca]
        cert = clients.get(one.client or "")
        key = None if cert is None else cert.with_suffix(".key")
        found[name] = replace(brokers[-1].settings, ca=ca, cert=cert, key=key)
    yield found
    for broker in brokers:
        broker.kill()


class Spoken(list[str]):
    """What was said, in a thread of its own perhaps."""

    def wait(self) -> str:
        """All of it, once there is something."""
        wait_for(lambda: self, "a reason")
        return "\n".join(self)


def config_of(broker: BrokerSettings, folder: Path) -> Config:
    names = ("port", "ca", "cert", "key")
    lines = [f"{name} = {json.dumps(value if name == 'port' else str(value))}"
             for name in names if (value := getattr(broker, name)) is not None]  # fmt: skip
    write_tiny_bundle(folder / "tiny")
    head = '[device]\nid = "gw-1"\n[broker]\nhost = "127.0.0.1"\n' + "\n".join(lines)
    (folder / "agent.toml").write_text(f"{head}\n{MQTT}[[stream]]\n{PUMP}")
    return load_config(folder / "agent.toml")


def by_a_source(broker: BrokerSettings, _folder: Path) -> str:
    intake = Intake("field", lambda *_: None, {})
    reader = MqttReader(MqttSource(name="field", type="mqtt"), intake, broker, "gw-1-field")
    reader.start()
    wait_for(lambda: intake.down_reason, "a reason")
    reader.stop()
    return intake.down_reason


def by_delivery(broker: BrokerSettings, folder: Path) -> str:
    spoken = Spoken()
    handler = logging.Handler()
    handler.emit = lambda record: spoken.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("edge.delivery.link").addHandler(handler)
    outbox = Outbox(folder / "outbox.db")
    publisher = Publisher(broker, DeviceTopics("gw-1"), outbox)
    publisher.start()
    try:
        return spoken.wait()
    finally:
        publisher.stop(0.0)
        outbox.close()
        logging.getLogger("edge.delivery.link").removeHandler(handler)


def by_check(broker: BrokerSettings, folder: Path) -> str:
    return broker_result(config_of(broker, folder))[2]


def by_checks_sources(broker: BrokerSettings, folder: Path) -> str:
    config = config_of(broker, folder)
    return source_result(config.source[0], config)[2]


def by_doctor(broker: BrokerSettings, folder: Path) -> str:
    return str(next(heard_by_agent(config_of(broker, folder), 0.1)))


def by_watch(broker: BrokerSettings, _folder: Path) -> str:
    notes, stop = io.StringIO(), threading.Event()
    watching = threading.Thread(target=watch, args=(broker, "offbeat", "+", False, stop, io.StringIO(), notes))
    watching.start()
    wait_for(notes.getvalue, "a reason")
    stop.set()
    watching.join(10)
    return " ".join(notes.getvalue().split())


def by_discover(broker: BrokerSettings, _folder: Path) -> str:
    spoken = Spoken()
    discover(argparse.Namespace(write=None, seconds=1.0, bundle=None), broker, spoken.append)
    return spoken.wait()


def by_a_reader(broker: BrokerSettings, _folder: Path) -> str:
    spoken, stop = Spoken(), threading.Event()
    reader = AlertReader(broker, lambda *_: None, on_link=lambda _there, text: spoken.append(text))
    reading = threading.Thread(target=reader.run, args=(stop,))
    reading.start()
    spoken.wait()
    stop.set()
    reading.join(10)
    return spoken.wait()


def by_the_page(broker: BrokerSettings, _folder: Path) -> str:
    spoken = Spoken()
    link = Link(broker, "offbeat", ["#"], lambda *_: None, lambda _there, text: spoken.append(text))
    link.start()
    try:
        return spoken.wait()
    finally:
        link.stop()


WAYS = (
    by_a_source,
    by_delivery,
    by_check,
    by_checks_sources,
    by_doctor,
    by_watch,
    by_discover,
    by_a_reader,
    by_the_page,
)


@pytest.mark.parametrize("way", WAYS, ids=[way.__name__ for way in WAYS])
@pytest.mark.parametrize("name", CAUSES)
def test_why_a_broker_cannot_be_reached_is_said_with_the_remedy(misfits, tmp_path, name, way):
    said = way(misfits[name], tmp_path)

    assert any(words in said for words in CAUSES[name].words), said
    assert f"127.0.0.1:{misfits[name].port}" in said


def test_a_password_that_is_wrong_names_its_user(make_broker, tmp_path):
    if shutil.which("mosquitto_passwd") is None:
        missing("mosquitto_passwd")
    passwords = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", passwords, "gw", "geheim"], check=True, capture_output=True)
    broker = make_broker(("allow_anonymous false", f"password_file {passwords}")).start()

    for protocol in ("5", "3.1.1"):
        with pytest.raises(ConnectError, match=r"; check username and password"):
            Connection(replace(broker.settings, username="gw", password="falsch", protocol=protocol), "us").open(5.0)


def test_what_accepts_and_says_nothing_is_told_from_what_hangs_up():
    silent = socket.create_server(("127.0.0.1", 0))
    settings = BrokerSettings(host="127.0.0.1", port=silent.getsockname()[1])

    with pytest.raises(ConnectError, match="accepts connections, but no greeting came in time"):
        Connection(settings, "us").open(0.3)
    silent.close()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[SSL: TLSV1_ALERT_PROTOCOL_VERSION] tlsv1 alert protocol version", "no TLS version that both sides take"),
        ("[SSL: SSLV3_ALERT_CERTIFICATE_REVOKED] sslv3 alert", "refuses the client certificate"),
        ("[SSL: SSLV3_ALERT_HANDSHAKE_FAILURE] sslv3 alert", "wants a certificate of this client"),
        ("[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)", "does not speak TLS"),
        ("[SSL: TLSV1_ALERT_INTERNAL_ERROR] tlsv1 alert", "ended the TLS handshake"),
        ("[Errno 111] Connection refused", "[Errno 111] Connection refused"),
    ],
)
def test_each_word_of_openssl_gets_one_of_ours(text, words):
    assert words in cause(OSError(text), BrokerSettings(ca=Path("ca.pem")))
