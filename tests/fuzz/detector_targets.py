"""What clocks, bundles and state files may hold: streams of readings, manifests, what a stream has learnt."""

import itertools
import json
import math
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from edge.agent.stream import Stream
from edge.config.settings import StreamConfig
from edge.detector.bundle.files import Bundle, BundleError
from edge.detector.bundle.manifest import parse_manifest
from edge.detector.bundle.memory import Memory
from edge.detector.bundle.peaks import Peaks
from edge.detector.group import StreamGroup, StreamSettings
from edge.detector.members.registry import NAMES
from edge.detector.rows.row import Row
from edge.detector.score.runtime import load_model
from edge.sources.intake import Arrival
from edge.wire.readings import Readings
from tests.fuzz.inputs import with_other_values
from tests.fuzz.target import Target, one_line
from tests.helpers.tiny_bundle import CHANNELS, normal, write_tiny_bundle

_NOW = 1_795_000_000.0


@cache
def _bundle() -> Bundle:
    folder = Path(tempfile.mkdtemp(prefix="offbeat-fuzz-")) / "tiny"
    return write_tiny_bundle(folder)


@cache
def _model() -> Any:
    return load_model(_bundle(), "auto", None)[1]


def _stream(script: bytes) -> None:
    """No stamp, value or clock makes a stream raise, go back without saying so, or keep rows without end."""
    first, steps = (script[0], script[1:]) if script else (0, b"")
    config = StreamConfig(
        id="s",
        bundle=Path("tiny"),
        time_from="arrival" if first & 1 else "reading",
        aggregate="mean" if first & 2 else "last",
    )
    stream = Stream(config, _bundle(), live=True)
    monotonic, wall, rows = 100.0, _NOW, []
    for at in range(0, len(steps) - 2, 3):
        time, values, (passed_s, stepped_s) = (_TABLES[n][steps[at + n] % len(_TABLES[n])] for n in range(3))
        monotonic, wall = monotonic + passed_s, wall + passed_s + stepped_s
        stamp = None if time is None else time if abs(time) > 1e4 or time != time else wall + time
        stream.take(Arrival("x", "s", Readings(values, stamp), monotonic, wall))
        stream.advance(monotonic)
        rows += stream.rows
        stream.rows.clear()
    stream.flush()
    rows += stream.rows
    assert len(rows) <= 6 * len(steps) + 6, "a gap is 5 periods: no reading may make more rows than that"
    backwards = sum(later.time <= row.time for row, later in itertools.pairwise(rows))
    assert backwards <= stream.aligner.counts["clock_reset"]
    assert all(math.isfinite(row.time) and not np.isinf(row.values).any() for row in rows)


def _manifest(body: Any) -> None:
    """Any manifest gives a bundle that a group can be made of, or one line that says why not."""
    try:
        bundle = parse_manifest(_bundle().folder, json.loads(json.dumps(body)), "0" * 64)
        variant, model = load_model(bundle, "auto", None)
        StreamGroup(bundle, variant, model, [StreamSettings("s")])
    except BundleError as error:
        one_line(error)


@cache
def _manifest_of_all() -> Any:
    """With what a bundle may have beside: remembered windows, and what the fitted machines reached."""
    body = json.loads((_bundle().folder / "manifest.json").read_text())
    windows = np.zeros((2, body["window"] * len(CHANNELS)), np.float32)
    highest, behind = np.ones((2, len(NAMES))), np.full(len(NAMES), 500)
    fleet = Peaks(highest, behind, behind // 100, np.full(len(NAMES), 0.5))
    return {**body, "memory": Memory(windows, body["window"]).to_dict(), "fleet": {"60": fleet.to_dict()}}


def _state(body: Any) -> None:
    """A state is taken, and rows can be scored after it, or it is refused and changes nothing."""
    group = _group()
    fresh = group.snapshot(0)
    try:
        group.restore(0, json.loads(json.dumps(body)))
    except ValueError:
        assert group.snapshot(0) == fresh
        return
    for number in range(2):
        values = normal(float(number))
        group.process([(0, Row(_NOW + 100 + number, np.array([values[name] for name in CHANNELS]), number == 0, ()))])


def _group() -> StreamGroup:
    bundle = _bundle()
    return StreamGroup(bundle, bundle.variants[0], _model(), [StreamSettings("s", min_windows=1)])


@cache
def _state_in_alarm() -> Any:
    group = _group()
    for number in range(60):
        values = normal(float(number))
        row = np.array([values["flow"] + 6.0 * (number > 50), values["pressure"]])
        group.process([(0, Row(_NOW + number, row, number == 0, ()))])
    state = json.loads(json.dumps(group.snapshot(0)))
    assert state["open"], "an episode is open"
    return state


_TIMES = (
    None, 0.0, 0.0, 0.0, 1.0, -1.0, 2.0, 0.5, 6.0, -6.0, 40.0, -40.0, 59.9, 61.0, -3600.0, 1e5, 1e9, 1.8e12, -1e11,
    1e308, math.nan, math.inf, -math.inf, 1e-320,
)  # fmt: skip
"""Stamps: small ones are from the wall clock on."""
_VALUES = tuple(
    {name: value for name, value in (("flow", flow), ("pressure", pressure), ("x", other)) if value != "absent"}
    for flow in (2.0, "absent", math.nan, 1e300)
    for pressure in (5.0, "absent", -math.inf)
    for other in ("absent", 1.0)
)
_CLOCKS = tuple(
    (passed_s, stepped_s)
    for passed_s in (1.0, 1.0, 0.0, 0.1, 7.0, 1e4)
    for stepped_s in (0.0, 0.0, 0.0, 0.3, -0.3, 3600.0, -1200.0, -_NOW, 1e9)
)
_TABLES: tuple[tuple[Any, ...], ...] = (_TIMES, _VALUES, _CLOCKS)

TARGETS = (
    Target("stream of readings", 14, st.binary(max_size=61), _stream),
    Target(
        "manifest", 6,
        st.deferred(lambda: with_other_values(_manifest_of_all())), _manifest,
    ),
    Target("stream's state", 6, st.deferred(lambda: with_other_values(_state_in_alarm())), _state),
)  # fmt: skip
