"""`offbeat-edge install-bundle` and `rollback`: the old bundle or the new one, whatever happens, and never neither."""

import io
import json
import os
import random
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from edge.__main__ import main
from edge.detector.bundle.files import load_bundle
from edge.state.bundle_place import BundlePlace
from tests.helpers.agent import EPISODE, MQTT, PUMP, board, config, events, folder, health, run
from tests.helpers.mosquitto import wait_for

__all__ = ["folder", "run"]

ROOT = Path(__file__).resolve().parents[4]


def another(folder: Path, name: str) -> Path:
    """The bundle again, under another name and so with another hash."""
    made = folder / f"made-{name}"
    shutil.copytree((folder / "tiny").resolve(), made)
    manifest = json.loads((made / "manifest.json").read_text())
    (made / "manifest.json").write_text(json.dumps({**manifest, "name": name}))
    return made


def command(folder: Path, name: str, *more: str) -> int:
    return main([name, *more, "--config", str(folder / "agent.toml")])


@pytest.fixture
def ready(folder: Path) -> Path:
    (folder / "agent.toml").write_text(config(1883, MQTT, PUMP))
    return folder


def name_of(folder: Path) -> str:
    return load_bundle(folder / "tiny").name


def test_a_bundle_is_put_in_place_of_a_folder_and_taken_back_and_forth(ready, capsys):
    assert command(ready, "install-bundle", str(another(ready, "new"))) == 0
    assert name_of(ready) == "new"
    assert command(ready, "install-bundle", str(another(ready, "newer"))) == 0
    assert command(ready, "rollback") == 0
    assert name_of(ready) == "new"
    assert command(ready, "rollback") == 0
    assert name_of(ready) == "newer"
    assert "pump1: bundle newer" in capsys.readouterr().out


def test_the_bundle_that_is_there_already_is_no_other_one_to_go_back_to(ready, capsys):
    same = shutil.copytree(ready / "tiny", ready / "same")

    assert command(ready, "install-bundle", str(same)) == 0
    assert "none to go back to" in capsys.readouterr().out
    assert command(ready, "rollback") == 1
    assert command(ready, "install-bundle", str(another(ready, "new"))) == 0
    assert "rollback goes back" in capsys.readouterr().out


def test_only_the_last_is_kept(ready):
    for number in range(5):
        assert command(ready, "install-bundle", str(another(ready, f"b{number}"))) == 0

    kept = [path for path in (ready / ".tiny.bundles").iterdir() if path.is_dir() and not path.is_symlink()]
    assert len(kept) == 2


@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
def test_an_archive_is_read_without_unpacking_what_the_manifest_does_not_name(ready, kind):
    made, archive = another(ready, "packed"), ready / f"b.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(archive, "w") as zipped:
            for file in made.iterdir():
                zipped.write(file, f"some/where/{file.name}")
            zipped.writestr("../../evil", b"x")
    else:
        with tarfile.open(archive, "w:gz") as packed:
            packed.add(made, "some/where")
            evil = tarfile.TarInfo("../../evil")
            packed.addfile(evil, io.BytesIO())

    assert command(ready, "install-bundle", str(archive)) == 0
    assert name_of(ready) == "packed"
    assert not list(ready.parent.rglob("evil"))


def _break_hash(made: Path) -> None:
    (made / "float32.tflite").write_bytes(b"x")


def _name_elsewhere(made: Path) -> None:
    (made / "manifest.json").write_text((made / "manifest.json").read_text().replace("float32.tflite", "../agent.toml"))


def _lose_a_channel(made: Path) -> None:
    (made / "manifest.json").write_text((made / "manifest.json").read_text().replace('"flow"', '"flux"'))


def _lose_the_manifest(made: Path) -> None:
    (made / "manifest.json").unlink()


@pytest.mark.parametrize("broken", [_break_hash, _name_elsewhere, _lose_a_channel, _lose_the_manifest])
def test_what_is_no_bundle_or_does_not_fit_leaves_the_old_one(ready, capsys, broken):
    rules = "[stream.rules.flow]\nmax = 100\n"
    (ready / "agent.toml").write_text(config(1883, MQTT, PUMP + rules))
    made = another(ready, "bad")
    broken(made)

    assert command(ready, "install-bundle", str(made)) in (1, 2)
    assert name_of(ready) == "tiny"
    assert capsys.readouterr().err.startswith("offbeat-edge: ")


def test_a_manifest_packed_to_fill_the_memory_is_refused_unread(ready, capsys):
    archive = ready / "bomb.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("manifest.json", b" " * 30_000_000)

    assert command(ready, "install-bundle", str(archive)) == 1
    assert "30000000 bytes" in capsys.readouterr().err


def test_two_at_once_do_not_mix(ready, capsys):
    made = another(ready, "new")
    with BundlePlace(ready / "tiny").locked():
        assert command(ready, "install-bundle", str(made)) == 1

    assert "another process" in capsys.readouterr().err
    assert command(ready, "install-bundle", str(made)) == 0


def test_without_a_bundle_before_there_is_no_way_back(ready, capsys):
    assert command(ready, "rollback") == 1
    assert "no bundle before" in capsys.readouterr().err


def test_with_several_bundles_the_stream_has_to_be_named(ready, capsys):
    shutil.copytree(ready / "tiny", ready / "other")
    (ready / "agent.toml").write_text(config(1883, MQTT, PUMP, 'id = "pump2"\nbundle = "other"\n'))

    assert command(ready, "install-bundle", str(another(ready, "new"))) == 2
    assert "--stream pump1 or pump2" in capsys.readouterr().err
    assert command(ready, "install-bundle", str(another(ready, "newer")), "--stream", "pump2") == 0
    assert name_of(ready) == "tiny"


_SWITCH = """
import sys
from pathlib import Path
from edge.commands.upkeep.bundle_files import read_bundle
from contextlib import suppress
from edge.state.bundle_place import BundlePlace, SwitchError
place, ways = BundlePlace(Path(sys.argv[1])), [read_bundle(Path(one)) for one in sys.argv[2:]]
print("on", flush=True)
while True:
    for files in ways:
        with place.locked():
            place.switch(place.add(files).folder)
        # A cut within a rollback may have it forget which bundle it left: then there is no way back to that.
        with place.locked(), suppress(SwitchError):
            place.rollback()
"""


def test_wherever_the_power_is_cut_the_whole_old_or_the_whole_new_bundle_is_there(ready):
    ways = [str(another(ready, name)) for name in ("one", "two")]
    line = [sys.executable, "-c", _SWITCH, str(ready / "tiny"), *ways]
    chance, found = random.Random(17), set()
    for _ in range(int(os.environ.get("OFFBEAT_CUTS", "8"))):
        process = subprocess.Popen(line, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(chance.uniform(0.0, 0.15))
        process.kill()
        process.wait(10)
        process.stdout.close()
        found.add(name_of(ready))

    assert found <= {"tiny", "one", "two"}
    with BundlePlace(ready / "tiny").locked():
        assert not (ready / ".tiny.old").exists()


def test_switched_under_load_the_agent_goes_on_and_loses_no_reading(run, folder, broker, listener):
    agent = run(config(broker.port, MQTT, PUMP))
    agent.wait_ready()
    ways = [another(folder, name) for name in ("one", "two")]
    with board(broker) as publish:
        for number, row in enumerate(EPISODE):
            body = json.dumps({"time": row.time, "values": dict(row.values)}).encode()
            publish("sensors/pump1/readings", body)
            if number % 40 == 20:
                assert command(folder, "install-bundle", str(ways[number // 40 % 2])) == 0
        wait_for(lambda: agent.said("replaces"), "the agent to take a bundle up")
        wait_for(lambda: health(listener)["streams"]["pump1"]["readings"] == len(EPISODE), "all readings to be counted")

    assert agent.process.poll() is None
    wait_for(lambda: events(listener), "the episode's events")


def test_a_power_cut_between_the_exchange_and_putting_aside_loses_no_bundle(ready):
    made = another(ready, "new")
    assert command(ready, "install-bundle", str(made)) == 0
    (ready / ".tiny.bundles" / "previous").unlink()
    shutil.move(str(made), ready / ".tiny.old")  # as it is just after the exchange

    with BundlePlace(ready / "tiny").locked():
        pass

    assert not (ready / ".tiny.old").exists()
    assert name_of(ready) == "new"
