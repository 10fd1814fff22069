"""A recording played as a live board: over stdout, and through a real broker and agent to an alert."""

import gzip
import json
import time
from itertools import islice

import pytest

from edge.readings.options import FileOptions
from edge.wire.readings import decode_readings
from firmware_sim.__main__ import main
from firmware_sim.recording.recording import Playback, open_recording
from tests.helpers.agent import EPISODE, MQTT, PUMP, config, events, folder, run
from tests.helpers.mosquitto import wait_for

__all__ = ["folder", "run"]  # fixtures

GERMAN = """Zeit;flow;temp;label
04.03.2024 08:00:00;2,5;20;0
04.03.2024 08:00:01;2,6;;0
14.03.2024 08:00:00;2,7;22;1
"""


@pytest.fixture
def played(tmp_path, capsys):
    """What `play` writes to stdout of some text."""

    def play(text: str, *options: str, name: str = "my.csv") -> list:
        file = tmp_path / name
        file.write_bytes(gzip.compress(text.encode()) if name.endswith("gz") else text.encode())
        assert main(["play", str(file), "--speed", "max", *options, "stdout"]) == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return play


@pytest.mark.parametrize("name", ["my.csv", "my.csv.gz"])
def test_rows_are_those_that_the_reader_of_files_gives_and_labels_are_no_channel(played, name):
    found = played(GERMAN, "--start", "recorded", name=name)

    assert [one["values"] for one in found] == [{"flow": 2.5, "temp": 20.0}, {"flow": 2.6}, {"flow": 2.7, "temp": 22.0}]
    assert [one["time"] for one in found] == [1709539200.0, 1709539201.0, 1710403200.0]
    assert [one["seq"] for one in found] == [0, 1, 2]


def test_it_is_dated_from_now_with_its_steps_kept(played):
    before = int(time.time())

    times = [one["time"] for one in played(GERMAN)]

    assert before <= times[0] <= time.time()
    assert [one - times[0] for one in times] == [0.0, 1.0, 864000.0]


def test_a_start_of_one_s_own(played):
    assert [one["time"] for one in played(GERMAN, "--start", "1970-01-02")] == [86400.0, 86401.0, 950400.0]


def test_boards_in_a_column_are_boards(played):
    text = "time,board,flow\n" + "".join(f"{1709539200 + second},{'ab'[second % 2]},{second}\n" for second in range(6))

    found = played(text)

    assert [(one["board"], one["values"]["flow"]) for one in found[:3]] == [("a", 0.0), ("b", 1.0), ("a", 2.0)]


def test_a_loop_goes_on_one_step_behind_the_last_row(tmp_path):
    (tmp_path / "my.csv").write_text("time,flow\n1700000000,1\n1700000010,2\n1700000020,3\n")
    recording = open_recording(tmp_path / "my.csv", FileOptions(), "a")

    found = list(islice(Playback(recording, 0.0, loop=True).messages(), 8))

    assert [message.sent_at for message, _ in found] == [0, 10, 20, 30, 40, 50, 60, 70]
    assert [message.readings.time for message, _ in found] == [0, 10, 20, 30, 40, 50, 60, 70]
    assert [message.readings.values["flow"] for message, _ in found] == [1, 2, 3, 1, 2, 3, 1, 2]


def test_what_the_reader_refuses_is_one_line_with_the_option_that_play_has(tmp_path, capsys):
    (tmp_path / "my.csv").write_text("time,flow\n01/02/2024 08:00,1\n03/04/2024 08:00,2\n")

    assert main(["play", str(tmp_path / "my.csv"), "stdout"]) == 2

    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "--day-first" in error
    assert main(["play", str(tmp_path / "my.csv"), "--day-first", "--speed", "max", "--quiet", "stdout"]) == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [("time,name\n1700000000,a\n1700000001,b\n", "no column of it is a channel"), ("", "my.csv")],
)
def test_a_file_without_readings_is_told(tmp_path, capsys, text, said):
    (tmp_path / "my.csv").write_text(text)

    assert main(["play", str(tmp_path / "my.csv"), "--quiet", "stdout"]) == 2

    assert said in capsys.readouterr().err


def test_a_user_s_own_csv_goes_through_broker_and_agent_to_an_alert(run, folder, broker, listener):
    lines = [f"2024-03-04 08:{row.seq // 60:02}:{row.seq % 60:02};{row.values['flow']:.4f};{row.values['pressure']:.4f}"
             for row in EPISODE]  # fmt: skip
    (folder / "mine.csv").write_text("When;Q;P\n" + "\n".join(lines).replace(".", ",") + "\n")
    agent = run(config(broker.port, MQTT + 'channels = { Q = "flow", P = "pressure" }\nqos = 1\n', PUMP))
    wait_for(lambda: agent.said("source field: up"), "the subscription")

    assert main(["play", str(folder / "mine.csv"), "--board", "pump1", "mqtt", "--port", str(broker.port), "--speed",
                 "max", "--quiet"]) == 0  # fmt: skip

    wait_for(lambda: [one for one in events(listener) if one["event_type"] == "end"], "the end of the episode")
    (new,) = [one for one in events(listener) if one["event_type"] == "new"]
    assert new["contributors"][0]["channel"] == "flow"
    assert time.time() - 60 < new["start_time"] < time.time() + 200
    for sent in listener.on("sensors/pump1/readings"):
        assert set(decode_readings(sent).values) == {"Q", "P"}


def test_a_recording_goes_out_in_the_form_of_a_device(broker, listener, tmp_path):
    (tmp_path / "my.csv").write_text("time,Flow [m3/h]\n1700000000,1.5\n1700000001,2.5\n")

    assert main(["play", str(tmp_path / "my.csv"), "--speed", "max", "--quiet", "mqtt", "--port", str(broker.port),
                 "--format", "esphome"]) == 0  # fmt: skip

    wait_for(lambda: len(listener.on("recording/sensor/Flow_m3_h/state")) == 2, "two states")
    assert listener.on("recording/sensor/Flow_m3_h/state") == [b"1.5", b"2.5"]
