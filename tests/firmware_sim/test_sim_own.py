"""Machines that a user describes in TOML."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from firmware_sim.__main__ import main
from firmware_sim.board.simulation import SimulationSettings
from firmware_sim.machine.faults import make_fault
from firmware_sim.own.machine import OwnMachine

EXAMPLE = Path(__file__).resolve().parents[2] / "firmware_sim/own/oven.toml"
QUIET = """
[[channel]]
name = "load"
level = 10
rhythm = { period = 100, amplitude = 2, shape = "%s" }
[[channel]]
name = "heat"
level = 50
coupling = { to = "load", gain = 3, lag = 20 }
"""


@pytest.fixture
def own(tmp_path):
    """The machine of some TOML."""

    def read(text: str) -> OwnMachine:
        (tmp_path / "my.toml").write_text(text, "utf-8")
        return OwnMachine.read(tmp_path / "my.toml")

    return read


def rows(machine: OwnMachine, *faults, number: int = 1, rows: int = 1000, bits: int = 0) -> np.ndarray:
    (block,) = machine.blocks(SimulationSettings(0.0, float(rows), adc_bits=bits), number, faults)
    return block.values


def test_a_sine_has_its_period_and_amplitude_round_its_level(own):
    times = np.arange(1000)

    assert rows(own(QUIET % "sine"))[:, 0] == pytest.approx(10 + 2 * np.sin(2 * np.pi * times / 100))


@pytest.mark.parametrize(
    ("shape", "at_quarters"),
    [
        ("triangle", [10, 12, 10, 8]),
        ("square", [12, 12, 8, 8]),
        ("sawtooth", [8, 9, 10, 11]),
        ("pulse", [12, 10, 10, 10]),
    ],
)
def test_shapes(own, shape, at_quarters):
    assert rows(own(QUIET % shape))[[0, 25, 50, 75], 0] == pytest.approx(at_quarters)


def test_a_coupled_channel_follows_with_gain_and_lag(own):
    values = rows(own(QUIET % "sine"))
    steady = slice(500, None)
    turn = 2 * np.pi * 20 / 100  # omega times time constant

    swing = np.ptp(values[steady, 1]) / 2
    behind = np.argmax(values[600:700, 1]) - np.argmax(values[600:700, 0])
    assert swing == pytest.approx(2 * 3 / np.sqrt(1 + turn**2), rel=0.05)
    assert behind == pytest.approx(np.arctan(turn) / (2 * np.pi) * 100, abs=1.5)


def test_noise_is_as_large_as_said_and_boards_differ(own):
    machine = own('[[channel]]\nname = "x"\nlevel = 5\nnoise = 0.5\n')

    first, second = rows(machine)[:, 0], rows(machine, number=2)[:, 0]

    assert first.std() == pytest.approx(0.5, rel=0.1)
    assert first.mean() == pytest.approx(5, abs=0.1)
    assert second.std() == pytest.approx(0.5, rel=0.1)
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.2


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ('kind = "offset"\nsize = 4', lambda sound: sound + 4),
        ('kind = "lost_coupling"', lambda sound: np.full(len(sound), 50.0)),
    ],
)
def test_a_fault_acts_in_its_time_with_its_size_and_nowhere_else(own, fault, expected):
    text = QUIET % "sine"
    sound = rows(own(text))
    machine = own(f'{text}[[fault]]\nchannel = "heat"\nstart = 300\nduration = "100s"\n{fault}\n')

    spoilt = rows(machine, *machine.faults(0.0, "pump1"))

    assert (spoilt[:300] == sound[:300]).all()
    assert (spoilt[400:] == sound[400:]).all()
    assert (spoilt[:, 0] == sound[:, 0]).all()
    assert spoilt[300:400, 1] == pytest.approx(expected(sound[300:400, 1]))


def test_a_slower_rhythm_stays_behind_afterwards(own):
    machine = own(QUIET % "sine")
    fault = make_fault("rhythm", 300.0, 400.0, 1.0, "load", "pump1", machine.catalog)

    found = rows(machine, fault)[:, 0]

    assert found[450:] == pytest.approx(rows(machine)[400:950, 0])


def test_what_is_rounded_by_the_converter_is_far_finer_than_the_noise_and_the_swing():
    machine = OwnMachine.read(EXAMPLE)
    fine, coarse = rows(machine), rows(machine, bits=12)

    for place, channel in enumerate(machine.channels):
        assert np.abs(fine - coarse)[:, place].max() < channel.noise / 2 + 1e-9, channel.name


def test_the_example_has_its_truth_and_labels_as_the_pump_has(tmp_path):
    out, truth = tmp_path / "oven.csv", tmp_path / "truth.json"

    assert main(["csv", "--machine", str(EXAMPLE), "--hours", "9", "--labels", "--quiet", "--out", str(out),
                 "--truth", str(truth), "--fault", "stuck.heater_power@1h+10m"]) == 0  # fmt: skip

    with out.open(encoding="utf-8") as file:
        found = list(csv.DictReader(file))
    told = json.loads(truth.read_text("utf-8"))
    assert list(found[0]) == ["time", "heater_power", "oven_temperature", "door_pressure", "anomaly"]
    assert [one["kind"] for one in told["faults"]] == ["stuck", "drift", "lost_coupling"]
    assert [one["unit"] for one in told["channels"]] == ["kW", "°C", "Pa"]
    assert sum(int(row["anomaly"]) for row in found) == 600 + 1200 + 900
    assert [place for place in (3599, 3600, 4199, 4200) if found[place]["anomaly"] == "1"] == [3600, 4199]


def test_a_truth_file_repeats_the_faults_of_a_machine_of_one_s_own(tmp_path):
    options = ["csv", "--machine", str(EXAMPLE), "--hours", "5", "--labels", "--quiet"]
    first, again, truth = tmp_path / "a.csv", tmp_path / "b.csv", tmp_path / "truth.json"

    assert main([*options, "--random-faults", "4", "--out", str(first), "--truth", str(truth)]) == 0
    assert main([*options, "--schedule", str(truth), "--out", str(again)]) == 0

    assert first.read_bytes() == again.read_bytes()
    assert json.loads(truth.read_text("utf-8"))["faults"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it has no [[channel]]"),
        ("[[chanel]]\nname='x'", "unknown key 'chanel'; did you mean channel?"),
        ("[[channel]]\nlevel = 3", "channel 1: name is missing"),
        ("[[channel]]\nname = 'x'\nlevle = 3", "channel x: unknown key 'levle'; did you mean level?"),
        ("[[channel]]\nnaem = 'x'", "name is missing; did you mean it by naem?"),
        ("[[channel]]\nname = 'a b'", "channel 1, name: found 'a b', wanted letters"),
        ("[[channel]]\nname = 'x'\nnoise = -1", "channel x, noise: found -1, wanted 0 or more"),
        ("[[channel]]\nname = 'x'\nlevel = 'high'", "channel x, level: found 'high', wanted a number"),
        ("[[channel]]\nname = 'x'\nlevel = nan", "channel x, level: found nan, wanted a number"),
        ("[[channel]]\nname = 'x'\nlow = 3\nhigh = 2", "channel x, high: found 2, wanted more than low, 3"),
        ("[[channel]]\nname = 'x'\nrhythm = 3", "rhythm 1: found 3, wanted a table"),
        ("[[channel]]\nname = 'x'\nrhythm = {period = 0, amplitude = 1}", "period: found 0, wanted more than 0"),
        ("[[channel]]\nname = 'x'\nrhythm = {period = '1 hour', amplitude = 1}", "period: '1 hour' is no duration"),
        ("[[channel]]\nname = 'x'\nrhythm = {period = 5, amplitude = 1, shape = 'sinus'}", "did you mean sine?"),
        ("[[channel]]\nname = 'x'\n[[channel]]\nname = 'x'", "2 channels are called x"),
        ("[[channel]]\nname = 'flow'\ncoupling = {to = 'flwo', gain = 1}", "did you mean flow?"),
        ("[[channel]]\nname = 'a'\ncoupling = {to = 'a', gain = 1}", "coupled in a ring, a -> a"),
        ("[[channel]]\nname = 'x'\n[[fault]]\nkind = 'drfit'", "did you mean drift?"),
        ("[[channel]]\nname = 'x'\n[[fault]]\nkind = 'drift'\nchannel = 'y'", "found 'y'; there are x"),
        ("[[channel]]\nname = 'x'\n[[fault]]\nkind='lost_coupling'\nchannel='x'\nstart=0\nduration=1", "no coupling"),
        ("[[channel]]\nname = 'x'\n[[fault]]\nkind='stuck'\nchannel='x'\nstart=0\nduration=1\nsize=2", "key 'size'"),
        ("[[channel]", "is not TOML"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_line_that_names_the_key(tmp_path, capsys, text, said):
    (tmp_path / "my.toml").write_text(text, "utf-8")

    assert main(["csv", "--machine", str(tmp_path / "my.toml")]) == 2

    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "my.toml" in error
    assert said in error


def test_no_file_is_told(tmp_path, capsys):
    assert main(["csv", "--machine", str(tmp_path / "none.toml")]) == 2

    assert "none.toml: No such file" in capsys.readouterr().err
