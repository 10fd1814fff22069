"""Recordings and standard input: every line, in order, at the pace asked for, to a known end."""

import threading
from pathlib import Path

import pytest

from edge.sources.file import LineReader, Pace
from edge.sources.intake import Arrival, Intake
from edge.sources.settings import FileSource, SourceError

START = 1_700_000_000


class Desk:
    """Where arrivals are put: keeps them, and knows when the source has finished."""

    def __init__(self) -> None:
        self.arrivals: list[Arrival] = []
        self.waited: list[bool] = []
        self.over = threading.Event()
        self.error: Exception | None = None

    def deliver(self, arrival: Arrival, wait: bool = False) -> None:
        self.arrivals.append(arrival)
        self.waited.append(wait)

    def finished(self, _source: str, error: Exception | None) -> None:
        self.error = error
        self.over.set()


def read_to_end(settings: FileSource) -> tuple[Desk, Intake]:
    desk = Desk()
    intake = Intake(settings.name, desk.deliver, settings.channels, desk.finished)
    LineReader(settings, intake).start()
    assert desk.over.wait(10)
    return desk, intake


def recording(tmp_path: Path, text: str, **options) -> FileSource:
    path = tmp_path / "recording.csv"
    path.write_text(text)
    return FileSource(name="rig", type="file", path=path, **options)


def test_every_line_comes_in_order_and_may_be_held_back(tmp_path):
    lines = "".join(f"{START + n},{n}\n" for n in range(500))

    desk, intake = read_to_end(recording(tmp_path, "time,a\n" + lines))

    assert [arrival.readings.values["a"] for arrival in desk.arrivals] == list(range(500))
    assert all(desk.waited)
    assert {arrival.board for arrival in desk.arrivals} == {"rig"}
    assert desk.error is None
    assert not intake.up


def test_channels_are_renamed_and_bad_lines_counted(tmp_path):
    settings = recording(
        tmp_path,
        f"time,vib\n{START},2\nnoon,3\n{START + 1},x\n{START + 2},4\n",
        channels={"vib": "vibration"},
        board="p1",
    )

    desk, intake = read_to_end(settings)

    assert [dict(arrival.readings.values) for arrival in desk.arrivals] == [{"vibration": 2.0}, {}, {"vibration": 4.0}]
    assert desk.arrivals[0].board == "p1"
    assert (intake.frames, intake.bad_frames, intake.bad_values) == (3, 1, 1)


def test_a_file_without_a_usable_header_ends_the_source_with_the_reason(tmp_path):
    desk, intake = read_to_end(recording(tmp_path, "a,b\n1,2\n"))

    assert "time" in str(desk.error)
    assert "time" in str(intake.health()["down"])


def test_a_missing_file_is_refused_before_anything_starts(tmp_path):
    settings = FileSource(name="rig", type="file", path=tmp_path / "nothing.csv")

    with pytest.raises(SourceError, match="there is no file"):
        LineReader(settings, Intake("rig", Desk().deliver, {}))


def test_a_looped_file_goes_on_with_later_times_until_stopped(tmp_path):
    settings = recording(tmp_path, f"time,a\n{START + 10},1\n{START + 12},2\n", loop=True)
    desk, enough = Desk(), threading.Event()

    def deliver(arrival: Arrival, wait: bool = False) -> None:
        desk.deliver(arrival, wait)
        if len(desk.arrivals) >= 6:
            enough.set()

    reader = LineReader(settings, Intake("rig", deliver, {}, desk.finished))
    reader.start()
    assert enough.wait(10)
    reader.stop()

    assert [arrival.readings.time - START for arrival in desk.arrivals[:6]] == [10, 12, 14, 16, 18, 20]
    assert not desk.over.is_set()


def test_pace_follows_the_recording_at_its_speed():
    waits: list[float] = []
    pace = Pace(speed=10.0, pause=waits.append, monotonic=lambda: 100.0)

    for time in (1000.0, 1005.0, 1004.0, 1020.0):
        pace.wait_until(time)

    assert waits == [0.5, 0.4, 2.0]


def test_pace_does_not_wait_for_a_nonsense_time():
    waits: list[float] = []
    pace = Pace(speed=1.0, pause=waits.append, monotonic=lambda: 0.0)

    for time in (1000.0, 1e18, 1e18 + 512):
        pace.wait_until(time)

    assert waits == [512.0]
