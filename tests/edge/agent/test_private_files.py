"""What the agent writes is for its user alone, and secrets that others may read are named."""

import os

from edge.__main__ import main
from tests.helpers.agent import COMMISSIONED, LONGER, MQTT, PUMP, as_csv, config, folder, health, run
from tests.helpers.mosquitto import wait_for

__all__ = ["folder", "run"]

STDIN = '[[source]]\nname = "field"\ntype = "stdin"\ntime_format = "s"\nboard = "pump1"\n'


def test_every_file_and_folder_of_the_state_is_private_whatever_the_umask(run, folder, broker):
    before = os.umask(0)
    try:
        agent = run(config(broker.port, STDIN, PUMP + f"calibrate_rows = {COMMISSIONED}\n"))
        agent.send_lines(as_csv(LONGER[:100]).encode())
        wait_for(lambda: (folder / "state" / "outbox.db-wal").exists(), "the outbox")
        agent.send_lines(as_csv(LONGER[100 : COMMISSIONED + 15]).split("\n", 1)[1].encode())
        wait_for(lambda: agent.said("new anomaly"), "an alert")
        running = modes(folder)
        assert agent.stop() == 0
    finally:
        os.umask(before)

    assert {"outbox.db", "outbox.db-wal", "outbox.db-shm", ".lock", "served.json", "tried-bundles"} <= running.keys()
    for found in (running, modes(folder)):
        assert {name: mode for name, mode in found.items() if mode & 0o077} == {}
    assert any(name.startswith("pump1-") for name in modes(folder))


def modes(folder) -> dict[str, int]:
    state = folder / "state"
    return {path.name: path.stat().st_mode & 0o777 for path in (state, *state.rglob("*")) if path.exists()}


def test_a_password_file_that_all_may_read_is_named_in_log_health_and_check(run, folder, broker, listener, capsys):
    (folder / "password").write_text("s3cret")
    (folder / "password").chmod(0o644)
    login = 'username = "joe"\npassword_file = "password"\n'
    agent = run(config(broker.port, MQTT, PUMP, broker=login))
    said = f"{folder}/password can be read by every user of this machine; chmod 600 it"

    wait_for(lambda: agent.said(said), "the log")
    wait_for(lambda: said in health(listener)["warnings"], "health")
    assert agent.stop() == 0
    main(["check", "--config", str(folder / "agent.toml")])

    assert f"warning: {said}" in capsys.readouterr().out
