"""Writes what boards send to CSV files, packed, one for each board and day: what a bundle can be trained on."""

import argparse
import gzip
import signal
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, get_args

from edge.sources.intake import Arrival, Intake
from edge.sources.mqtt import MqttReader
from edge.sources.settings import MqttFormat, MqttSource
from edge.wire.broker import BrokerSettings

_FLUSH_S = 10.0
"""What a power cut costs at most."""
_MOST_BOARDS = 200


class Recorder:
    """Files `<board>-<day>T<start>.csv.gz` in a folder, with a row a value: time, channel, value.

    The oldest files are removed once all together hold more than `max_bytes`.
    """

    def __init__(self, folder: Path, max_bytes: int, wall: Callable[[], float] = time.time) -> None:
        self._folder, self._max_bytes, self._wall = folder, max_bytes, wall
        self._files: dict[str, tuple[str, IO[str]]] = {}
        self._flushed = 0.0
        self._lock = threading.Lock()
        self.rows = 0

    def take(self, arrival: Arrival, wait: bool = False) -> None:
        """Write the readings of a board; `wait` is of no meaning to a file."""
        del wait
        if not arrival.readings.values:
            return
        moment = arrival.wall if arrival.readings.time is None else arrival.readings.time
        text = datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        with self._lock:
            file = self._file(arrival.board)
            if file is None:
                return
            for channel, value in arrival.readings.values.items():
                file.write(f'{text},"{channel.replace(chr(34), "")}",{value!r}\n')
                self.rows += 1
            if arrival.monotonic - self._flushed > _FLUSH_S:
                self._flushed = arrival.monotonic
                self._flush()

    def close(self) -> None:
        """Complete all files."""
        with self._lock:
            for _, file in self._files.values():
                file.close()
            self._files.clear()

    def _file(self, board: str) -> IO[str] | None:
        day = datetime.fromtimestamp(self._wall(), UTC).strftime("%Y-%m-%d")
        known = self._files.get(board)
        if known is not None and known[0] == day:
            return known[1]
        if known is not None:
            known[1].close()
        elif len(self._files) >= _MOST_BOARDS:
            return None
        start = datetime.fromtimestamp(self._wall(), UTC).strftime("%H%M%S")
        file = gzip.open(self._folder / f"{board}-{day}T{start}.csv.gz", "at", encoding="utf-8")  # noqa: SIM115
        file.write("time,channel,value\n")
        self._files[board] = (day, file)  # type: ignore[assignment]
        return file  # type: ignore[return-value]

    def _flush(self) -> None:
        for _, file in self._files.values():
            file.flush()
        files = sorted(self._folder.glob("*.csv.gz"), key=lambda path: path.stat().st_mtime)
        size = sum(path.stat().st_size for path in files)
        for path in files[:-1]:
            if size <= self._max_bytes:
                return
            size -= path.stat().st_size
            path.unlink()


def record(options: argparse.Namespace, broker: BrokerSettings, say: Callable[[str], None] = print) -> int:
    """Record until stopped, or for `--seconds`; the exit status."""
    try:
        sources = _sources(options)
    except ValueError as error:
        say(f"offbeat-edge: {error}")
        return 2
    options.out.mkdir(parents=True, exist_ok=True)
    recorder, stop = Recorder(options.out, options.max_bytes), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    readers = []
    for place, source in enumerate(sources):
        intake = Intake(source.name, recorder.take, source.channels)
        client_id = f"offbeat-record-{time.time_ns() % 10**6}-{place}"
        readers.append(MqttReader(source, intake, source.broker or broker, client_id))
        readers[-1].start()
    stop.wait(options.seconds)
    for reader in readers:
        reader.stop()
    recorder.close()
    say(f"{recorder.rows} values in {options.out}; offbeat-train fit {options.out}/<board>-*.csv.gz --out BUNDLE")
    return 0


def _sources(options: argparse.Namespace) -> list[MqttSource]:
    """What to record: one format's boards, or those of a config's MQTT sources.

    Raises:
        ConfigError: the config cannot be used, or has none.
        ValueError: the format is none, or wants topics.
    """
    if options.config is not None and options.format is None:
        from edge.config.settings import ConfigError, load_config

        found = [source for source in load_config(options.config).source if isinstance(source, MqttSource)]
        if not found:
            raise ConfigError(f"{options.config} has no source of type mqtt; --format records without one")
        return found
    name: Any = options.format or "offbeat"
    if name not in get_args(MqttFormat):
        raise ValueError(f"--format {name!r} is none of {', '.join(get_args(MqttFormat))}")
    return [MqttSource(name="record", type="mqtt", format=name, topics=options.topic)]
