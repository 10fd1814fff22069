"""Events in a CloudEvents envelope, for programs that route by it.

Source: CloudEvents 1.0.2, JSON event format, structured content mode of the MQTT binding.
"""

from collections.abc import Mapping
from typing import Any

from edge.wire.moments import utc_text

SPEC_VERSION = "1.0"
CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
"""By this a receiver knows an envelope from what would be the data alone; MQTT 3.1.1 has no place for it."""


def enveloped(body: Mapping[str, Any], root: str) -> dict[str, Any]:
    """An event message as plain JSON types, in an envelope. `root` is the topic above the device.

    `source` and `id` together are unique to the message, so who has seen both has seen it: delivery is at least once.

    >>> body = {"event_type": "new", "id": "e1", "log": "a", "seq": 7, "device": "gw-1", "stream": "pump1",
    ...         "kind": "anomaly", "time": 0.25}
    >>> found = enveloped(body, "offbeat")
    >>> found["source"], found["id"], found["type"], found["time"]
    ('/offbeat/gw-1', 'a.7', 'offbeat.anomaly.new', '1970-01-01T00:00:00.250Z')
    """
    time = _time(body["time"])
    return {
        "specversion": SPEC_VERSION,
        "id": f"{body['log']}.{body['seq']}",
        "source": f"/{root}/{body['device']}",
        "type": f"offbeat.{body['kind']}.{body['event_type']}",
        "subject": f"{body['stream']}/{body['id']}",
        **({} if time is None else {"time": time}),
        "datacontenttype": "application/json",
        "data": dict(body),
    }


def opened(body: Any) -> Any:
    """What is in an envelope; what is in none is given back as it is."""
    if isinstance(body, dict) and isinstance(body.get("specversion"), str) and "data" in body:
        return body["data"]
    return body


def _time(seconds: float) -> str | None:
    """RFC 3339; None outside the years that it can write."""
    try:
        return utc_text(seconds)
    except (OverflowError, ValueError, OSError):
        return None
