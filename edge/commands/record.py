"""Writes what boards send to CSV files, packed, one for each board and day: what a bundle can be trained on."""

import argparse
import signal
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

from edge.history.day_files import DayFiles
from edge.sources.intake import Arrival, Intake
from edge.sources.mqtt import MqttReader
from edge.sources.settings import MqttFormat, MqttSource
from edge.wire.broker import BrokerSettings

_FLUSH_S = 10.0
"""What a power cut costs at most."""


class Recorder:
    """Files `<board>-<day>T<start>.csv.gz` in a folder, with a row a value: time, channel, value.

    The oldest files are removed once all together hold more than `max_bytes`.
    """

    def __init__(self, folder: Path, max_bytes: int, wall: Callable[[], float] = time.time) -> None:
        self._files = DayFiles(folder, max_bytes, wall, lambda board, stamp: f"{board}-{stamp}.csv.gz")
        self._flushed = 0.0
        self._lock = threading.Lock()
        self.rows = 0

    def take(self, arrival: Arrival, wait: bool = False) -> None:
        """Write the readings of a board; `wait` is of no meaning to a file."""
        del wait
        moment = arrival.wall if arrival.readings.time is None else arrival.readings.time
        text = datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        values = arrival.readings.values.items()
        lines = [f'{text},"{channel.replace(chr(34), "")}",{value!r}\n' for channel, value in values]
        with self._lock:
            if not self._files.write(arrival.board, "time,channel,value", "".join(lines)):
                return
            self.rows += len(lines)
            if arrival.monotonic - self._flushed > _FLUSH_S:
                self._flushed = arrival.monotonic
                self._files.flush()

    def close(self) -> None:
        """Complete all files."""
        with self._lock:
            self._files.close()


def record(options: argparse.Namespace, broker: BrokerSettings, say: Callable[[str], None] = print) -> int:
    """Record until stopped, or for `--seconds`; the exit status."""
    if options.format not in get_args(MqttFormat):
        say(f"offbeat-edge: --format {options.format!r} is none of {', '.join(get_args(MqttFormat))}")
        return 2
    try:
        source = MqttSource(name="record", type="mqtt", format=options.format, topics=options.topic)
    except ValueError as error:
        say(f"offbeat-edge: {error}")
        return 2
    options.out.mkdir(parents=True, exist_ok=True)
    recorder, stop = Recorder(options.out, options.max_bytes), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    reader = MqttReader(source, Intake("record", recorder.take, {}), broker, f"offbeat-record-{time.time_ns() % 10**6}")
    reader.start()
    stop.wait(options.seconds)
    reader.stop()
    recorder.close()
    say(f"{recorder.rows} values in {options.out}; offbeat-train fit {options.out}/<board>-*.csv.gz --out BUNDLE")
    return 0
