"""Boards that misbehave, in a process of their own: `python -m tests.chaos.shouting PORT TIMES_A_SECOND`, until killed.

The loud one floods with good readings and garbage; the stream of the other has no model.
"""

import itertools
import sys
import time

import paho.mqtt.client as paho

from edge.wire.readings import encode_readings
from edge.wire.topics import readings_topic
from tests.chaos.garbage import PIECES
from tests.chaos.recording import Recording

_AT_ONCE = 20


def main() -> None:
    """Shout."""
    port, rate = int(sys.argv[1]), float(sys.argv[2])
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", port)
    client.loop_start()
    recording, numbers, due = Recording(0, "loud", 1_795_000_000.0), itertools.count(), time.monotonic()
    while True:
        for number in itertools.islice(numbers, _AT_ONCE):
            good = encode_readings(recording.row(number))
            payload = good if number % 4 else PIECES[number // 4 % len(PIECES)]
            client.publish(readings_topic("loud"), payload)
            client.publish(readings_topic("broken"), payload)
        due += 1 / rate
        time.sleep(max(0.0, due - time.monotonic()))


if __name__ == "__main__":
    main()
