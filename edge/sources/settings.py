"""The settings of each source, as `[[source]]` in agent.toml gives them; every field says its unit.

`edge.sources.opening` names the types.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol

from attrs import field, frozen
from attrs.validators import optional

from edge.readings.options import FileOptions
from edge.sources.checks import is_id, is_positive, is_topic_root, not_negative
from edge.sources.intake import Intake
from edge.wire.broker import BrokerSettings

TimeUnit = Literal["s", "ms"]
MqttFormat = Literal[
    "offbeat", "mapped", "esphome", "tasmota", "zigbee2mqtt", "shelly", "homeassistant", "influx", "sparkplug"
]


def _are_patterns(_owner: Any, attribute: Any, value: list[str]) -> None:
    """Topics to subscribe to."""
    for topic in value:
        levels = topic.split("/")
        if not topic or "#" in levels[:-1] or any(mark in level and level != mark for level in levels for mark in "+#"):
            raise ValueError(
                f"{attribute.name} has {topic!r}; wanted a topic in which + and # are whole levels, # the last"
            )


class SourceError(Exception):
    """A source that cannot be started as it is configured: a file or a module is missing."""


class NotInstalledError(SourceError):
    """A source whose module is not installed: no waiting mends that."""


class Reader(Protocol):
    """Reads a source in a thread of its own."""

    def start(self) -> None:
        """Begin to read; returns at once, whether or not something is there.

        Raises:
            SourceError: it cannot, as it is configured.
        """

    def stop(self) -> None:
        """End the thread."""

    def probe(self) -> str:
        """Try the source without starting it; what was found.

        Raises:
            SourceError: it does not work, and why.
        """


@dataclass(frozen=True)
class Surroundings:
    """What a source may need of the rest of the config."""

    broker: BrokerSettings
    """That of the alerts."""
    device: str


@frozen(kw_only=True)
class SourceSettings(ABC):
    """What every source has."""

    type: str
    """Which of the types it is."""
    name: str = field(validator=is_id)
    """What streams call the source."""
    channels: Mapping[str, str] = field(factory=dict)
    """The board's channel names to the bundle's; names left out stay as they are."""

    finite: ClassVar[bool] = False
    """Whether the source may come to an end."""
    live: ClassVar[bool] = True
    """Whether readings come as they are measured."""

    @property
    def own_broker(self) -> BrokerSettings | None:
        """The broker that the source alone connects to, where there is one."""
        return None

    def recorded(self) -> Collection[str] | None:
        """Names of the channels that a recording has, as streams know them; None where nobody knows yet.

        Raises:
            SourceError: it cannot be read, or in several ways.
        """
        return None

    @abstractmethod
    def open(self, intake: Intake, surroundings: Surroundings) -> Reader:
        """The reader, not started. Imports only what this source needs.

        Raises:
            SourceError: its file or module is missing.
        """


@frozen(kw_only=True)
class MqttSource(SourceSettings):
    """Boards that publish to `<root>/<board>/readings`."""

    type: Literal["mqtt"]
    root: str = field(default="sensors", validator=is_topic_root)
    """Topic above the boards, of the own format."""
    time_unit: TimeUnit = "s"
    """Unit of times that are numbers."""
    format: MqttFormat = "offbeat"
    """What publishes: boards in the own format, a program or device that is known by name, or any, by mapping."""
    topics: list[str] = field(factory=list, validator=_are_patterns)
    """What is subscribed to, with + and #; the format's usual topics where left out, which `mapped` has none of. The
    own format is read from any topic then, and the first + stands for the board."""
    board_level: int | None = None
    """Of mapped messages: the topic's level, from 0, that names the board; else what the first + stands for."""
    channel_level: int | None = None
    """The level that names the channel, of messages that are a bare value; else what the last + stands for."""
    values: Mapping[str, str] = field(factory=dict)
    """Of mapped messages: channel to the path of its value, such as object.temperature; else every number counts."""
    below: str | None = None
    """Of mapped messages: the path below which every number counts, where `values` names none."""
    time_path: str | None = None
    """Of mapped messages: path of the time, a number or text; that of arrival where left out."""
    scale: Mapping[str, float] = field(factory=dict)
    """Channel to what its values are multiplied with."""
    offset: Mapping[str, float] = field(factory=dict)
    """Channel to what is added to them then."""
    retained: bool = False
    """Whether retained messages count, which are as old as they like."""
    rebirth: bool = True
    """Of Sparkplug: whether a node is asked for its births where they, or any message, were missed."""

    def __attrs_post_init__(self) -> None:
        if self.format == "mapped" and not self.topics:
            raise ValueError("format is 'mapped', which has no usual topics; give topics, such as [\"meters/+/state\"]")

    qos: Literal[0, 1] = 0
    """Quality of service of the subscription; a lost reading is a missing one, so 0 is enough."""
    max_payload_bytes: int = field(default=65536, validator=is_positive)
    """Longest payload that is read; longer ones are counted as bad, with MQTT 5 the longest are not even sent."""
    broker: BrokerSettings | None = None
    """Broker of the readings; the broker of the alerts where it is left out."""

    @property
    def own_broker(self) -> BrokerSettings | None:
        return self.broker

    def open(self, intake: Intake, surroundings: Surroundings) -> Reader:
        from edge.sources.mqtt import MqttReader

        own_id = self.broker.client_id if self.broker else None
        client_id = own_id or f"offbeat-{surroundings.device}-{self.name}"
        return MqttReader(self, intake, self.broker or surroundings.broker, client_id)


@frozen(kw_only=True)
class SerialSource(SourceSettings):
    """Boards on a serial line, one frame a line; a frame's time is in milliseconds."""

    type: Literal["serial"]
    port: str
    """The device, such as /dev/ttyUSB0."""
    baud: int = field(default=115200, validator=is_positive)
    """Symbols a second."""

    def open(self, intake: Intake, surroundings: Surroundings) -> Reader:  # noqa: ARG002
        from edge.sources.serial import SerialReader

        return SerialReader(self, intake)


@frozen(kw_only=True)
class _LineSource(SourceSettings):
    """CSV with a header, or one JSON object a line."""

    board: str | None = field(default=None, validator=optional(is_id))
    """Board of lines that name none in a `board` column or key; the source's name where left out."""
    format: Literal["auto", "csv", "json"] = "auto"
    """`auto` looks at the first character: { is JSON."""
    time_column: str | None = None
    """CSV column with the time; A,B joins several; found by name and content where left out."""
    time_unit: TimeUnit | None = None
    """Unit of times that are numbers; found by their size where left out, s in JSON lines."""
    time_format: str | None = None
    """A pattern such as %d.%m.%Y %H:%M, a unit, or excel: where times can be read in several ways, or none is found."""
    day_first: bool | None = None
    """Whether 03/04/2024 is the third of April, where the file does not show it."""
    decimal: Literal[".", ","] | None = None
    """The decimal mark, where the file does not show it."""
    missing: list[str] = field(factory=list)
    """Numbers that mean no value, such as -999; what a bundle lists as missing is so without this."""
    id_column: str | None = None
    """Of a file with a row a value: the column that says whose it is."""
    value_column: str | None = None
    """Of such a file: the column with the value."""
    rename: Mapping[str, str] = field(factory=dict)
    """Columns to the bundle's channels, as `channels` does; here also those of a file with a row a value."""
    header_row: int | None = None
    """Line with the names, from 1; 0 where there is none; found where left out."""
    skip_lines: int = field(default=0, validator=not_negative)
    """Lines at the start to pass over."""
    period_s: float | None = field(default=None, validator=optional(is_positive))
    """Between two rows of a file without a time, seconds."""
    timezone: str | None = None
    """Zone of written times that carry none, such as Europe/Berlin; UTC where left out."""

    @property
    def written_as(self) -> FileOptions:
        """What is said of how the lines are written."""
        return FileOptions(
            time_column=self.time_column,
            time_format=self.time_format or self.time_unit,
            day_first=self.day_first,
            decimal=self.decimal,
            missing=tuple(self.missing),
            id_column=self.id_column,
            value_column=self.value_column,
            rename=tuple(self.rename.items()),
            header_row=self.header_row,
            skip_lines=self.skip_lines,
            timezone=self.timezone,
            period_s=self.period_s,
        )

    finite: ClassVar[bool] = True


@frozen(kw_only=True)
class FileSource(_LineSource):
    """A recording."""

    type: Literal["file"]
    path: Path
    """The file; a relative one is looked for beside agent.toml."""
    speed: float = field(default=0.0, validator=not_negative)
    """Seconds of the file's time that pass in a second; 0 is as fast as the rows can be scored."""
    loop: bool = False
    """Start over at the end, with times that go on. Else the file ends, and with the last source the agent."""

    live: ClassVar[bool] = False

    def recorded(self) -> Collection[str] | None:
        from edge.sources.file import recorded_channels

        return recorded_channels(self)[1]

    def open(self, intake: Intake, surroundings: Surroundings) -> Reader:  # noqa: ARG002
        from edge.sources.file import LineReader

        return LineReader(self, intake)


@frozen(kw_only=True)
class StdinSource(_LineSource):
    """Lines from standard input; its end is the source's end."""

    type: Literal["stdin"]

    def open(self, intake: Intake, surroundings: Surroundings) -> Reader:  # noqa: ARG002
        from edge.sources.file import LineReader

        return LineReader(self, intake)
