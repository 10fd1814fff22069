"""The agent as users run it: a process of its own, a real broker, a real bundle."""

import json
import os
import pty
import socket
import time
import tty
from pathlib import Path

import pytest

from edge.wire.frame import encode_frame
from edge.wire.readings import Readings, encode_readings
from tests.helpers.agent import (
    COMMISSIONED,
    EPISODE,
    LONGER,
    MQTT,
    PUMP,
    as_csv,
    assert_whole_episode,
    board,
    config,
    events,
    first_episode,
    folder,
    health,
    run,
)
from tests.helpers.mosquitto import wait_for
from tests.helpers.tiny_bundle import write_tiny_bundle

__all__ = ["folder", "run"]  # fixtures


@pytest.mark.arm
def test_an_episode_over_mqtt_reaches_subscribers_as_new_and_end(run, broker, listener):
    agent = run(config(broker.port, MQTT, PUMP))
    wait_for(lambda: agent.said("source field: up"), "the subscription")

    with board(broker) as publish:
        for row in EPISODE:
            publish("sensors/pump1/readings", encode_readings(row))

    assert_whole_episode(first_episode(listener))
    assert listener.on("offbeat/gw-1/status")[-1] == b"online"
    assert b"online" in listener.on("offbeat/gw-1/pump1/availability")  # a slow machine finds the board silent by now
    states = [json.loads(payload) for payload in listener.on("offbeat/gw-1/pump1/state")]
    assert {"ON", "OFF"} <= {state["anomaly"] for state in states}
    (bundle,) = json.loads(listener.on("offbeat/gw-1/info")[-1])["bundles"]
    assert bundle["name"] == "tiny"
    assert agent.stop() == 0
    wait_for(lambda: listener.on("offbeat/gw-1/status")[-1] == b"offline", "the goodbye")


@pytest.mark.arm
def test_an_episode_over_a_serial_line(run, broker, listener):
    master, slave = pty.openpty()
    tty.setraw(slave)
    source = f'[[source]]\nname = "field"\ntype = "serial"\nport = "{os.ttyname(slave)}"\n'
    agent = run(config(broker.port, source, PUMP))
    wait_for(lambda: agent.said("source field: up"), "the port")

    for row in EPISODE:
        os.write(master, encode_frame("pump1", row))
    os.write(master, b"$pump1,9,9,flow=1.0*0000\r\nnoise\n")

    assert_whole_episode(first_episode(listener))
    wait_for(lambda: health(listener)["sources"]["field"]["bad_frames"] == 2, "the bad frames in health")
    assert agent.stop() == 0
    os.close(master)
    os.close(slave)


def test_a_file_is_scored_to_its_end_and_the_agent_leaves_with_0(run, folder, broker, listener):
    (folder / "tape.csv").write_text(as_csv(EPISODE))
    source = '[[source]]\nname = "tape"\ntype = "file"\npath = "tape.csv"\ntime_format = "s"\nboard = "pump1"\n'

    agent = run(config(broker.port, source, 'id = "pump1"\nbundle = "tiny"\n'))

    assert agent.process.wait(30) == 0, agent.log.read_text()
    assert_whole_episode(first_episode(listener))
    assert listener.on("offbeat/gw-1/pump1/availability")[-1] == b"offline"
    assert health(listener)["streams"]["pump1"]["rows"] == len(EPISODE)


def test_a_file_gives_the_same_events_at_any_speed(run, folder, make_broker):
    (folder / "tape.csv").write_text(as_csv(EPISODE))
    found = []
    for speed in (0, 150):
        broker = make_broker().start()
        listener = broker.listen("#")
        source = f'[[source]]\nname = "pump1"\ntype = "file"\npath = "tape.csv"\ntime_format = "s"\nspeed = {speed}\n'
        state = f'[device]\nstate_dir = "state-{speed}"\n'
        text = config(broker.port, source, 'id = "pump1"\nbundle = "tiny"\n').replace("[device]\n", state)
        assert run(text).process.wait(30) == 0
        wait_for(lambda heard=listener: b"offline" in heard.on("offbeat/gw-1/status"), "the goodbye")
        found.append([{**event, "id": "", "group": "", "log": "", "replayed": False} for event in events(listener)])
        listener.close()

    assert found[0] == found[1]
    assert found[0]


def test_a_file_waits_for_a_stream_that_commissions_itself_on_it(run, folder, broker, listener):
    (folder / "tape.csv").write_text(as_csv(LONGER))
    source = '[[source]]\nname = "tape"\ntype = "file"\npath = "tape.csv"\ntime_format = "s"\nboard = "pump1"\n'
    stream = f'id = "pump1"\nbundle = "tiny"\ncalibrate_rows = {COMMISSIONED}\n'

    agent = run(config(broker.port, source, stream))

    assert agent.process.wait(30) == 0, agent.log.read_text()
    assert_whole_episode(first_episode(listener))
    assert health(listener)["streams"]["pump1"]["rows"] == len(LONGER)


def test_an_episode_still_open_at_the_end_of_a_file_is_ended(run, folder, broker, listener):
    (folder / "tape.csv").write_text(as_csv(EPISODE[:120]))
    source = '[[source]]\nname = "tape"\ntype = "file"\npath = "tape.csv"\ntime_format = "s"\nboard = "pump1"\n'

    agent = run(config(broker.port, source, 'id = "pump1"\nbundle = "tiny"\n'))

    assert agent.process.wait(30) == 0, agent.log.read_text()
    assert_whole_episode(first_episode(listener))


def test_stdin_ends_the_agent_when_it_is_closed(run, broker, listener):
    agent = run(
        config(broker.port, '[[source]]\nname = "field"\ntype = "stdin"\ntime_format = "s"\nboard = "pump1"\n', PUMP)
    )

    agent.send_lines(as_csv(EPISODE).encode())
    agent.process.stdin.close()

    assert agent.process.wait(30) == 0, agent.log.read_text()
    assert_whole_episode(first_episode(listener))


def test_sigterm_while_stdin_is_open_leaves_with_0(run, broker):
    agent = run(
        config(broker.port, '[[source]]\nname = "field"\ntype = "stdin"\ntime_format = "s"\nboard = "pump1"\n', PUMP)
    )
    agent.wait_ready()

    assert agent.stop() == 0
    assert "Fatal" not in agent.log.read_text()


def test_sigterm_while_the_broker_hangs_leaves_with_0_and_keeps_the_events(run, broker, listener):
    text = (
        config(broker.port, MQTT.replace("field", "other"), PUMP)
        + '[[source]]\nname = "field"\ntype = "stdin"\ntime_format = "s"\n'
    )
    text += 'board = "pump1"\n'
    agent = run(text)
    wait_for(lambda: agent.said("connected to") and agent.said("source other: up"), "the connections")
    broker.freeze()
    agent.send_lines(as_csv(EPISODE).encode())
    wait_for(lambda: agent.said("end anomaly"), "the end of the episode")

    assert agent.stop() == 0
    assert " events are kept for the next start" in agent.log.read_text()
    broker.thaw()
    again = run(text)

    assert_whole_episode(first_episode(listener))
    assert again.stop() == 0


def test_a_broker_that_comes_later_gets_what_was_found_before(run, make_broker):
    broker = make_broker()
    agent = run(
        config(broker.port, '[[source]]\nname = "field"\ntype = "stdin"\ntime_format = "s"\nboard = "pump1"\n', PUMP)
    )
    agent.send_lines(as_csv(EPISODE).encode())
    wait_for(lambda: agent.said("end anomaly"), "the end of the episode")
    assert agent.said("no broker")

    broker.start()
    listener = broker.listen("offbeat/#")

    assert_whole_episode(first_episode(listener))
    listener.close()
    assert agent.stop() == 0


def test_an_episode_open_at_a_restart_goes_on(run, broker, listener):
    text = config(broker.port, '[[source]]\nname = "field"\ntype = "stdin"\ntime_format = "s"\nboard = "pump1"\n', PUMP)
    agent = run(text)
    agent.send_lines(as_csv(EPISODE[:120]).encode())
    wait_for(lambda: agent.said("new anomaly"), "the episode")
    agent.process.kill()
    agent.process.wait(10)

    again = run(text)
    again.send_lines(as_csv(EPISODE[120:]).encode())

    assert_whole_episode(first_episode(listener))
    assert again.stop() == 0


@pytest.mark.parametrize("change", ["another bundle", "no such stream"])
def test_an_episode_that_cannot_go_on_after_a_restart_is_ended(run, folder, broker, listener, change):
    field = '[[source]]\nname = "field"\ntype = "stdin"\ntime_format = "s"\nboard = "pump1"\n'
    agent = run(config(broker.port, field, PUMP))
    agent.send_lines(as_csv(EPISODE[:120]).encode())
    wait_for(lambda: agent.said("new anomaly"), "the episode")
    agent.process.kill()
    agent.process.wait(10)

    if change == "another bundle":
        manifest = folder / "tiny" / "manifest.json"
        manifest.write_text(manifest.read_text().replace('"tiny"', '"tinier"'))
    stream = PUMP if change == "another bundle" else PUMP.replace("pump1", "pump2")
    again = run(config(broker.port, field, stream))

    assert_whole_episode(first_episode(listener))
    states = "offbeat/gw-1/pump1/state"
    wait_for(
        lambda: json.loads(listener.on(states)[-1])["anomaly"] == "unknown",
        "the alarm to be taken back, and no calm that nobody has judged",
    )
    assert again.stop() == 0


def test_a_stream_that_has_just_commissioned_itself_does_so_only_once_whatever_happens(run, broker):
    own = PUMP + f"calibrate_rows = {COMMISSIONED}\n"
    text = config(broker.port, '[[source]]\nname = "field"\ntype = "stdin"\ntime_format = "s"\nboard = "pump1"\n', own)
    agent = run(text)
    agent.send_lines(as_csv(LONGER[:COMMISSIONED]).encode())
    wait_for(lambda: agent.said("pump1: commissioned"), "the calibration")
    wait_for(lambda: any((agent.folder / "state" / "streams").glob("pump1-*.json")), "the file")
    agent.process.kill()
    agent.process.wait(10)

    again = run(text)
    again.send_lines(as_csv(LONGER[COMMISSIONED:]).encode())

    wait_for(lambda: again.said("new anomaly"), "an alarm on the rows after")
    assert again.stop() == 0
    assert again.log.read_text().count("commissioned") == 1


def test_absurd_readings_are_counted_and_cost_other_streams_nothing(run, broker, listener):
    other = 'id = "pump2"\nbundle = "tiny"\nsource = "field"\n'
    agent = run(config(broker.port, MQTT, PUMP, other))
    wait_for(lambda: agent.said("source field: up"), "the subscription")
    garbage = [
        b"",
        b"{",
        b"\xff\xfe",
        b'{"values":7}',
        b'{"time":"noon","values":{}}',
        b'{"values":{"flow":1e300,"pressure":"NaN"},"time":1000}',
        b'{"values":{"flow":NaN,"pressure":null},"time":1000}',
        b'{"values":{"flow":1},"time":1e308}',
        b'{"values":{"nonsense":1.0},"time":1000}',
        b"[" * 100_000,
        b'{"values":{"flow":' + b"9" * 5000 + b"}}",
    ]

    with board(broker) as publish:
        for n, row in enumerate(EPISODE):
            publish("sensors/pump2/readings", garbage[n % len(garbage)].replace(b"1000", str(1000 + n).encode()))
            publish("sensors/pump1/readings", encode_readings(row))
        publish("sensors/stranger/readings", encode_readings(EPISODE[0]))
        publish("sensors/pump1/other", b"x")

    assert_whole_episode(first_episode(listener))
    wait_for(lambda: health(listener)["unrouted"] == 1, "the last reading")
    # Health tells of the rows scored so far: on a loaded machine some still wait when the last reading was read.
    wait_for(lambda: health(listener)["streams"]["pump1"]["rows"] >= len(EPISODE) - 1, "all rows to be scored")
    final = health(listener)
    assert final["sources"]["field"]["bad_frames"] > 50
    assert final["sources"]["field"]["bad_values"] > 30
    assert final["streams"]["pump2"]["absurd"] > 10
    assert final["streams"]["pump2"]["unknown_channel"] > 10
    assert final["streams"]["pump1"]["readings"] == len(EPISODE)
    assert events(listener, "pump2") == []
    assert agent.log.read_text().count("bad frames so far") == 1
    assert agent.stop() == 0


def test_a_channel_that_never_comes_is_named_with_what_comes_instead(run, broker):
    agent = run(config(broker.port, MQTT, PUMP))
    wait_for(lambda: agent.said("source field: up"), "the subscription")

    with board(broker) as publish:
        for row in EPISODE[:60]:
            values = {"flow": row.values["flow"], "presure": row.values["pressure"]}
            publish("sensors/pump1/readings", encode_readings(Readings(values, row.time)))

    said = "stream pump1: board pump1 sent no channel 'pressure' in 50 readings; did you mean 'presure'?"
    wait_for(lambda: agent.said(said), "the warning")


def test_a_silent_board_goes_offline_and_comes_back(run, broker, listener):
    stream = PUMP + "offline_after_s = 3\n[stream.rules.flow]\nsilent_for_s = 4\n"
    agent = run(config(broker.port, MQTT, stream))
    wait_for(lambda: agent.said("source field: up"), "the subscription")
    availability = "offbeat/gw-1/pump1/availability"

    with board(broker) as publish:
        for row in EPISODE[:20]:
            publish("sensors/pump1/readings", encode_readings(row))
        wait_for(lambda: b"online" in listener.on(availability), "online")
        wait_for(lambda: listener.on(availability)[-1] == b"offline", "offline")
        found = wait_for(lambda: events(listener), "the sensor event")
        assert (found[0]["kind"], found[0]["rule"]["name"], found[0]["rule"]["channel"]) == ("sensor", "silent", "flow")
        publish("sensors/pump1/readings", encode_readings(EPISODE[-1]))
        wait_for(lambda: listener.on(availability)[-1] == b"online", "online again")
    assert agent.stop() == 0


def test_a_broken_bundle_leaves_the_other_streams_running(run, folder, broker, listener):
    write_tiny_bundle(folder / "broken")
    (folder / "broken" / "float32.tflite").write_bytes(b"not what the manifest says")
    bad = 'id = "pump2"\nbundle = "broken"\nsource = "field"\n'

    agent = run(config(broker.port, MQTT, PUMP, bad))
    wait_for(lambda: agent.said("source field: up"), "the subscription")
    with board(broker) as publish:
        for row in EPISODE:
            publish("sensors/pump1/readings", encode_readings(row))
            publish("sensors/pump2/readings", encode_readings(row))

    assert_whole_episode(first_episode(listener))
    assert agent.said("stream pump2: out of order: BundleError")
    assert "SHA-256" in health(listener)["streams"]["pump2"]["trouble"]
    assert listener.on("offbeat/gw-1/pump2/availability")[-1] == b"offline"
    assert agent.stop() == 0


def test_systemd_is_told_ready_alive_and_stopping(run, folder, broker):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(folder / "notify"))
        systemd.settimeout(20)
        agent = run(config(broker.port, MQTT, PUMP), NOTIFY_SOCKET=str(folder / "notify"), WATCHDOG_USEC="400000")
        told = [systemd.recv(100) for _ in range(3)]
        assert agent.stop() == 0
        assert told == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"]
        while (word := systemd.recv(100)) == b"WATCHDOG=1":
            pass
        assert word == b"STOPPING=1"


def test_the_agent_says_its_memory_and_loads_nothing_of_the_desktop(run, broker, listener):
    started = time.monotonic()
    agent = run(config(broker.port, MQTT, PUMP))
    agent.wait_ready()
    ready_s = time.monotonic() - started
    wait_for(lambda: agent.said("source field: up"), "the subscription")
    with board(broker) as publish:
        for row in EPISODE:
            publish("sensors/pump1/readings", encode_readings(row))
    wait_for(lambda: health(listener)["streams"]["pump1"]["rows"] >= len(EPISODE) - 1, "the rows")

    rss_mb = health(listener)["rss_bytes"] / 1e6
    # Shown with `pytest -s`; `run` itself says it when it stops. No limit here: a first run that must
    # compile its modules holds some MB more than the ones after it.
    print(f"ready after {ready_s:.2f} s, resident {rss_mb:.1f} MB")
    maps = Path(f"/proc/{agent.process.pid}/maps").read_text()
    assert not [name for name in ("/tensorflow/", "/pandas/", "/pydantic", "/scipy/") if name in maps]
    assert agent.stop() == 0
    assert "MB were resident" in agent.log.read_text()
