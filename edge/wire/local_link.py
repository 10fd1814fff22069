"""Asking the agent on this machine, without a broker: a socket in its state folder, which is for its user alone.

A request is one line of JSON with the `command`, the answer one line as a response over MQTT is.
"""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edge.wire.payload import encode_payload

SOCKET = "agent.sock"
MOST_BYTES = 65_536
"""Of a request."""
_MOST_ANSWER_BYTES = 64_000_000


class NobodyThereError(Exception):
    """No agent answers at the socket."""


@contextmanager
def address_in(folder: Path) -> Iterator[str]:
    """A socket's address below a folder, however long the folder's path is: an address has 107 bytes at most.

    Raises:
        OSError: the folder cannot be opened.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{handle}/{SOCKET}"
    finally:
        os.close(handle)


def ask_local(folder: Path, command: str, fields: dict[str, Any], timeout_s: float = 10.0) -> dict[str, Any]:
    """The answer of the agent whose state folder this is.

    Raises:
        PermissionError: the folder is another user's.
        NobodyThereError: no agent answers there, or not in time.
    """
    try:
        with address_in(folder) as address, socket.socket(socket.AF_UNIX) as link:
            link.settimeout(timeout_s)
            link.connect(address)
            link.sendall(encode_payload({**fields, "command": command}) + b"\n")
            return json.loads(read_line(link, _MOST_ANSWER_BYTES))
    except PermissionError:
        raise
    except (OSError, ValueError) as error:
        raise NobodyThereError(f"{folder}: no agent answers ({error})") from error


def read_line(link: socket.socket, most_bytes: int) -> bytes:
    """What comes up to the end of a line.

    Raises:
        ValueError: there is none within so many bytes.
        OSError: it does not come in time.
    """
    found = bytearray()
    while not found.endswith(b"\n"):
        part = link.recv(min(65_536, most_bytes + 1 - len(found)))
        found += part
        if not part or len(found) > most_bytes:
            raise ValueError(f"no line of at most {most_bytes} bytes came")
    return bytes(found)
