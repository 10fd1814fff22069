"""Readings from the kernel's Industrial I/O: sensors on I2C and SPI buses and converters, by their files in sysfs."""

import errno
import math
import os
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Literal

from attrs import field, frozen
from attrs.validators import optional

from edge.sources.checks import is_id, is_positive
from edge.sources.intake import Intake
from edge.sources.polling import Schedule
from edge.sources.settings import Reader, SourceError, SourceSettings, Surroundings
from edge.wire.readings import Readings
from edge.wire.worker import Worker

_CHANNEL = re.compile(r"in_(.+)_(input|raw)")
_GONE = {errno.ENODEV, errno.ENOENT, errno.ENXIO, errno.ENOTDIR}
_MEANINGS = {
    errno.EBUSY: "busy: another program reads it through its buffer",
    errno.EAGAIN: "no value ready",
    errno.EACCES: "this user may not read it",
}


@frozen(kw_only=True)
class IioSource(SourceSettings):
    """Sensors that the kernel's Industrial I/O drivers read; each is a board."""

    type: Literal["iio"]
    devices: list[str] = field(factory=list)
    """Names of sensors as `offbeat-edge check` prints them, such as bme280 or iio:device0; all where left out."""
    board: str | None = field(default=None, validator=optional(is_id))
    """One board for all of them, with channels <sensor>.<channel>, or <channel> where `devices` names one sensor; each
    is a board of its own name where left out."""
    period_s: float = field(default=1.0, validator=is_positive)
    """Between two reads, seconds; best that of the bundle."""
    scale: Mapping[str, float] = field(factory=dict)
    """Channel to what its values are multiplied with: drivers give milli-degrees, millivolts, milli-percent and kPa."""
    offset: Mapping[str, float] = field(factory=dict)
    """Channel to what is added to them then."""
    root: Path = Path("/sys/bus/iio/devices")
    """Folder of the sensors."""

    def open(self, intake: Intake, surroundings: Surroundings) -> Reader:  # noqa: ARG002
        return IioReader(self, intake)


def read_file(path: Path) -> str:
    """What is in a file of sysfs.

    Raises:
        OSError: the sensor does not give it.
    """
    return path.read_text("ascii", "replace").strip()


class Sensor:
    """One device folder. Values are those of the kernel's ABI: `in_X_input`, or (raw + offset) * scale."""

    def __init__(self, folder: Path, read: Callable[[Path], str] = read_file) -> None:
        self.folder, self._read = folder, read
        self.name = _name_in(folder, read)

    def values(self) -> Iterator[tuple[str, float | OSError]]:
        """Each channel with its value, or why it has none now.

        Raises:
            OSError: the device is gone.
        """
        files = set(os.listdir(self.folder))
        kinds: dict[str, str] = {}
        for found in filter(None, map(_CHANNEL.fullmatch, files)):
            if kinds.get(found[1]) != "input":
                kinds[found[1]] = found[2]
        for channel in sorted(kinds):
            try:
                yield channel, self._value(channel, kinds[channel], files)
            except OSError as error:
                if error.errno in _GONE and not self.folder.exists():
                    raise
                yield channel, error
            except ValueError as error:
                yield channel, OSError(errno.EIO, str(error))

    def _value(self, channel: str, kind: str, files: set[str]) -> float:
        value = float(self._read(self.folder / f"in_{channel}_{kind}"))
        if kind == "raw":
            value = (value + self._shared(channel, "offset", files, 0.0)) * self._shared(channel, "scale", files, 1.0)
        if not math.isfinite(value):
            raise ValueError(f"{value} is no number")
        return value

    def _shared(self, channel: str, what: str, files: set[str], default: float) -> float:
        """Its own attribute, else that of all channels of its type, else that of all."""
        # Read each time: drivers with several ranges change it.
        names = [f"in_{each}_{what}" for each in _ever_wider(channel)]
        name = next((name for name in (*names, f"in_{what}", what) if name in files), None)
        return default if name is None else float(self._read(self.folder / name))


def _ever_wider(channel: str) -> list[str]:
    """A channel's names with ever less said, as attributes that several share are called.

    >>> _ever_wider("accel_x"), _ever_wider("voltage0-voltage1")
    (['accel_x', 'accel'], ['voltage0-voltage1', 'voltage-voltage', 'voltage'])
    """
    without_digits = re.sub(r"\d+", "", channel)
    return list(dict.fromkeys([channel, without_digits, re.split(r"[_-]", without_digits)[0]]))


def _name_in(folder: Path, read: Callable[[Path], str]) -> str:
    """The label that the board's maker gave, else the driver's name."""
    for file in ("label", "name"):
        try:
            if name := re.sub(r"[^a-zA-Z0-9_-]", "_", read(folder / file)):
                return name
        except OSError:
            continue
    return re.sub(r"[^a-zA-Z0-9_-]", "_", folder.name)


def sensors_in(settings: IioSource, read: Callable[[Path], str] = read_file) -> dict[str, Sensor]:
    """The sensors that are there now and wanted, by name; a name that two share gets their numbers."""
    found = [Sensor(folder, read) for folder in sorted(settings.root.glob("iio:device*"), key=_number)]
    names = [sensor.name for sensor in found]
    for sensor in found:
        if names.count(sensor.name) > 1:
            sensor.name = f"{sensor.name}_{_number(sensor.folder)}"
    wanted = settings.devices
    return {one.name: one for one in found if not wanted or one.name in wanted or one.folder.name in wanted}


def _number(folder: Path) -> int:
    return int("0" + re.sub(r"\D", "", folder.name))


class IioReader:
    """Reads all sensors once a period, and looks for those that went and those that came."""

    def __init__(self, settings: IioSource, intake: Intake, read: Callable[[Path], str] = read_file) -> None:
        self._settings, self._intake, self._read = settings, intake, read
        self._leaving = threading.Event()
        self._worker = Worker(f"source {settings.name}", self._run, intake.lost, self._leaving)
        self._seen: set[str] = set(settings.devices)

    def start(self) -> None:
        """Begin to read; returns at once, whether or not a sensor is there."""
        self._worker.start()

    def stop(self) -> None:
        """End the thread."""
        self._leaving.set()
        self._worker.join(2.0)

    def probe(self) -> str:
        """Read all sensors once; what they give.

        Raises:
            SourceError: one that is wanted is not there, or gives nothing.
        """
        sensors = sensors_in(self._settings, self._read)
        known = {one.name for one in sensors.values()} | {one.folder.name for one in sensors.values()}
        for wanted in self._settings.devices:
            if wanted not in known:
                there = ", ".join(sensors_in(_all(self._settings), self._read)) or "none"
                raise SourceError(f"there is no sensor {wanted!r} in {self._settings.root}; there are: {there}")
        if not sensors:
            raise SourceError(f"there is no sensor in {self._settings.root}: is its driver loaded?")
        return "; ".join(self._probed(sensor) for sensor in sensors.values())

    def round(self) -> None:
        """Read all sensors once."""
        sensors = sensors_in(self._settings, self._read)
        together: dict[str, float] = {}
        rejected: list[str] = []
        for name, sensor in sensors.items():
            good, bad = self._values(sensor)
            if self._settings.board is None and (good or bad):
                self._intake.take(name, Readings(good, rejected=tuple(bad)))
            together.update(good)
            rejected += bad
        if self._settings.board is not None and (together or rejected):
            self._intake.take(self._settings.board, Readings(together, rejected=tuple(rejected)))
        here = set(sensors) | {sensor.folder.name for sensor in sensors.values()}
        for name in self._seen - here:
            self._intake.board(name, f"it is not in {self._settings.root}")
        self._seen |= set(sensors)
        if together:
            self._intake.connected()
        else:
            reasons = "; ".join(f"{name}: {text}" for name, text in self._intake.troubles.items())
            self._intake.lost(f"no sensor in {self._settings.root} gives a value" + (f": {reasons}" if reasons else ""))

    def _run(self) -> None:
        schedule = Schedule(self._settings.period_s)
        while not self._leaving.is_set():
            self.round()
            self._leaving.wait(schedule.wait_s(time.time()))

    def _values(self, sensor: Sensor) -> tuple[dict[str, float], list[str]]:
        """Values by the channels' final names, and the names of those that have none now."""
        settings, values, troubles = self._settings, {}, {}
        prefix = f"{sensor.name}." if settings.board is not None and len(settings.devices) != 1 else ""
        try:
            for channel, value in sensor.values():
                name = prefix + channel
                if isinstance(value, OSError):
                    troubles[name] = _MEANINGS.get(value.errno or 0, value.strerror or str(value))
                else:
                    values[name] = value * settings.scale.get(name, 1.0) + settings.offset.get(name, 0.0)
        except OSError as error:  # it went between two files
            self._intake.board(sensor.name, f"it went away: {error.strerror}")
            return values, []
        text = "; ".join(f"channel {name}: {why}" for name, why in list(troubles.items())[:3])
        if not values and not troubles:
            text = f"{sensor.folder} has no channel in_…_input or in_…_raw"
        self._intake.board(sensor.name, text or None)
        return values, list(troubles)

    def _probed(self, sensor: Sensor) -> str:
        values, bad = self._values(sensor)
        if not values:
            raise SourceError(f"sensor {sensor.name}: {self._intake.troubles.get(sensor.name, 'it gives no value')}")
        said = [f"{name} {value:g}" for name, value in values.items()] + [f"{name} none" for name in bad]
        return f"{sensor.name} ({sensor.folder.name}): {', '.join(said)}"


def _all(settings: IioSource) -> IioSource:
    from attrs import evolve

    return evolve(settings, devices=[])
