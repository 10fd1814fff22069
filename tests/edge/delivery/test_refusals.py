"""What the broker's access list refuses stays, is named, and goes out when it may."""

from dataclasses import replace

import pytest

from edge.delivery.outbox import Outbox
from edge.delivery.publisher import Publisher
from edge.delivery.settings import DeliverySettings
from edge.wire.topics import DeviceTopics
from tests.helpers.alerts import alert
from tests.helpers.mosquitto import Broker, wait_for

QUICK = DeliverySettings(retry_first_s=0.05, retry_longest_s=0.1, confirm_after_s=0.1)
SHUT = "topic read #\ntopic write offbeat/gw-1/status\ntopic write offbeat/gw-1/pump2/event\n"
OPEN = "topic readwrite #\n"


@pytest.fixture
def guarded(make_broker, tmp_path) -> Broker:
    (tmp_path / "acl").write_text(SHUT)
    return make_broker(("allow_anonymous true", f"acl_file {tmp_path}/acl")).start()


def test_a_refused_event_stays_pending_is_named_and_holds_up_no_other_stream(guarded, tmp_path, caplog):
    outbox, listener = Outbox(tmp_path / "outbox.db"), guarded.listen("#")
    publisher = Publisher(guarded.settings, DeviceTopics("gw-1"), outbox, QUICK)
    publisher.start()

    for number in range(30):
        outbox.put(alert(number, stream="pump1"))
        outbox.put(alert(number, stream="pump2"))

    wait_for(lambda: len(listener.on("offbeat/gw-1/pump2/event")) == 30, "the other stream's events")
    wait_for(lambda: outbox.counts().pending == 30, "theirs to be confirmed")
    assert publisher.counts().refused == {"offbeat/gw-1/pump1/event": "Not authorized"}
    assert listener.on("offbeat/gw-1/pump1/event") == []
    named = [record for record in caplog.records if "pump1/event: Not authorized" in record.getMessage()]
    assert len(named) == 1

    (tmp_path / "acl").write_text(OPEN)
    guarded.reload()

    wait_for(lambda: len(listener.on("offbeat/gw-1/pump1/event")) >= 30, "what was refused", 30.0)
    wait_for(lambda: outbox.counts().pending == 0, "an empty outbox")
    assert publisher.counts().refused == {}
    publisher.stop(5.0)
    listener.close()


def test_a_refused_state_is_named_and_does_not_keep_the_agent_from_leaving(guarded, tmp_path):
    publisher = Publisher(guarded.settings, DeviceTopics("gw-1"), Outbox(tmp_path / "outbox.db"), QUICK)
    publisher.start()
    publisher.availability("pump1", True)
    wait_for(lambda: "offbeat/gw-1/pump1/availability" in publisher.counts().refused, "the refusal")

    assert publisher.stop(30.0) is True

    wait_for(lambda: "DISCONNECT" in guarded.log(), "the goodbye")


def test_with_3_1_1_the_broker_acknowledges_what_it_refuses(guarded, tmp_path):
    outbox = Outbox(tmp_path / "outbox.db")
    publisher = Publisher(replace(guarded.settings, protocol="3.1.1"), DeviceTopics("gw-1"), outbox, QUICK)
    publisher.start()

    outbox.put(alert(1, stream="pump1"))

    wait_for(lambda: outbox.counts().pending == 0, "the acknowledgement; only `check` finds this out")
    assert publisher.counts().mqtt == "3.1.1"
    publisher.stop(5.0)
