"""When a certificate ends, compared with what openssl says."""

import shutil
import subprocess
import time

import pytest

from edge.wire.certificates import CertificateError, days_left, others_may_read
from tests.helpers.mosquitto import missing


@pytest.mark.parametrize("days", [1, 13, 15, 400, 12_000])
def test_the_days_that_are_left_are_those_it_was_made_for(tmp_path, days):
    if shutil.which("openssl") is None:
        missing("openssl")
    line = f"openssl req -x509 -newkey rsa:2048 -nodes -days {days} -subj /CN=a -keyout key.pem -out cert.pem"
    subprocess.run(line.split(), cwd=tmp_path, check=True, capture_output=True)

    assert days_left(tmp_path / "cert.pem", time.time()) == pytest.approx(days, abs=0.01)


@pytest.mark.parametrize(
    "text", ["", "half a certific", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"]
)
def test_what_is_no_certificate_is_named(tmp_path, text):
    (tmp_path / "cert.pem").write_text(text)

    with pytest.raises(CertificateError, match=r"cert\.pem: no certificate"):
        days_left(tmp_path / "cert.pem", 0.0)


def test_a_key_that_every_user_may_read_is_found(tmp_path):
    key = tmp_path / "key.pem"
    key.write_text("secret")

    key.chmod(0o644)
    assert others_may_read(key)
    key.chmod(0o640)
    assert not others_may_read(key)
    assert not others_may_read(tmp_path / "absent")
