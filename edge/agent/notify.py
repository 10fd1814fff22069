"""Tells systemd how the agent is: ready, stopping, alive. Does nothing where systemd does not ask."""

import os
import socket
import time
from collections.abc import Mapping


class Notifier:
    """Sends states to the socket that `Type=notify` names in the environment.

    Source: sd_notify(3); a name that starts with @ lies in the abstract namespace.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        watchdog_us = environment.get("WATCHDOG_USEC", "")
        # Half the time that systemd grants, as sd_watchdog_enabled(3) advises.
        self.watchdog_every_s = int(watchdog_us) / 2e6 if watchdog_us.isdecimal() else None

    def ready(self) -> None:
        """The agent scores from now on."""
        self._send("READY=1")

    def reloading(self) -> None:
        """The config is read again; `ready` is to follow."""
        # systemd wants to know of which request this is the answer: sd_notify(3), Type=notify-reload.
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def alive(self) -> None:
        """The inference loop turns; to be sent every `watchdog_every_s`."""
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """The agent is on its way out."""
        self._send("STOPPING=1")

    def _send(self, state: str) -> None:
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as link:
            try:
                link.sendto(state.encode(), self._address)
            except OSError:  # systemd is gone or restarts; nobody is left to tell
                return
