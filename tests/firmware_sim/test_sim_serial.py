"""Serial frames over a real pseudo-terminal."""

import importlib.util
import os
import select
import subprocess
import sys
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from edge.wire.frame import decode_frame, encode_frame
from edge.wire.readings import Readings
from firmware_sim.__main__ import main
from firmware_sim.links.errors import LinkError
from firmware_sim.links.pty import PtyLine
from firmware_sim.links.serialline import SerialLink
from firmware_sim.machine.channels import NAMES
from tests.helpers.mosquitto import missing, wait_for

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-m", "firmware_sim", "serial", "--start", "2026-01-05", "--quiet")
Start = Callable[..., "subprocess.Popen[bytes]"]
READING = Readings({"flow": 12.5}, time=12.25, seq=3)
FRAME = encode_frame("b", READING)


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts `offbeat-sim serial` with further options; it ends with the test at the latest."""
    with ExitStack() as stack:

        def run(*options: str) -> "subprocess.Popen[bytes]":
            pipe = subprocess.PIPE
            process = stack.enter_context(subprocess.Popen([*COMMAND, *options], stdout=pipe, stderr=pipe, cwd=ROOT))
            stack.callback(process.kill)
            return process

        yield run


class Reader:
    """Opens a terminal and reads whole lines from it."""

    def __init__(self, path: str | bytes | Path) -> None:
        self.terminal = os.open(path, os.O_RDONLY | os.O_NOCTTY)
        self.data = b""

    def lines(self, count: int, timeout_s: float = 15.0) -> list[bytes]:
        """The next `count` lines, without their ends."""
        while self.data.count(b"\r\n") < count:
            assert select.select([self.terminal], [], [], timeout_s)[0], f"silence after {self.data[-80:]!r}"
            more = os.read(self.terminal, 65536)
            assert more, f"the line was closed after {self.data[-80:]!r}"
            self.data += more
        *lines, self.data = self.data.split(b"\r\n", count)
        return lines

    def close(self) -> None:
        os.close(self.terminal)


def test_frames_arrive_complete_and_in_order_on_the_printed_pty(start: Start):
    process = start("--speed", "max", "--duration", "5m")
    assert process.stdout is not None
    reader = Reader(process.stdout.readline().strip())

    frames = [decode_frame(line) for line in reader.lines(300)]

    assert process.wait(15) == 0
    reader.close()
    assert {board for board, _ in frames} == {"pump1"}
    assert [readings.seq for _, readings in frames] == list(range(300))
    assert set(frames[0][1].values) == set(NAMES)


def test_a_symlink_leads_to_the_pty_and_a_signal_ends_the_run_and_removes_it(start: Start, tmp_path):
    link = tmp_path / "board"
    process = start("--speed", "20", "--symlink", str(link))
    wait_for(link.exists, "the link")
    reader = Reader(link)
    reader.lines(3)
    reader.close()

    process.terminate()

    assert process.wait(15) == 0
    assert process.stderr is not None
    assert process.stderr.read() == b""
    assert not link.is_symlink()


def test_in_real_time_a_line_that_nobody_reads_loses_frames_but_tears_none():
    line = PtyLine(threading.Event(), patient=False)
    link = SerialLink(line)
    link.open()
    taken = -1
    while not link.lost:  # until the kernel's buffer is full
        link.send("b", READING)
        taken += 1
    reader = Reader(os.ttyname(line.slave))

    frames = reader.lines(taken - 1)  # of the last one a part may wait for room
    link.send("b", READING)
    frames += reader.lines(2)

    assert link.lost == 1
    assert all(decode_frame(frame) == ("b", READING) for frame in frames)
    reader.close()
    link.close()


def test_a_patient_line_waits_for_its_reader_until_it_is_stopped():
    stop = threading.Event()
    line = PtyLine(stop, patient=True)
    line.open()

    def write() -> None:
        while not stop.is_set():
            line.write(FRAME)

    writer = threading.Thread(target=write)
    writer.start()
    reader = Reader(os.ttyname(line.slave))

    assert set(reader.lines(10_000)) == {FRAME.strip()}
    stop.set()
    writer.join(5)

    assert not writer.is_alive()
    reader.close()
    line.close()


def test_a_file_in_the_place_of_the_symlink_is_left_alone(tmp_path):
    (tmp_path / "board").write_text("mine")
    line = PtyLine(threading.Event(), False, tmp_path / "board")

    with pytest.raises(LinkError, match=r"--symlink .*board: File exists"):
        line.open()
    line.close()

    assert (tmp_path / "board").read_text() == "mine"


def test_a_given_device_gets_the_frames(capsys):
    if importlib.util.find_spec("serial") is None:
        missing("pyserial")
    master, slave = os.openpty()
    tty.setraw(master)
    try:
        assert main(["serial", "--device", os.ttyname(slave), "--duration", "5", "--speed", "max", "--quiet"]) == 0

        data = os.read(master, 65536)
        assert [decode_frame(line)[1].seq for line in data.split(b"\r\n")[:5]] == [0, 1, 2, 3, 4]
        assert capsys.readouterr().out.strip() == os.ttyname(slave)
    finally:
        os.close(master)
        os.close(slave)


def test_a_device_that_is_not_there_is_one_line_and_exit_code_2(tmp_path, capsys):
    assert main(["serial", "--device", str(tmp_path / "ttyX")]) == 2

    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "ttyX" in error
