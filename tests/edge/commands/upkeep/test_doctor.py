"""`offbeat-edge doctor`: on a set-up that is well, and on those that are not, a line that says what to do."""

import os
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from edge.__main__ import main
from edge.commands.sizing import measure
from edge.commands.upkeep import disks, machine, memory, variants
from edge.commands.upkeep.credentials import credentials
from edge.commands.upkeep.file_system import file_system
from edge.config.settings import Config, load_config
from edge.wire.broker import BrokerSettings
from tests.edge.commands.upkeep.stage import sending
from tests.helpers.agent import MQTT, PUMP, config, folder, rows, run
from tests.helpers.authority import Authority
from tests.helpers.mosquitto import wait_for
from tests.helpers.tiny_bundle import write_tiny_bundle

__all__ = ["folder", "run"]

measure_really = measure.memory_of


@pytest.fixture(autouse=True)
def quick(monkeypatch) -> None:
    """An agent is measured where a test asks for that."""
    monkeypatch.setattr(measure, "memory_of", lambda *_: 60_000_000)


def doctor(folder: Path, capsys, seconds: float = 1.0) -> tuple[int, list[str]]:
    line = ["doctor", "--config", str(folder / "agent.toml"), "--seconds", str(seconds), "--unit", "no-such.service"]
    status = main(line)
    return status, capsys.readouterr().out.splitlines()


def set_up(folder: Path, port: int, stream: str = PUMP, broker: str = "") -> Path:
    path = folder / "agent.toml"
    path.write_text(config(port, MQTT, stream, broker=broker))
    path.chmod(0o600)
    return path


def loaded(folder: Path, more: str = "") -> Config:
    set_up(folder, 1883)
    path = folder / "agent.toml"
    path.write_text(path.read_text() + more)
    return load_config(path)


def only(lines: list[str], level: str) -> list[str]:
    return [line for line in lines if line.split()[0] == level]


def test_where_all_is_well_nothing_fails_and_every_part_has_its_line(folder, broker, capsys):
    set_up(folder, broker.port)

    with sending(broker, "pump1", rows(1000, 1)[0].values):
        _, lines = doctor(folder, capsys, 10.0)

    assert only(lines, "FAIL") == []
    said = "\n".join(only(lines, "ok"))
    for part in (
        "Python:",
        "runtime:",
        "config:",
        "bundle tiny, float32:",
        "broker:",
        "source field:",
        "stream pump1:",
    ):
        assert part in said
    assert "back" in said  # published and read
    whole = "\n".join(lines)
    for part in ("clock:", "disk:", "disk wear:", "memory:", "state_dir:", "watchdog:", "credentials:", "agent:"):
        assert part in whole


def test_an_agent_that_runs_is_asked_what_it_hears(folder, broker, capsys, run):
    agent = run(config(broker.port, MQTT, PUMP))
    agent.wait_ready()

    with sending(broker, "pump1", rows(1000, 1)[0].values):
        wait_for(lambda: "hears it" in "\n".join(doctor(folder, capsys)[1]), "the stream to be online")
    _, lines = doctor(folder, capsys)

    assert f"agent: process {agent.process.pid} runs" in "\n".join(lines)
    assert agent.process.poll() is None


def test_no_python_that_is_not_tested_passes():
    assert machine.python((3, 10, 4)).level == machine.python((3, 14, 0)).level == "FAIL"
    assert machine.python((3, 11, 2)).level == machine.python((3, 13, 9)).level == "ok"


def test_a_clock_that_was_never_set_fails_and_one_that_runs_free_is_to_be_kept_in_step(folder):
    path = set_up(folder, 1883)

    assert machine.clock(path, lambda: True, now=86_400.0).level == "FAIL"
    assert "chrony" in machine.clock(path, lambda: False).found
    assert machine.clock(path, lambda: None).level == "?"
    assert machine.clock(path, lambda: True).level == "ok"


def test_a_full_disk_fails_and_a_small_one_is_named(folder):
    settings = loaded(folder)
    needed = disks.needed_bytes(settings)

    assert disks.disk(settings, lambda _: needed).level == "ok"
    assert disks.disk(settings, lambda _: needed - 1).level == "do"
    assert disks.disk(settings, lambda _: 1000).level == "FAIL"


def test_a_file_system_without_inodes_fails_however_many_bytes_are_free(folder):
    settings = loaded(folder)
    needed = disks.needed_files(settings)

    def told(free: int, files: int = 100_000):
        return disks.inodes(settings, lambda _: SimpleNamespace(f_files=files, f_favail=free))

    assert needed > settings.history.episodes
    assert told(needed).level == "ok"
    assert (told(needed - 1).level, told(3).level) == ("do", "FAIL")
    assert "df -i" in told(3).found
    assert told(0, files=0).level == "ok", "btrfs and vfat count none"
    assert disks.inodes(settings).level == "ok"


def block_of(folder: Path, root: Path) -> Path:
    number = folder.stat().st_dev
    block = root / "sys/dev/block" / f"{os.major(number)}:{os.minor(number)}"
    (block / "device").mkdir(parents=True)
    return block


def test_a_worn_disk_is_to_be_replaced_and_one_that_says_nothing_is_not_called_well(folder, tmp_path):
    settings = loaded(folder)
    block = block_of(folder, tmp_path)

    (block / "device/life_time").write_text("0x01 0x02\n")
    assert disks.wear(settings, tmp_path).level == "ok"
    (block / "device/life_time").write_text("0x01 0x09\n")
    assert disks.wear(settings, tmp_path).level == "do"
    assert "90 %" in disks.wear(settings, tmp_path).found
    nowhere = disks.wear(settings, tmp_path / "nowhere")
    assert nowhere.level == "?"
    assert "no block device" in nowhere.found


@pytest.mark.parametrize(
    ("told", "level", "said"),
    [
        ({"endurance_used": {"current_percent": 12}}, "ok", "12 %"),
        ({"nvme_smart_health_information_log": {"percentage_used": 93}}, "do", "93 %"),
        ({"smart_status": {"passed": False}}, "do", "is failing"),
        ({"smart_status": {"passed": True}}, "?", "SMART tells nothing of its wear"),
        ({"endurance_used": None}, "?", "SMART tells nothing of its wear"),
        (FileNotFoundError("smartctl"), "?", "apt install smartmontools"),
        (ValueError("no JSON"), "?", "SMART tells nothing of its wear"),
    ],
)
def test_what_smart_says_of_a_disk_that_is_no_emmc(folder, tmp_path, told, level, said):
    def smart(device: str) -> dict:
        assert device.startswith("/dev/")
        if isinstance(told, Exception):
            raise told
        return told

    block_of(folder, tmp_path)
    found = disks.wear(loaded(folder), tmp_path, smart)

    assert (found.level, said in found.found) == (level, True)


@pytest.mark.parametrize(
    ("line", "level", "said"),
    [
        ("1 0 8:1 / / rw,noatime - ext4 /dev/root rw", "ok", "ext4"),
        ("2 1 0:9 / {folder} rw - tmpfs none rw", "do", "gone when the power is"),
        ("2 1 0:9 / {folder} rw - vfat /dev/sda1 rw", "do", "have state_dir on ext4"),
        ("2 1 0:9 / {folder} rw - nfs4 nas:/x rw", "do", "is on the network"),
        ("2 1 0:9 / {folder} rw - overlay overlay rw", "do", "raspi-config"),
        ("2 1 0:9 / {folder} ro - ext4 /dev/sda1 rw", "FAIL", "remount,rw"),
        ("2 1 0:9 / {folder} rw - ext4 /dev/sda1 ro,errors=remount-ro", "FAIL", "dmesg"),
        ("2 1 0:9 / {folder}-other rw - tmpfs none rw", "ok", "ext4"),
    ],
)
def test_a_file_system_that_forgets_or_cannot_be_written_to_is_named(folder, tmp_path, line, level, said):
    table = tmp_path / "proc/self/mountinfo"
    table.parent.mkdir(parents=True)
    place = str(folder.resolve()).replace(" ", r"\040")
    table.write_text(f"1 0 8:1 / / rw - ext4 /dev/root rw\n{line.format(folder=place)}\n")

    (found,) = file_system(loaded(folder), tmp_path)

    assert (found.level, said in found.found) == (level, True)


def test_of_two_mounts_on_one_place_the_last_counts_and_where_the_kernel_says_none_nothing_is_said(folder, tmp_path):
    table = tmp_path / "proc/self/mountinfo"
    table.parent.mkdir(parents=True)
    table.write_text("1 0 8:1 / / rw - tmpfs none rw\n2 1 8:1 / / rw - ext4 /dev/root rw\n")

    assert [one.level for one in file_system(loaded(folder), tmp_path)] == ["ok"]
    table.write_text("what is this\n")
    assert list(file_system(loaded(folder), tmp_path)) == []
    assert list(file_system(loaded(folder), tmp_path / "nowhere")) == []


def test_memory_is_held_against_what_the_agent_of_this_config_takes(folder, tmp_path):
    settings, path = loaded(folder), folder / "agent.toml"
    (tmp_path / "proc").mkdir()
    file = tmp_path / "proc/meminfo"

    def told(needed: int):
        return memory.memory(path, settings, tmp_path, lambda *_: needed)

    file.write_text("MemTotal: 500000 kB\nMemAvailable: 100000 kB\n")
    assert told(102_400_000).level == "ok"
    assert (told(102_400_001).level, "takes 102 MB" in told(102_400_001).found) == ("do", True)
    file.write_text("nothing of the kind")
    assert told(1).level == "?"


def test_the_memory_of_an_agent_that_runs_is_not_asked_for_twice(folder, tmp_path, broker, run):
    agent = run(config(broker.port, MQTT, PUMP))
    agent.wait_ready()
    status = tmp_path / "proc" / str(agent.process.pid) / "status"
    status.parent.mkdir(parents=True)
    (tmp_path / "proc/meminfo").write_text("MemTotal: 500000 kB\nMemAvailable: 1000 kB\n")
    status.write_text("VmRSS:\t 60000 kB\n")

    found = memory.memory(folder / "agent.toml", loaded(folder), tmp_path, lambda *_: 62_000_000)

    assert (found.level, "has 61 MB" in found.found) == ("ok", True)


def test_memory_that_cannot_be_measured_is_not_called_enough(folder):
    settings = loaded(folder)
    (folder / "tiny" / "float32.tflite").write_bytes(b"x")

    found = memory.memory(folder / "agent.toml", settings, measure=measure_really)

    assert (found.level, "SHA-256" in found.found) == ("?", True)


def test_a_unit_without_a_watchdog_or_restart_is_named():
    def shown(watchdog: str, restart: str, load: str = "loaded") -> str:
        return f"LoadState={load}\nWatchdogUSec={watchdog}\nRestart={restart}\n"

    assert machine.watchdog("u", lambda _: shown("30s", "always")).level == "ok"
    assert "WatchdogSec" in machine.watchdog("u", lambda _: shown("0", "always")).found
    assert "Restart=always" in machine.watchdog("u", lambda _: shown("30s", "no")).found
    assert "no unit u" in machine.watchdog("u", lambda _: shown("0", "no", "not-found")).found

    def absent(_: str) -> str:
        raise FileNotFoundError("systemctl")

    assert machine.watchdog("u", absent).level == "?"


def test_a_bundle_of_a_later_version_wants_an_upgrade(tmp_path):
    bundle = write_tiny_bundle(tmp_path / "tiny")
    bundle.training["versions"] = {"offbeat": "0.9.0"}

    assert variants.fitted_with(bundle, "0.10.0").level == "ok"
    assert "upgrade" in variants.fitted_with(bundle, "0.8.2").found
    bundle.training["versions"] = {}
    assert variants.fitted_with(bundle, "0.8.2").level == "?"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda key: key.write_text("-----BEGIN PRIVATE KEY-----"), "no key in PEM form"),
        (lambda key: (key.unlink(), key.mkdir()), "cannot be read: Is a directory"),
        (
            lambda key: subprocess.run(
                ["openssl", "genrsa", "-aes256", "-passout", "pass:hush", "-out", key], check=True
            ),
            "is encrypted, and no one types in its passphrase",
        ),
    ],
)
def test_a_key_that_no_agent_can_use_fails_without_asking_for_anything(folder, make, said):
    page = Authority(folder).sign("page")
    make(page.with_suffix(".key"))
    settings = loaded(folder, f'[web]\nport = 8443\ncert = "{page}"\nkey = "{page.with_suffix(".key")}"\n')

    found = [one for one in credentials(settings, folder / "agent.toml") if one.level == "FAIL"]

    assert [said in one.found for one in found] == [True]


def test_authorities_of_bundles_that_are_fetched_are_looked_at(folder):
    Authority(folder).sign("old", days=0)
    settings = loaded(folder, f'[requests.bundles]\nca = "{folder}/old.pem"\n')

    assert any("old.pem ended" in one.found for one in credentials(settings, folder / "agent.toml"))


def test_plaintext_to_another_machine_is_not_called_well(folder):
    settings = loaded(folder)
    object.__setattr__(settings, "broker", BrokerSettings(host="10.0.0.7", plaintext=True))

    assert any("without TLS" in one.found for one in credentials(settings, folder / "agent.toml"))
