import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

PUMP = Path(__file__).resolve().parents[3] / "models/pump/float32.tflite"
MAPPED = "print('libcrypto' in open('/proc/self/maps').read())"
PLAIN = "from edge.agent.footprint import leave_out_openssl as leave_out; from edge.wire.broker import *; "


def said_by(program: str, *arguments: str) -> list[str]:
    """What a new Python prints: what was imported before decides what can be left out."""
    command = [sys.executable, "-c", program, *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return ran.stdout.split()


needs_proc = pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="/proc is not there: not Linux")


@needs_proc
def test_an_agent_whose_brokers_want_no_tls_never_maps_openssl():
    program = f"{PLAIN} print(leave_out([BrokerSettings()])); import edge.agent.assembly; {MAPPED}"

    assert said_by(program) == ["True", "False"]


def test_openssl_stays_where_one_broker_wants_tls():
    program = f"{PLAIN} print(leave_out([BrokerSettings(), BrokerSettings(ca='ca.pem')]))"

    assert said_by(program) == ["False"]


def test_hashes_are_the_same_without_openssl():
    program = f"{PLAIN} leave_out([BrokerSettings()]); import hashlib; print(hashlib.sha256(b'abc').hexdigest())"

    assert said_by(program) == ["ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"]


def test_the_real_ssl_can_be_imported_afterwards():
    program = f"{PLAIN} leave_out([BrokerSettings()]); import ssl; print(hasattr(ssl, 'SSLContext'))"

    assert said_by(program) == ["True"]


def test_an_agent_imports_no_http():
    program = f"{PLAIN} leave_out([BrokerSettings()]); import edge.agent.assembly, sys; print('http' in sys.modules)"

    assert said_by(program) == ["False"]


def test_the_real_urllib_can_be_imported_afterwards():
    program = f"{PLAIN} leave_out([BrokerSettings()]); import urllib.request as r; print(callable(r.getproxies))"

    assert said_by(program) == ["True"]


@needs_proc
@pytest.mark.skipif(find_spec("ai_edge_litert") is None, reason="ai-edge-litert is not installed")
def test_a_model_gives_the_same_without_the_runtime_for_accelerators():
    program = (
        "import sys; from edge.agent.footprint import leave_out_accelerators as leave_out\n"
        "if sys.argv[1] == 'without': assert leave_out()\n"
        "from edge.detector.score.runtime import open_model; import numpy as np\n"
        "windows = np.linspace(-1, 1, 210, dtype=np.float32).reshape(1, 30, 7)\n"
        f"print(open_model({str(PUMP)!r}).run(windows).sum(), 'libLiteRt.so' in open('/proc/self/maps').read())"
    )

    (plain, loaded), (lean, left) = said_by(program, "with"), said_by(program, "without")

    assert (plain, loaded, left) == (lean, "True", "False")


def test_tls_wanted_later_asks_for_a_restart(tmp_path):
    authority = tmp_path / "ca.pem"
    authority.touch()
    program = (
        f"{PLAIN} leave_out([BrokerSettings()]); import paho.mqtt.client as p\n"
        "client = p.Client(p.CallbackAPIVersion.VERSION2)\n"
        f"try: use_credentials(client, BrokerSettings(ca={str(authority)!r}))\n"
        "except OSError as error: print(error)"
    )

    assert "restart" in said_by(program)


@needs_proc
def test_memory_that_was_freed_goes_back_to_the_system():
    program = """
from edge.agent.footprint import give_back_memory
def resident(): return int(open('/proc/self/statm').read().split()[1]) * 4096
blocks = [bytearray(100_000) for _ in range(300)]
kept = blocks[::50]
before = resident()
del blocks
give_back_memory()
print(resident() < before - 15_000_000)
"""
    assert said_by(program) == ["True"]
