"""A serial line, on a real pseudo terminal: frames, garbage, unplugging."""

import os
import pty
import time
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.sources import serial
from edge.sources.intake import Arrival, Intake
from edge.sources.settings import SerialSource, SourceError
from edge.wire.frame import MAX_FRAME_BYTES, encode_frame
from edge.wire.readings import Readings


def until(condition, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


class Line:
    """A board at the far end of a pty, under a name that stays when it is unplugged."""

    def __init__(self, link: Path) -> None:
        self.link = link
        self.plug()

    def plug(self) -> None:
        self.master, slave = pty.openpty()
        tty.setraw(self.master)
        self.link.symlink_to(os.ttyname(slave))
        os.close(slave)

    def unplug(self) -> None:
        self.link.unlink()
        os.close(self.master)

    def send(self, data: bytes) -> None:
        os.write(self.master, data)


@pytest.fixture
def line(tmp_path) -> Iterator[Line]:
    line = Line(tmp_path / "ttyTEST")
    yield line
    os.close(line.master)


@pytest.fixture
def arrivals() -> list[Arrival]:
    return []


@pytest.fixture
def intake(line, arrivals) -> Iterator[Intake]:
    intake = Intake("rig", lambda arrival, _wait: arrivals.append(arrival), {})
    reader = serial.SerialReader(SerialSource(name="rig", type="serial", port=str(line.link)), intake)
    reader.start()
    until(lambda: intake.up)
    yield intake
    reader.stop()


def frame(value: float) -> bytes:
    return encode_frame("p1", Readings({"flow": value}, time=12.345, seq=7))


@pytest.mark.usefixtures("intake")
def test_frames_arrive_with_board_time_and_seq(line, arrivals):
    line.send(frame(2.5))

    until(lambda: arrivals)
    assert (arrivals[0].source, arrivals[0].board) == ("rig", "p1")
    assert arrivals[0].readings == Readings({"flow": 2.5}, 12.345, 7)


def test_a_bad_crc_is_counted_and_the_next_frame_arrives(line, intake, arrivals):
    line.send(frame(1.0) + frame(2.0).replace(b"2.0", b"9.0") + frame(3.0))

    until(lambda: len(arrivals) == 2)
    assert [arrival.readings.values["flow"] for arrival in arrivals] == [1.0, 3.0]
    assert intake.bad_frames == 1


def test_the_torn_first_line_is_no_bad_frame(line, intake, arrivals):
    line.send(frame(1.0)[10:] + frame(2.0))

    until(lambda: arrivals)
    assert intake.bad_frames == 0


def test_noise_without_line_ends_is_counted_and_bounded(line, intake, arrivals):
    line.send(frame(1.0))
    until(lambda: arrivals)
    for _ in range(12):
        line.send(b"\xff" * (MAX_FRAME_BYTES // 4))
        time.sleep(0.01)  # a pty holds 4 kB; let the reader drain it
    line.send(b"\n" + frame(2.0))

    until(lambda: len(arrivals) == 2)
    assert intake.bad_frames == 1


def test_an_unplugged_line_is_down_and_read_again_when_it_is_back(line, intake, arrivals):
    line.unplug()
    until(lambda: not intake.up)

    line.plug()
    until(lambda: intake.up)
    line.send(frame(4.0))

    until(lambda: arrivals)
    assert "down" not in intake.health()


def test_without_pyserial_the_remedy_is_named(monkeypatch):
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(serial.importlib, "import_module", missing)

    with pytest.raises(SourceError, match=r"pip install 'offbeat\[serial\]'"):
        serial.load_pyserial()
