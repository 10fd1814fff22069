"""paho clients as `edge.mqtt.connection` drives them."""

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from edge.mqtt.wishes import Wishes


def new_client(client_id: str, protocol: paho.MQTTProtocolVersion, wishes: Wishes) -> paho.Client:
    """One that never reconnects by itself; not connected, without callbacks."""
    client = paho.Client(
        CallbackAPIVersion.VERSION2,
        client_id,
        clean_session=None if protocol == paho.MQTTv5 else wishes.kept_s is None,
        protocol=protocol,
        reconnect_on_failure=False,
        manual_ack=wishes.manual_ack,
    )
    if wishes.will_topic is not None:
        client.will_set(wishes.will_topic, b"offline", qos=1, retain=wishes.retained_will)
    return client
