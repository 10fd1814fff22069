"""What passes must not end the agent, and it serves again by itself once it has passed."""

import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.detector.bundle.files import load_bundle
from edge.wire.readings import encode_readings
from tests.helpers.agent import EPISODE, MQTT, PUMP, board, config, folder, health, reload_signal, rows, run
from tests.helpers.mosquitto import wait_for
from tests.helpers.tiny_bundle import write_tiny_bundle

__all__ = ["folder", "run"]  # fixtures

FILES = ("manifest.json", "float32.tflite")
SERVED = 30.0
"""From any passing fault to serving again, seconds."""


def other_bundle(folder: Path) -> Path:
    """Another bundle than `tiny`, by its name alone."""
    write_tiny_bundle(folder / "other")
    manifest = folder / "other" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"tiny"', '"tinier"'))
    # Another model file, too: what follows a flatbuffer's end is no part of it.
    return folder / "other"


def by_cp(source: Path, target: Path) -> None:
    for name in FILES:
        subprocess.run(["cp", source / name, target / name], check=True)


def slowly(source: Path, target: Path) -> None:
    """As scp writes: the file is emptied, then filled bit by bit."""
    for name in FILES:
        content = (source / name).read_bytes()
        with (target / name).open("wb", buffering=0) as file:
            for start in range(0, len(content), max(1, len(content) // 8)):
                file.write(content[start : start + max(1, len(content) // 8)])
                time.sleep(0.02)


def in_place(source: Path, target: Path) -> None:
    """As rsync --inplace writes: over the old content, then cut to length."""
    for name in FILES:
        content = (source / name).read_bytes()
        with (target / name).open("r+b") as file:
            file.write(content)
            file.truncate(len(content))


def by_mv(source: Path, target: Path) -> None:
    for name in FILES:
        shutil.copy(source / name, target / f".{name}.part")
        os.replace(target / f".{name}.part", target / name)


def cut_short(_source: Path, target: Path) -> None:
    for name in FILES:
        with (target / name).open("r+b") as file:
            file.truncate((target / name).stat().st_size // 2)


COPIES: dict[str, Callable[[Path, Path], None]] = {
    "cp": by_cp, "scp": slowly, "rsync in place": in_place, "mv": by_mv, "cut short": cut_short
}  # fmt: skip


def info(listener) -> list[str]:
    return [one["sha256"] for one in json.loads(listener.on("offbeat/gw-1/info")[-1])["bundles"]]


@pytest.mark.parametrize("how", COPIES)
def test_a_bundle_that_is_replaced_in_use_ends_nothing_and_is_taken_up_whole(run, folder, broker, listener, how):
    other = other_bundle(folder)
    old, new = load_bundle(folder / "tiny").sha256, load_bundle(other).sha256
    agent = run(config(broker.port, MQTT, PUMP))
    wait_for(lambda: agent.said("source field: up"), "the subscription")
    stop = threading.Event()

    def load() -> None:
        with board(broker) as publish:
            for row in rows(1000, 100_000):
                publish("sensors/pump1/readings", encode_readings(row))
                if stop.wait(0.005):
                    return

    thread = threading.Thread(target=load)
    thread.start()
    try:
        wait_for(lambda: listener.on("offbeat/gw-1/info"), "info")
        COPIES[how](other, folder / "tiny")
        if how == "cut short":
            wait_for(lambda: agent.said("the old bundle goes on: "), "the half to be named")
            assert info(listener) == [old]
            by_cp(other, folder / "tiny")
        wait_for(lambda: info(listener) == [new], "the new bundle", SERVED)
        seen = health(listener)["streams"]["pump1"]["rows"]
        wait_for(lambda: health(listener)["streams"]["pump1"]["rows"] > seen + 50, "rows scored with it")
    finally:
        stop.set()
        thread.join()
    assert agent.said(f"streams pump1: bundle {new[:12]} replaces {old[:12]}")
    assert agent.stop() == 0


@pytest.mark.parametrize("what", ["half a manifest", "half a model", "no folder"])
def test_a_bundle_that_is_not_whole_at_the_start_is_waited_for_and_others_are_served(
    run, folder, broker, listener, what
):
    late = write_tiny_bundle(folder / "late").folder
    shutil.copytree(late, folder / "whole")
    if what == "no folder":
        shutil.rmtree(late)
    else:
        name = FILES[what == "half a model"]
        (late / name).write_bytes((late / name).read_bytes()[:100])
    second = 'id = "pump2"\nbundle = "late"\nsource = "field"\n'

    agent = run(config(broker.port, MQTT, PUMP, second))
    wait_for(lambda: agent.said("source field: up"), "the subscription")
    with board(broker) as publish:
        for row in EPISODE[:30]:
            publish("sensors/pump1/readings", encode_readings(row))
    wait_for(lambda: health(listener)["streams"]["pump1"]["rows"] > 20, "the other stream")
    assert "late" in health(listener)["streams"]["pump2"]["trouble"]

    shutil.copytree(folder / "whole", late, dirs_exist_ok=True)

    wait_for(lambda: agent.said("streams pump2: the bundle is loaded"), "the bundle", SERVED)
    assert agent.stop() == 0


def test_the_only_bundle_is_waited_for_as_well(run, folder, broker):
    shutil.move(folder / "tiny", folder / "away")
    agent = run(config(broker.port, MQTT, PUMP))
    wait_for(lambda: agent.said("out of order: BundleError"), "the reason")

    shutil.move(folder / "away", folder / "tiny")

    wait_for(lambda: agent.said("the bundle is loaded"), "the bundle", SERVED)
    assert agent.stop() == 0


@pytest.mark.parametrize("half", ["", '[device]\nid = "gw-', "[[sourc"])
def test_a_config_that_is_half_written_at_the_start_is_waited_for(run, folder, broker, half):
    agent = run(half)
    wait_for(lambda: agent.said("retrying until it is mended"), "the reason")

    (folder / "agent.toml").write_text(config(broker.port, MQTT, PUMP))

    wait_for(lambda: agent.said("ready: pump1"), "the agent", SERVED)
    assert agent.stop() == 0


def test_a_recording_that_is_not_there_yet_is_waited_for_while_others_are_read(run, folder, broker, listener):
    tape = '[[source]]\nname = "tape"\ntype = "file"\npath = "disk/tape.csv"\nboard = "pump2"\n'
    second = 'id = "pump2"\nbundle = "tiny"\nsource = "tape"\n'
    agent = run(config(broker.port, MQTT + tape, PUMP, second))
    wait_for(lambda: agent.said("source tape: down: source tape: there is no file"), "the reason")
    wait_for(lambda: agent.said("source field: up"), "the other source")

    (folder / "disk").mkdir()
    (folder / "disk" / "tape.csv").write_text(
        "time,flow,pressure\n" + "".join(f"{t},2.0,5.0\n" for t in range(1_763_772_000, 1_763_772_050))
    )

    wait_for(lambda: health(listener)["streams"]["pump2"]["rows"] >= 49, "its rows", SERVED)
    assert agent.stop() == 0


HARMFUL = {
    "inf": ("health_every_s = 0.2", "health_every_s = inf"),
    "a loop of links": ('bundle = "tiny"', 'bundle = "loop"'),
    "a NUL in a path": ('bundle = "tiny"', 'bundle = "ti\\u0000ny"'),
    "a NUL in the state's path": ('id = "gw-1"', 'id = "gw-1"\nstate_dir = "st\\u0000ate"'),
    "nothing": ("[device]", ""),
}


@pytest.mark.parametrize("kind", HARMFUL)
def test_no_config_ends_an_agent_that_runs(run, folder, broker, kind):
    (folder / "loop").symlink_to(folder / "loop")
    text = config(broker.port, MQTT, PUMP)
    agent = run(text)
    agent.wait_ready()

    (folder / "agent.toml").write_text(text.replace(*HARMFUL[kind]))
    reload_signal(agent)

    wait_for(lambda: agent.said("reload: "), "the answer")
    assert agent.stop() == 0


def test_a_second_agent_on_the_same_state_folder_ends_with_one_line(run, broker):
    agent = run(config(broker.port, MQTT, PUMP))
    agent.wait_ready()

    second = run(config(broker.port, MQTT, PUMP))

    assert second.process.wait(20) == 1
    assert f"is in use by another agent, process {agent.process.pid}" in second.log.read_text()
    assert agent.stop() == 0


def test_journald_gets_priorities_and_no_forged_lines(run, broker):
    agent = run(config(broker.port, MQTT, PUMP), JOURNAL_STREAM="8:1")
    wait_for(lambda: agent.said("source field: up"), "the subscription")

    with board(broker) as publish:
        publish(
            "sensors/pump1/readings", json.dumps({"values": {"a\n<3>ERROR forged": "x"}, "time": "\x1b[2J"}).encode()
        )
        publish("sensors/pump1/readings", b'{"\\n<3>ERROR forged')
        for row in EPISODE[:60]:
            named = {**row.values, "x\n<3>ERROR forged": 1.0}
            publish("sensors/pump1/readings", json.dumps({"time": row.time, "values": named}).encode())
        wait_for(lambda: agent.said("<4>WARNING source field: "), "a priority")

    assert agent.stop() == 0
    lines = agent.log.read_text().splitlines()
    assert not [line for line in lines if line.startswith("<3>ERROR forged")]
    assert "\x1b" not in agent.log.read_text()
