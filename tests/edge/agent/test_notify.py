"""sd_notify, read back from a real socket."""

import socket

import pytest

from edge.agent.notify import Notifier


@pytest.mark.parametrize("abstract", [False, True])
def test_states_reach_the_socket_that_systemd_names(tmp_path, abstract):
    name = "@offbeat-test" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind("\0" + name[1:] if abstract else name)
        systemd.settimeout(5)
        notifier = Notifier({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "10000000"})

        notifier.ready()
        notifier.alive()
        notifier.stopping()

        assert [systemd.recv(100) for _ in range(3)] == [b"READY=1", b"WATCHDOG=1", b"STOPPING=1"]
    assert notifier.watchdog_every_s == 5.0


def test_without_systemd_nothing_happens():
    notifier = Notifier({})

    notifier.ready()

    assert notifier.watchdog_every_s is None


def test_a_socket_that_is_gone_stops_nobody(tmp_path):
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).alive()
