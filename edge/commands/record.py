"""Writes what boards send to CSV files, packed, one for each board and day: what a bundle can be trained on."""

import argparse
import signal
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, get_args

from attrs import field, frozen

from edge.commands.log_lines import log_to_stderr
from edge.commands.watch import with_broker
from edge.config.file import read_tables
from edge.config.settings import load_config
from edge.config.structure import ConfigError, structure
from edge.history.day_files import DayFiles
from edge.sources.intake import Arrival, Deliver, Intake
from edge.sources.mqtt import MqttReader
from edge.sources.settings import MqttFormat, MqttSource, Reader, SourceError, SourceSettings, Surroundings
from edge.wire.broker import BrokerSettings
from edge.wire.moments import utc_text

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
        if not arrival.readings.values:
            return
        moment = arrival.wall if arrival.readings.time is None else arrival.readings.time
        text = utc_text(moment)
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
    try:
        sources = _mqtt_sources(options)
    except ValueError as error:
        say(f"offbeat-edge: {error}")
        return 2

    def opened(take: Deliver) -> list[MqttReader]:
        clients = (f"offbeat-record-{time.time_ns() % 10**6}-{place}" for place in range(len(sources)))
        return [
            MqttReader(source, Intake(source.name, take, source.channels), source.broker or broker, client)
            for source, client in zip(sources, clients, strict=True)
        ]

    return _record_all(options, say, opened)


def _mqtt_sources(options: argparse.Namespace) -> list[MqttSource]:
    """What to record: one format's boards, or those of a config's MQTT sources.

    Raises:
        ConfigError: the config cannot be used, or has none.
        ValueError: the format is none, or wants topics.
    """
    if options.config is not None and options.format is None:
        found = [source for source in load_config(options.config).source if isinstance(source, MqttSource)]
        if not found:
            raise ConfigError(f"{options.config} has no source of type mqtt; --format records without one")
        return found
    name: Any = options.format or "offbeat"
    if name not in get_args(MqttFormat):
        raise ValueError(f"--format {name!r} is none of {', '.join(get_args(MqttFormat))}")
    return [MqttSource(name="record", type="mqtt", format=name, topics=options.topic)]


def record_sources(options: argparse.Namespace, say: Callable[[str], None] = print) -> int:
    """The same with the sources of a file such as agent.toml, which needs no stream and no bundle yet."""
    try:
        tables = read_tables(options.sources)
        wanted = {name: table for name, table in tables.items() if name in ("source", "broker")}
        sources = structure(wanted, _Sources, options.sources.parent)
        live = [source for source in sources.source if source.live and not source.finite]
        if not live:
            raise ConfigError("there is no [[source]] whose readings come as they are measured")
        around = Surroundings(sources.broker, f"record-{time.time_ns() % 10**6}")
        return _record_all(
            options, say, lambda take: [each.open(Intake(each.name, take, each.channels), around) for each in live]
        )
    except (ConfigError, SourceError) as error:
        say(f"offbeat-edge: {options.sources}: {error}")
        return 2


@frozen(kw_only=True)
class _Sources:
    source: tuple[SourceSettings, ...]
    broker: BrokerSettings = field(factory=BrokerSettings)


def _record_all(
    options: argparse.Namespace, say: Callable[[str], None], opened: Callable[[Deliver], Sequence[Reader]]
) -> int:
    options.out.mkdir(parents=True, exist_ok=True)
    recorder, stop = Recorder(options.out, options.max_bytes), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    readers = opened(recorder.take)
    for reader in readers:
        reader.start()
    stop.wait(options.seconds)
    for reader in readers:
        reader.stop()
    recorder.close()
    say(f"{recorder.rows} values in {options.out}; offbeat-train fit {options.out}/<board>-*.csv.gz --out BUNDLE")
    return 0


def record_boards(options: argparse.Namespace) -> int:
    """As `offbeat-edge record`; the exit status."""
    if options.sources is not None:
        log_to_stderr("info")
        return record_sources(options)
    return with_broker(options, record)
