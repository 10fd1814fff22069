"""One connection: MQTT 5 where the broker has it, 3.1.1 where not, and what a broker refuses."""

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace

import pytest

from edge.mqtt.connection import ConnectError, Connection
from edge.mqtt.probe import probe
from edge.mqtt.wishes import Wishes
from edge.wire.broker import BrokerSettings
from tests.edge.delivery.mqtt_proxy import MqttProxy
from tests.helpers.mosquitto import Broker, missing, wait_for
from tests.helpers.strange_broker import StrangeBroker


def opened(settings: BrokerSettings, name: str = "us", **wishes) -> Connection:
    connection = Connection(settings, name, wishes=Wishes(**wishes))
    connection.open(5.0)
    return connection


def step_until(connection: Connection, reached: Callable[[], bool]) -> None:
    while not reached():
        connection.step(1.0)


@pytest.fixture
def guarded(make_broker, tmp_path) -> Broker:
    """Lets everyone write to open/# and read all."""
    (tmp_path / "acl").write_text("topic read #\ntopic write open/#\n")
    return make_broker(("allow_anonymous true", f"acl_file {tmp_path}/acl")).start()


def test_mqtt_5_is_spoken_where_the_broker_has_it(broker):
    connection = opened(broker.settings)

    assert connection.version == "5"
    connection.close(goodbye=True)


def test_a_broker_without_mqtt_5_gets_3_1_1_on_the_same_port(broker):
    proxy = MqttProxy(broker.port)
    proxy.refuses_5 = True

    connection = opened(replace(broker.settings, port=proxy.port))

    assert connection.version == "3.1.1"
    connection.close(goodbye=True)
    proxy.close()


def test_a_broker_that_hangs_up_on_both_versions_is_a_connect_error():
    broker = StrangeBroker([b""], greeting=b"\x00")

    with pytest.raises(ConnectError, match=r"127\.0\.0\.1"):
        opened(broker.settings)
    broker.close()


@pytest.mark.parametrize(("protocol", "refused"), [("5", True), ("3.1.1", False)])
def test_a_publish_that_the_access_list_forbids_comes_back_as_refused_with_mqtt_5(guarded, protocol, refused):
    connection = opened(replace(guarded.settings, protocol=protocol))
    shut, open_ = connection.publish("shut/a", b"1"), connection.publish("open/a", b"1")

    step_until(connection, lambda: len(connection.acknowledged) + len(connection.refused) == 2)

    assert open_ in connection.acknowledged
    assert [mid for mid, _ in connection.refused] == [shut] * refused
    assert all(reason == "Not authorized" for _, reason in connection.refused)
    connection.close(goodbye=True)


def test_a_packet_longer_than_the_broker_takes_is_refused_before_it_is_sent(make_broker):
    broker = make_broker(("allow_anonymous true", "max_packet_size 5000")).start()
    connection = opened(broker.settings)

    mid = connection.publish("a", b" " * 6000)

    assert connection.granted.max_packet_bytes == 5000
    assert connection.refused == [(mid, "6000 bytes; it takes 5000 at most")]
    assert connection.connected
    connection.close(goodbye=True)


def test_a_takeover_that_mqtt_5_tells_of_is_named():
    broker = StrangeBroker([b"\xe0\x02\x8e\x00"])
    connection = opened(broker.settings, "twin")
    connection.subscribe(["a"])

    step_until(connection, lambda: not connection.connected)

    assert "another client took over the client id 'twin'" in connection.why_ended
    broker.close()


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_probe_reads_back_what_it_publishes(broker, protocol):
    told = probe(replace(broker.settings, protocol=protocol), "check", topic="offbeat/gw-1/check")

    assert told.startswith(f"MQTT {protocol}")
    assert told.endswith("published on offbeat/gw-1/check and read back")


@pytest.mark.parametrize(("protocol", "said"), [("5", "is refused: Not authorized"), ("3.1.1", "did not come back")])
def test_probe_finds_a_topic_that_may_not_be_written(guarded, protocol, said):
    with pytest.raises(ConnectError, match=said):
        probe(replace(guarded.settings, protocol=protocol), "check", topic="offbeat/gw-1/check")


def test_a_certificate_that_is_renewed_is_taken_by_the_next_connection(make_broker, tmp_path):
    if shutil.which("openssl") is None:
        missing("openssl")

    def openssl(line: str) -> None:
        subprocess.run(["openssl", *line.split()], cwd=tmp_path, check=True, capture_output=True)

    (tmp_path / "san").write_text("subjectAltName=IP:127.0.0.1")
    openssl("req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=ca -keyout ca.key -out ca.pem")
    for name, days in (("server", 2), ("client", 2), ("expired", -1)):
        openssl(f"req -newkey rsa:2048 -nodes -subj /CN={name} -keyout {name}.key -out {name}.csr")
        signed = f"-CA ca.pem -CAkey ca.key -CAcreateserial -extfile san -days {days}"
        openssl(f"x509 -req -in {name}.csr {signed} -out {name}.pem")
    lines = (f"cafile {tmp_path}/ca.pem", f"certfile {tmp_path}/server.pem", f"keyfile {tmp_path}/server.key")
    broker = make_broker(("allow_anonymous true", "require_certificate true", *lines)).start()
    for kind in ("pem", "key"):
        shutil.copy(tmp_path / f"expired.{kind}", tmp_path / f"mine.{kind}")
    mine = replace(broker.settings, ca=tmp_path / "ca.pem", cert=tmp_path / "mine.pem", key=tmp_path / "mine.key")
    with pytest.raises(ConnectError):
        opened(mine)

    for kind in ("pem", "key"):
        shutil.copy(tmp_path / f"client.{kind}", tmp_path / f"mine.{kind}")

    opened(mine).close(goodbye=True)


def test_an_error_of_our_own_callback_comes_out_as_it_is(broker):
    connection = opened(broker.settings)
    connection.on_message = lambda _message: 1 / 0  # type: ignore[assignment, return-value]
    connection.subscribe(["a"])
    connection.publish("a", b"1")

    with pytest.raises(ZeroDivisionError):
        step_until(connection, lambda: False)
    connection.close(goodbye=False)


def test_a_keepalive_of_a_second_is_kept_by_whoever_steps_as_often_as_told(broker):
    connection = opened(replace(broker.settings, keepalive_s=1))

    for _ in range(16):
        connection.step(connection.longest_wait_s)

    assert connection.connected
    connection.close(goodbye=True)
    wait_for(lambda: "disconnected" in broker.log(), "the goodbye")
