"""Broker settings: what does not fit together is refused with the field's name."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import paho.mqtt.client as paho
import pytest

from edge.wire.broker import BrokerSettings, use_credentials
from edge.wire.payload import encode_payload

pytestmark = pytest.mark.arm


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"host": ""}, "host"),
        ({"host": "a..b"}, "host"),
        ({"host": "x" * 64}, "host"),
        ({"host": "a b"}, "host"),
        ({"host": "a\0b"}, "host"),
        ({"port": 0}, "port"),
        ({"port": 65536}, "port"),
        ({"keepalive_s": 0}, "keepalive_s"),
        ({"keepalive_s": 65536}, "keepalive_s"),
        ({"password": "x"}, "username"),
        ({"ca": "ca.pem", "cert": "c.pem"}, "key"),
        ({"ca": "ca.pem", "key": "k.pem"}, "cert"),
        ({"cert": "c.pem", "key": "k.pem"}, "ca"),
    ],
)
def test_settings_that_do_not_fit_together_name_the_field(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        BrokerSettings(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"port": 1},
        {"port": 65535},
        {"keepalive_s": 1},
        {"keepalive_s": 65535},
        {"host": "::1"},
        {"host": "gerät.local"},
    ],
)
def test_settings_at_their_limits_are_taken(fields: dict[str, Any]) -> None:
    BrokerSettings(**fields)


def test_a_password_does_not_show() -> None:
    assert "secret" not in repr(BrokerSettings(username="u", password="secret"))


def test_a_certificate_file_that_is_missing_or_no_certificate_is_named(tmp_path: Path) -> None:
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    with pytest.raises(OSError, match=r"absent\.pem"):
        use_credentials(client, BrokerSettings(ca=tmp_path / "absent.pem"))

    (tmp_path / "text.pem").write_text("no certificate")
    with pytest.raises(OSError, match=r"text\.pem"):
        use_credentials(client, BrokerSettings(ca=tmp_path / "text.pem"))


def test_numpy_scalars_and_what_is_not_finite_become_plain_json() -> None:
    body = {"a": np.float32(0.5), "b": np.int64(3), "c": np.float64("nan"), "d": (math.inf, np.bool_(True)), "e": "ü"}

    assert encode_payload(body) == b'{"a":0.5,"b":3,"c":null,"d":[null,true],"e":"\\u00fc"}'
