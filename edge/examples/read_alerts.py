"""Prints the alerts of all devices at a broker until Ctrl-C.

python -m edge.examples.read_alerts localhost 1883
"""

import sys
import threading
from contextlib import suppress

from edge import AlertReader, BrokerSettings, EventMessage


def show(message: EventMessage, _payload: bytes) -> None:
    """Print an alert; it comes once, in order."""
    event = message.event
    channels = ", ".join(part.channel for part in event.contributors)
    print(f"{message.device}/{event.stream}: {event.event_type} {event.kind} {event.severity} {channels}", flush=True)


def main(host: str = "localhost", port: str = "1883") -> None:
    """Read until interrupted."""
    reader = AlertReader(BrokerSettings(host=host, port=int(port)), show)
    with suppress(KeyboardInterrupt):
        reader.run(stop=threading.Event())


if __name__ == "__main__":
    main(*sys.argv[1:])
