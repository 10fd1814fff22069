"""The front door of the detector: readings of one machine in, scores and events out, without an agent around it."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypedDict, Unpack

import numpy as np

from edge.detector.bundle.files import Bundle, Variant, load_bundle
from edge.detector.bundle.rules import ChannelRules, merged
from edge.detector.events.planned import PlannedException
from edge.detector.events.settings import StreamSettings
from edge.detector.group import StreamGroup
from edge.detector.learn.commissioning import commission
from edge.detector.members.tuning import DEFAULT
from edge.detector.outcome import Outcome
from edge.detector.rows.aligner import ABSURD, EARLIEST, LATEST, Aligner
from edge.detector.rows.row import Row
from edge.detector.score.runtime import Network, load_model
from edge.wire.events import Event

Values = Mapping[str, float | None] | Sequence[float | None] | np.ndarray
"""Readings of one instant: channel to value, or values in the order of the channels; None where there is none."""


class Options(TypedDict, total=False):
    """What a user may set for a detector; meanings and defaults are those of `StreamSettings`."""

    id: str
    level: float
    min_windows: int | None
    update_every_s: float
    rules: Mapping[str, ChannelRules]
    calibrate_rows: int
    planned: tuple[PlannedException, ...]
    max_drift_sd: float | None


class Detector:
    """Scores the readings of one machine as they come: what the agent runs for each of its streams.

    Readings become rows on the bundle's grid, and each row is scored once it is closed. A score of
    1.0 is the alarm level; it is NaN until a window of rows is full. Not to be shared between threads.

    >>> detector = Detector.load("models/pump")
    >>> detector.channels[:3]
    ('speed', 'flow', 'pressure')
    >>> normal = (2430.0, 31.8, 2.16, 7.36, 1.94, 36.8, 20.4)
    >>> outcomes = [one for second in range(60) for one in detector.update(1763772000.0 + second, normal)]
    >>> len(outcomes), outcomes[-1].time, outcomes[-1].alarm
    (60, 1763772059.0, False)
    >>> sorted(outcomes[-1].shares) == sorted(outcomes[-1].expected) == sorted(detector.channels)
    True
    """

    def __init__(self, bundle: Bundle, variant: Variant, network: Network, settings: StreamSettings) -> None:
        """Of a bundle that is loaded; `load` is the usual way. `network` runs the variant's model."""
        self._bundle, self._variant, self._network = bundle, variant, network
        self._settings, self._group, self._aligner = settings, self._new_group(settings), self._new_aligner()
        self._last_time: float | None = None  # of the last row, Unix seconds

    @classmethod
    def load(
        cls,
        folder: str | Path,
        *,
        variant: str = "auto",
        runtime: str | None = None,
        learned_rules: bool = False,
        **options: Unpack[Options],
    ) -> "Detector":
        """From a bundle's folder.

        `variant` is float32, dynamic or int8, `runtime` ai-edge-litert or tflite-runtime; by default
        the first that runs here. With `learned_rules` the bundle's limits of channels apply as well as
        `rules`. `options` are those of `StreamSettings`, such as `level=1.2` and `calibrate_rows=3600`,
        with which the detector takes its own first rows for normal and calibrates itself on them; `id`
        is the bundle's name by default.

        Raises:
            BundleError: the bundle cannot be used, or in no runtime here.
            ValueError: an option is out of its range, or a rule names a channel that the bundle has not.
        """
        bundle = load_bundle(folder)
        options.setdefault("id", bundle.name)
        own = StreamSettings(**options)
        _check(own, bundle)
        if learned_rules:
            own = replace(own, rules=merged(bundle.rules, own.rules))
        return cls(bundle, *load_model(bundle, variant, runtime), own)

    @property
    def bundle(self) -> Bundle:
        """What was learned: channels with units, window, period."""
        return self._bundle

    @property
    def channels(self) -> tuple[str, ...]:
        """Names in the order in which a sequence of values is read."""
        return self._bundle.channel_names

    def update(self, time: float, values: Values) -> tuple[Outcome, ...]:
        """Take readings of one instant; an outcome for each row that they closed, oldest first.

        `time` is Unix seconds, `values` are in the channels' units. Channels may come apart: a mapping need
        not have them all, and a time may come again. A row waits for channels that are late, for a period
        at most. A time that is further ahead than a gap waits for the next one to confirm it.

        Raises:
            ValueError: a channel that the bundle has not, too few or too many values, a value or a time that
                is no sensible number, or a time before the one before it; the reading is left out.
        """
        return self._scored(self._aligned(self._aligner, time, values))

    def flush(self) -> tuple[Outcome, ...]:
        """Close the rows that still wait for readings: outcomes for each of them."""
        return self._scored(self._aligner.flush())

    def close(self) -> tuple[Event, ...]:
        """The readings are at their end: the events of rows still open, and the `end` of open episodes.

        The detector keeps what it has learned, and may go on with other readings, earlier ones too.
        """
        outcomes = self.flush()
        events = [event for outcome in outcomes for event in outcome.events]
        self._aligner = self._new_aligner()
        ends = () if self._last_time is None else self._group.close(0, self._last_time)
        return (*events, *ends)

    def calibrate(self, readings: Iterable[tuple[float, Values]]) -> None:
        """Learn scaler and limits from this machine's own normal readings, (time, values) as `update` takes them.

        What it was told before is forgotten, episodes too; readings that follow go on where these end.

        Raises:
            CalibrationError: they do not suffice; it says what they lack. The detector stays as it was.
            ValueError: as `update`; the detector stays as it was.
        """
        aligner = self._new_aligner()
        rows = [row for time, values in readings for row in self._aligned(aligner, time, values)]
        rows += aligner.flush()
        if not rows:
            raise ValueError("there are no readings to calibrate on; give normal ones as pairs (time, values)")
        settings = replace(self._settings, calibrate_rows=len(rows))
        group = self._new_group(settings)
        for row in rows:
            group.process([(0, row)])
        if group.calibration(0) is None:
            commission(self._bundle, self._network, rows, DEFAULT)  # raises, since it takes the same steps
        group.close(0, rows[-1].time)
        self._settings, self._group, self._aligner, self._last_time = settings, group, aligner, rows[-1].time

    def snapshot(self) -> dict[str, Any]:
        """Plain JSON of what must outlive the process: own calibration, baselines, open episodes."""
        return self._group.snapshot(0)

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a snapshot of the same bundle; the window fills anew.

        Raises:
            ValueError: it is malformed, or of another version or bundle; the detector stays as it was.
        """
        settings = self._settings
        if state.get("calibration") is not None and not settings.calibrate_rows:
            settings = replace(settings, calibrate_rows=1)  # it has its own, whoever asked for it
        group = self._new_group(settings)
        group.restore(0, state)
        self._settings, self._group, self._aligner, self._last_time = settings, group, self._new_aligner(), None

    def _new_group(self, settings: StreamSettings) -> StreamGroup:
        return StreamGroup(self._bundle, self._variant, self._network, [settings])

    def _new_aligner(self) -> Aligner:
        return Aligner(self.channels, self._bundle.aligner)

    def _aligned(self, aligner: Aligner, time: float, values: Values) -> list[Row]:
        """The rows that a reading closes."""
        _check_time(time, aligner.latest)
        return aligner.add(time, self._by_name(values))

    def _scored(self, rows: Iterable[Row]) -> tuple[Outcome, ...]:
        outcomes: list[Outcome] = []
        for row in rows:
            outcomes += self._group.process([(0, row)])
            self._last_time = row.time
        return tuple(outcomes)

    def _by_name(self, values: Values) -> dict[str, float]:
        """Channel to value, of those that are there."""
        if not isinstance(values, Mapping):
            if len(values) != len(self.channels):
                raise ValueError(
                    f"{len(values)} values for {len(self.channels)} channels; wanted one for each of "
                    f"{', '.join(self.channels)}, None where there is none"
                )
            values = dict(zip(self.channels, values, strict=True))
        elif strangers := values.keys() - set(self.channels):
            raise ValueError(
                f"{self._bundle.name} has no channel {min(strangers, key=str)!r}; its channels are "
                f"{', '.join(self.channels)}"
            )
        return {name: _number(name, value) for name, value in values.items() if value is not None}


def _number(name: str, value: float) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} is {value!r}, which is no number; leave it out, or give None") from error
    if not -ABSURD < number < ABSURD:  # NaN too
        raise ValueError(f"{name} is {number:g}, which no sensor reads; leave it out, or give None")
    return number


def _check_time(time: float, latest: float) -> None:
    """Whether a reading may have this time, when the last one was at `latest`."""
    if not EARLIEST < time < LATEST:  # NaN too
        raise ValueError(f"the time {time} is no Unix time in seconds; is it in milliseconds?")
    if time < latest:
        raise ValueError(
            f"the time {time} lies {latest - time:g} s before that of the last reading, {latest}; give readings in the "
            "order of their times, or call close() before another recording"
        )


def _check(settings: StreamSettings, bundle: Bundle) -> None:
    """Whether options make sense for a bundle."""
    if not (settings.level > 0 and math.isfinite(settings.level)):
        raise ValueError(f"level is {settings.level}; wanted a number above 0, 1.0 for the calibrated level")
    if settings.min_windows is not None and settings.min_windows < 1:
        raise ValueError(f"min_windows is {settings.min_windows}; wanted 1 or more, or None")
    if settings.calibrate_rows < 0:
        raise ValueError(f"calibrate_rows is {settings.calibrate_rows}; wanted 0 for the bundle's calibration, or more")
    for name in settings.rules:
        if name not in bundle.channel_names:
            raise ValueError(
                f"a rule for {name!r}: {bundle.name} has no such channel; its channels are "
                f"{', '.join(bundle.channel_names)}"
            )
