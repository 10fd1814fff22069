"""Passwords and certificates, against a Mosquitto that insists on them."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.delivery.outbox import Outbox
from edge.delivery.publisher import Publisher
from edge.delivery.settings import DeliverySettings
from edge.mqtt.connection import ConnectError
from edge.mqtt.probe import probe
from edge.wire.broker import BrokerSettings
from edge.wire.topics import DeviceTopics
from tests.helpers.alerts import alert
from tests.helpers.mosquitto import Broker, missing, wait_for

QUICK = DeliverySettings(retry_first_s=0.05, retry_longest_s=0.1)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ca.pem, and server and client certificates that it signed; other.pem is an authority nobody asked."""
    if shutil.which("openssl") is None:
        missing("openssl")
    folder = tmp_path_factory.mktemp("certificates")

    def openssl(command: str) -> None:
        subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)

    for name in ("ca", "other"):
        openssl(f"req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={name} -keyout {name}.key -out {name}.pem")
    (folder / "san").write_text("subjectAltName=IP:127.0.0.1")
    for name in ("server", "client"):
        openssl(f"req -newkey rsa:2048 -nodes -subj /CN={name} -keyout {name}.key -out {name}.csr")
        signed = "-CA ca.pem -CAkey ca.key -CAcreateserial -extfile san"
        openssl(f"x509 -req -in {name}.csr {signed} -days 2 -out {name}.pem")
    return folder


@pytest.fixture
def strict(make_broker: Callable[..., Broker], certificates: Path, tmp_path: Path) -> Broker:
    """Wants TLS, a client certificate and a password."""
    passwords = tmp_path / "passwords"
    if shutil.which("mosquitto_passwd") is None:
        missing("mosquitto_passwd")
    subprocess.run(["mosquitto_passwd", "-b", "-c", passwords, "gw", "geheim"], check=True, capture_output=True)
    config = (
        f"cafile {certificates}/ca.pem",
        f"certfile {certificates}/server.pem",
        f"keyfile {certificates}/server.key",
        "require_certificate true",
        "allow_anonymous false",
        f"password_file {passwords}",
    )
    return make_broker(
        config,
        username="gw",
        password="geheim",
        ca=certificates / "ca.pem",
        cert=certificates / "client.pem",
        key=certificates / "client.key",
    ).start()


def settings(broker: Broker, **changes: object) -> BrokerSettings:
    fields = {name: getattr(broker.settings, name) for name in BrokerSettings.__dataclass_fields__}
    return BrokerSettings(**{**fields, **changes})  # type: ignore[arg-type]


def test_an_alert_passes_tls_with_certificate_and_password(strict: Broker, tmp_path: Path) -> None:
    listener = strict.listen("#")
    outbox = Outbox(tmp_path / "outbox.db")
    outbox.put(alert(1))
    publisher = Publisher(strict.settings, DeviceTopics("gw-1"), outbox, QUICK)
    publisher.start()

    assert publisher.stop(flush_s=10.0) is True

    wait_for(lambda: listener.on("offbeat/gw-1/pump1/event"), "the alert")
    listener.close()


def test_a_broker_that_answers_passes_the_probe(strict: Broker) -> None:
    probe(strict.settings, "check")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"password": "falsch"}, "ot authori"),
        ({"username": None, "password": None}, "ot authori"),
        ({"ca": "other.pem"}, "certificate was not signed by ca = "),
        ({"ca": "absent.pem"}, "absent.pem"),
        ({"ca": None, "cert": None, "key": None}, ""),
        ({"cert": None, "key": None}, ""),
        ({"host": "no-such-host.invalid"}, "no-such-host.invalid"),
    ],
)
def test_what_keeps_us_out_is_told_in_one_line_with_the_address(
    strict: Broker, certificates: Path, wrong: dict[str, object], said: str
) -> None:
    if isinstance(wrong.get("ca"), str):
        wrong = {**wrong, "ca": certificates / str(wrong["ca"])}

    with pytest.raises(ConnectError) as caught:
        probe(settings(strict, **wrong), "check", timeout_s=2.0)

    text = str(caught.value)
    assert said in text
    assert text.startswith(f"{wrong.get('host', '127.0.0.1')}:{strict.port}: ")
    assert "\n" not in text


def test_a_wrong_password_is_tried_on_and_logged_once(
    strict: Broker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    publisher = Publisher(settings(strict, password="falsch"), DeviceTopics("gw-1"), Outbox(tmp_path / "o.db"), QUICK)
    publisher.start()
    wait_for(lambda: strict.log().count("not authorised") >= 3, "three attempts")
    publisher.stop(flush_s=0.0)

    assert len([record for record in caplog.records if record.name == "edge.delivery.link"]) == 1
