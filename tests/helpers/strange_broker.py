"""A broker that answers as no broker should: what it sends after the greeting is the test's."""

import socket
import threading
from collections.abc import Sequence
from contextlib import suppress

from edge.wire.broker import BrokerSettings

GREETING_5, GREETING_311 = b"\x20\x03\x00\x00\x00", b"\x20\x02\x00\x00"
SUBACK_5 = b"\x90\x04\x00\x01\x00\x00"
"""To a subscription with the id 1."""


class StrangeBroker:
    """Greets whoever connects and sends one of `answers` after another, the last one again and again, a connection."""

    def __init__(self, answers: Sequence[bytes], greeting: bytes = GREETING_5) -> None:
        self._answers, self._greeting = answers, greeting
        self.connections = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        port = self._listening.getsockname()[1]
        self.settings = BrokerSettings(host="127.0.0.1", port=port)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Accept no more."""
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client = self._listening.accept()[0]
                answer = self._answers[min(self.connections, len(self._answers) - 1)]
                self.connections += 1
                threading.Thread(target=self._serve, args=(client, answer), daemon=True).start()

    def _serve(self, client: socket.socket, answer: bytes) -> None:
        with suppress(OSError), client:
            client.recv(4096)
            client.sendall(self._greeting)
            client.recv(4096)  # the subscription
            client.sendall(answer)
            while client.recv(4096):
                pass
