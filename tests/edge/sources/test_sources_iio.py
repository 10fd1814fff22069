"""The kernel's Industrial I/O, on folders of the form that sysfs has."""

import errno
import os
import shutil
from collections import defaultdict
from pathlib import Path

import pytest

from edge.sources.iio import IioReader, IioSource, read_file
from edge.sources.intake import Arrival, Intake
from edge.sources.settings import SourceError
from tests.helpers.mosquitto import wait_for

BME280 = {
    "name": "bme280", "in_temp_input": "21530", "in_pressure_input": "101.325",
    "in_humidityrelative_input": "45000", "in_temp_oversampling_ratio": "2",
}  # fmt: skip
"""As drivers/iio/pressure/bmp280-core.c gives it."""
ADXL345 = {"name": "adxl345", "in_accel_x_raw": "12", "in_accel_y_raw": "-3", "in_accel_scale": "0.038300",
           "in_accel_x_offset": "2", "in_accel_x_calibbias": "0", "sampling_frequency": "100"}  # fmt: skip
ADS1115 = {"name": "ads1115", "in_voltage0_raw": "1000", "in_voltage0_scale": "0.125000",
           "in_voltage0-voltage1_raw": "-8", "in_voltage-voltage_scale": "2", "in_voltage1_raw": "5",
           "in_voltage_scale": "3"}  # fmt: skip


def sensor_folder(root: Path, number: int, files: dict[str, str]) -> Path:
    folder = root / f"iio:device{number}"
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_text(content + "\n")
    return folder


class Rig:
    def __init__(self, root: Path, read=read_file, **keys) -> None:
        self.arrivals: dict[str, list[Arrival]] = defaultdict(list)
        self.intake = Intake("bus", lambda one, _wait: self.arrivals[one.board].append(one), {})
        self.reader = IioReader(IioSource(name="bus", type="iio", root=root, **keys), self.intake, read)

    def values(self, board: str) -> dict[str, float]:
        return dict(self.arrivals[board][-1].readings.values)


def test_processed_and_raw_channels_are_read_in_the_kernels_units(tmp_path):
    for number, files in enumerate((BME280, ADXL345, ADS1115)):
        sensor_folder(tmp_path, number, files)
    rig = Rig(tmp_path, scale={"temp": 0.001}, offset={"temp": -1.0})

    rig.reader.round()

    assert rig.values("bme280") == pytest.approx({"temp": 20.53, "pressure": 101.325, "humidityrelative": 45000.0})
    assert rig.values("adxl345") == pytest.approx({"accel_x": 14 * 0.0383, "accel_y": -3 * 0.0383})
    assert rig.values("ads1115") == pytest.approx({"voltage0": 125.0, "voltage0-voltage1": -16.0, "voltage1": 15.0})


def test_several_sensors_make_one_board_if_asked_to(tmp_path):
    sensor_folder(tmp_path, 0, BME280)
    sensor_folder(tmp_path, 1, ADXL345)
    two = Rig(tmp_path, board="rack", devices=["adxl345", "bme280"], scale={"bme280.temp": 0.001})
    one = Rig(tmp_path, board="rack", devices=["iio:device1"])

    two.reader.round()
    one.reader.round()

    assert set(two.values("rack")) == {
        "bme280.temp", "bme280.pressure", "bme280.humidityrelative", "adxl345.accel_x", "adxl345.accel_y",
    }  # fmt: skip
    assert two.values("rack")["bme280.temp"] == pytest.approx(21.53)
    assert set(one.values("rack")) == {"accel_x", "accel_y"}


def test_two_sensors_of_one_name_are_told_apart(tmp_path):
    sensor_folder(tmp_path, 0, BME280)
    sensor_folder(tmp_path, 3, BME280)
    sensor_folder(tmp_path, 4, {**BME280, "label": "inlet"})
    rig = Rig(tmp_path)

    rig.reader.round()

    assert set(rig.arrivals) == {"bme280_0", "bme280_3", "inlet"}


@pytest.mark.parametrize(
    ("code", "said"), [(errno.EBUSY, "another program"), (errno.EAGAIN, "no value ready"), (errno.EIO, "error")]
)
def test_a_channel_that_refuses_is_named_and_missing_until_it_is_back(tmp_path, code, said):
    sensor_folder(tmp_path, 0, BME280)
    refuses = [True]

    def read(path: Path) -> str:
        if refuses[0] and path.name == "in_temp_input":
            raise OSError(code, os.strerror(code))
        return read_file(path)

    rig = Rig(tmp_path, read)
    rig.reader.round()

    assert set(rig.values("bme280")) == {"pressure", "humidityrelative"}
    assert rig.arrivals["bme280"][-1].readings.rejected == ("temp",)
    assert "channel temp" in rig.intake.health()["boards"]["bme280"]
    assert said in rig.intake.troubles["bme280"].lower()

    refuses[0] = False
    rig.reader.round()

    assert "temp" in rig.values("bme280")
    assert rig.intake.troubles == {}


@pytest.mark.parametrize("content", ["nan", "inf", "", "12 mV"])
def test_what_is_no_number_is_none(tmp_path, content):
    sensor_folder(tmp_path, 0, {**BME280, "in_temp_input": content})
    rig = Rig(tmp_path)

    rig.reader.round()

    assert rig.arrivals["bme280"][-1].readings.rejected == ("temp",)


def test_a_sensor_that_goes_in_the_middle_of_a_read_is_one_that_went(tmp_path):
    folder = sensor_folder(tmp_path, 0, BME280)
    sensor_folder(tmp_path, 1, ADXL345)

    def read(path: Path) -> str:
        if path == folder / "in_pressure_input":
            shutil.rmtree(folder)
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
        return read_file(path)

    rig = Rig(tmp_path, read)
    rig.reader.round()

    assert "went away" in rig.intake.troubles["bme280"]
    assert rig.intake.up
    rig.reader.round()
    assert "is not in" in rig.intake.troubles["bme280"]
    sensor_folder(tmp_path, 5, BME280)
    rig.reader._read = read_file
    rig.reader.round()
    assert rig.intake.troubles == {}
    assert "pressure" in rig.values("bme280")


def test_a_source_without_any_sensor_is_down_and_up_when_one_comes(tmp_path):
    rig = Rig(tmp_path / "none", period_s=0.05)
    rig.reader.start()
    wait_for(lambda: rig.intake.down_reason, "the reason")
    assert "no sensor in" in rig.intake.down_reason
    sensor_folder(tmp_path / "none", 0, BME280)
    wait_for(lambda: len(rig.arrivals["bme280"]) > 3, "readings")
    rig.reader.stop()
    assert rig.intake.up


def test_check_says_what_there_is(tmp_path):
    sensor_folder(tmp_path, 0, BME280)

    assert "bme280 (iio:device0): humidityrelative 45000, pressure 101.325, temp 21530" in Rig(tmp_path).reader.probe()
    with pytest.raises(SourceError, match=r"no sensor 'bmp280' .* there are: bme280"):
        Rig(tmp_path, devices=["bmp280"]).reader.probe()
    with pytest.raises(SourceError, match="is its driver loaded"):
        Rig(tmp_path / "none").reader.probe()
