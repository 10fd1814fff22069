"""What the agent can do without, left out before it is imported: docs/decisions/009-footprint.md."""

import contextlib
import ctypes
import gc
import sys
from collections.abc import Iterable
from importlib.util import find_spec, module_from_spec
from types import ModuleType

from edge.wire.broker import BrokerSettings

_NAMED_BY_PAHO = ("SSLWantReadError", "SSLWantWriteError", "CertificateError")
"""Exceptions of `ssl` that paho 2 names wherever it reads or writes, though it lets the module be absent."""


def leave_out_openssl(brokers: Iterable[BrokerSettings]) -> bool:
    """Import paho and hashlib without OpenSSL if none of the brokers wants TLS; whether it was left out.

    They are resident for nothing where the broker is on the same machine: bundles are hashed as fast by
    Python's own SHA-256. A broker that wants TLS later, through a changed config, needs a restart:
    `edge.wire.broker.use_credentials` says so. HTTP and e-mail, which paho imports to look for a proxy
    before a WebSocket, are left out with it.
    """
    taken = {"ssl", "hashlib"} & sys.modules.keys()
    if taken or any(broker.ca is not None for broker in brokers) or not _has_own_sha256():
        return False
    absent = {"ssl": _without_tls(), "_hashlib": None, "urllib.request": ModuleType("urllib.request")}
    absent = {name: module for name, module in absent.items() if name not in sys.modules}
    sys.modules.update(absent)  # type: ignore[arg-type]  # None is documented: it makes an import an ImportError
    try:
        import hashlib  # noqa: F401

        import paho.mqtt.client  # noqa: F401
    finally:  # whoever else imports them gets the real ones
        for name in absent:
            del sys.modules[name]
    return True


def leave_out_accelerators() -> bool:
    """Import LiteRT's interpreter without its runtime for accelerators; whether that was possible.

    The package loads that library as it is imported. Its TFLite interpreter, all that is used here, does not need it.
    """
    spec = find_spec("ai_edge_litert")
    if spec is None or "ai_edge_litert" in sys.modules:
        return False
    sys.modules["ai_edge_litert"] = module_from_spec(spec)  # whose own code is not run
    try:
        import ai_edge_litert.interpreter  # noqa: F401
    except (ImportError, OSError):  # a later one, which does need it
        for name in [name for name in sys.modules if name.partition(".")[0] == "ai_edge_litert"]:
            del sys.modules[name]
        return False
    return True


def give_back_memory() -> None:
    """Return to the system what starting up needed and running does not; once all is loaded.

    glibc keeps what was freed for later: bytes of bundles that were hashed, variants that were measured.
    """
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):  # another C library, which has no such function
        ctypes.CDLL(None).malloc_trim(0)


def _has_own_sha256() -> bool:
    """Whether this Python was built with hashes of its own: `_sha256` until 3.11, `_sha2` since."""
    return any(find_spec(name) for name in ("_sha2", "_sha256"))


def _without_tls() -> ModuleType:
    """A module with the exceptions that paho names, which then never come, and nothing else."""
    module = ModuleType("ssl")
    for name in _NAMED_BY_PAHO:
        setattr(module, name, type(name, (OSError,), {}))
    return module
