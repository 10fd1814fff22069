"""Sensor boards as one process: `python -m tests.bench.boards PORT STREAMS CHANNELS SECONDS HZ`.

First the past: what fills a window, of every board, as fast as the broker takes it in turns of all boards. Then the
present: every board sends all its channels in one JSON message at its own moment of every period.
"""

import json
import sys
import time

import numpy as np
import paho.mqtt.client as paho

from tests.bench.agent_probe import phase

_PAST_ROWS = 40
_PAST_PER_S = 4000
"""Messages a second: what the agent takes without losing any."""


class Boards:
    """They all measure noise around 10."""

    def __init__(self, client: paho.Client, streams: int, channels: int, hz: float) -> None:
        self._client, self._streams, self._hz = client, streams, hz
        values = np.random.default_rng(0).normal(10, 1, (256, channels)).round(4).tolist()
        self._values = [json.dumps({f"c{n}": value for n, value in enumerate(row)}) for row in values]
        self._sent = 0

    def send(self, number: int, time_s: float) -> None:
        """One board's message."""
        values = self._values[self._sent % len(self._values)]
        self._sent += 1
        self._client.publish(
            f"sensors/b{number}/readings", f'{{"time": {time_s:.6f}, "seq": {self._sent}, "values": {values}}}'
        )

    def past(self, until: int) -> None:
        """Rows before the Unix second `until`, in the order in which they were measured."""
        started = time.monotonic()
        for row in range(_PAST_ROWS, 0, -1):
            for number in range(self._streams):
                self.send(number, until + (phase(number, self._streams) - row) / self._hz)
                ahead_s = self._sent / _PAST_PER_S - (time.monotonic() - started)
                if ahead_s > 0.002:
                    time.sleep(ahead_s)

    def present(self, start: float, periods: int) -> None:
        """Each board once a period, from the Unix time `start` on."""
        for period in range(periods):
            for number in range(self._streams):
                due = start + (period + phase(number, self._streams)) / self._hz
                while (wait_s := due - time.time()) > 0:
                    time.sleep(min(wait_s, 0.05))
                self.send(number, due)


def main() -> None:
    """Send, and say on standard output when the present begins."""
    port, streams, channels, seconds, hz = *map(int, sys.argv[1:5]), float(sys.argv[5])
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", port)
    client.loop_start()
    boards = Boards(client, streams, channels, hz)
    past_s = _PAST_ROWS * streams / _PAST_PER_S
    start = int(time.time() + past_s) + 2
    boards.past(start)
    print("present", flush=True)
    boards.present(start, int(seconds * hz))
    time.sleep(1.0)
    client.disconnect()
    client.loop_stop()


if __name__ == "__main__":
    main()
