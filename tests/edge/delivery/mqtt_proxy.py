"""A TCP proxy that understands MQTT 3.1.1 and 5 just enough to count, hold back and lose packets."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

CONNECT, PUBLISH, PUBACK = 1, 3, 4


class MqttProxy:
    """Sits between one client and the broker; listens on `port`."""

    def __init__(self, broker_port: int) -> None:
        self._broker_port = broker_port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.published: list[tuple[str, bytes]] = []
        """Every PUBLISH that the client sent: topic and payload."""
        self.published_at: list[float] = []
        """When each came, monotonic seconds."""
        self.acknowledged: list[tuple[str, float]] = []
        """Topic and monotonic time of each PUBACK that the client was given."""
        self.refuses_5 = False
        """Whoever connects with MQTT 5 is told that this broker knows 3.1.1 at best."""
        self.lose_acknowledgements = False
        """PUBACKs on their way to the client vanish."""
        self.flowing = threading.Event()
        """Cleared, connections stay and nothing passes: a hanging peer."""
        self.flowing.set()
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Break all connections; new ones are accepted."""
        for end in self._open:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def close(self) -> None:
        """Break all and accept no more."""
        self._listening.close()
        self.flowing.set()
        self.cut()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client = self._listening.accept()[0]
                try:
                    broker = socket.create_connection(("127.0.0.1", self._broker_port))
                except OSError:
                    client.close()
                    continue
                self._open += [client, broker]
                in_flight: dict[bytes, str] = {}
                threading.Thread(target=self._upwards, args=(client, broker, in_flight), daemon=True).start()
                threading.Thread(target=self._downwards, args=(broker, client, in_flight), daemon=True).start()

    def _upwards(self, client: socket.socket, broker: socket.socket, in_flight: dict[bytes, str]) -> None:
        version = 4
        with suppress(OSError):
            for kind, packet, body in self._packets(client, broker):
                if kind == CONNECT:
                    version = body[6]
                    if version == 5 and self.refuses_5:
                        client.sendall(b"\x20\x02\x00\x01")  # as a broker of 3.1.1 answers
                        client.shutdown(socket.SHUT_RDWR)
                        return
                if kind == PUBLISH:
                    end = 2 + int.from_bytes(body[:2], "big")
                    id_bytes = 2 if packet[0] & 0x06 else 0
                    topic = body[2:end].decode()
                    in_flight[body[end : end + id_bytes]] = topic
                    self.published_at.append(time.monotonic())
                    properties = 1 + body[end + id_bytes] if version == 5 else 0  # never longer than 127 bytes here
                    self.published.append((topic, body[end + id_bytes + properties :]))
                broker.sendall(packet)

    def _downwards(self, broker: socket.socket, client: socket.socket, in_flight: dict[bytes, str]) -> None:
        with suppress(OSError):
            for kind, packet, body in self._packets(broker, client):
                if kind == PUBACK and self.lose_acknowledgements:
                    continue
                client.sendall(packet)
                if kind == PUBACK:
                    self.acknowledged.append((in_flight.get(body[:2], ""), time.monotonic()))

    def _packets(self, source: socket.socket, other: socket.socket) -> Iterator[tuple[int, bytes, bytes]]:
        with suppress(OSError, EOFError), source, other, source.makefile("rb") as stream:
            while True:
                packet, body = _read_packet(stream.read)
                self.flowing.wait()
                yield packet[0] >> 4, packet, body


def _read_packet(read: object) -> tuple[bytes, bytes]:
    def take(count: int) -> bytes:
        data = read(count)  # type: ignore[operator]
        if len(data) < count:
            raise EOFError
        return data

    head = take(2)
    length, shift = head[-1] & 127, 7
    while head[-1] & 128:
        head += take(1)
        length |= (head[-1] & 127) << shift
        shift += 7
    body = take(length)
    return head + body, body
