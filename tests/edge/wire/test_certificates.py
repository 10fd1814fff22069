"""When a certificate ends, compared with what openssl says."""

import shutil
import subprocess
import time

import pytest

from edge.wire.broker import BrokerSettings, use_credentials
from edge.wire.certificates import (
    CertificateError,
    Precaution,
    days_left,
    of_certificates,
    others_may_read,
    precautions,
    validities,
)
from tests.helpers.authority import Authority
from tests.helpers.mosquitto import missing

pytestmark = pytest.mark.arm


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


def test_every_certificate_of_a_file_is_looked_at_and_one_authority_that_holds_is_enough(tmp_path):
    authority = Authority(tmp_path)
    long, ended, early = (
        authority.sign(name, days=days, begins=begins)
        for name, days, begins in (("long", 400, None), ("ended", 0, None), ("early", 1, "2090"))
    )
    file = tmp_path / "all.pem"
    file.write_text("".join(path.read_text() for path in (long, ended, early)))

    assert len(validities(file)) == 3
    as_authorities, as_chain = of_certificates(file, any_will_do=True), of_certificates(file)
    assert [one.line for one in as_authorities] == [one.line for one in as_chain]
    assert as_chain[0].line.startswith(f"{file}, certificate 2 of 3, ended ")
    assert as_chain[1].line.startswith(f"{file}, certificate 3 of 3, is not valid before 2090-01-01 00:00 UTC; ")
    assert [one.fails for one in as_authorities] == [False, False]
    assert [one.fails for one in as_chain] == [True, True]
    file.write_text(ended.read_text() + early.read_text())
    assert [one.fails for one in of_certificates(file, any_will_do=True)] == [True, True]
    assert of_certificates(long) == []


def test_a_file_whose_last_certificate_is_cut_off_is_named(tmp_path):
    authority = Authority(tmp_path)
    file = tmp_path / "cut.pem"
    file.write_text(authority.pem.read_text() + authority.pem.read_text()[:300])

    found = of_certificates(file, any_will_do=True)

    assert found == [Precaution(f"{file}: no certificate in PEM form (one is cut off)", True)]


def test_a_certificate_that_cannot_be_read_is_an_outage(tmp_path):
    assert of_certificates(tmp_path) == [Precaution(f"{tmp_path} cannot be read: Is a directory", True)]


def test_a_key_that_every_user_may_read_is_found(tmp_path):
    key = tmp_path / "key.pem"
    key.write_text("secret")

    key.chmod(0o644)
    assert others_may_read(key)
    key.chmod(0o640)
    assert not others_may_read(key)
    assert not others_may_read(tmp_path / "absent")


def test_password_files_keys_and_a_config_that_holds_a_password_are_named(tmp_path):
    names = ("key.pem", "password", "agent.toml")
    for name in names:
        (tmp_path / name).write_text('password = "s3cret"')
        (tmp_path / name).chmod(0o644)
    config = tmp_path / "agent.toml"
    in_file = BrokerSettings(username="u", password_file=tmp_path / "password")
    in_config = BrokerSettings(username="u", password="s3cret")
    from_variable = BrokerSettings(username="u", password="not in the file")

    assert precautions([in_file], config) == [
        f"{tmp_path}/password can be read by every user of this machine; chmod 600 it"
    ]
    assert precautions([in_config], config) == [f"{config} can be read by every user of this machine; chmod 600 it"]
    assert precautions([from_variable, BrokerSettings()], config) == []
    for name in names:
        (tmp_path / name).chmod(0o600)
    assert precautions([in_file, in_config], config) == []


def test_a_password_file_is_read_again_for_each_connection(tmp_path):
    given: list[str | None] = []

    class Client:
        def username_pw_set(self, _username, password=None) -> None:
            given.append(password)

    settings = BrokerSettings(username="u", password_file=tmp_path / "password")
    for password in ("old", "new\n"):
        (tmp_path / "password").write_text(password)
        use_credentials(Client(), settings)
    (tmp_path / "password").unlink()
    with pytest.raises(OSError, match=r"password_file .*/password: No such file"):
        use_credentials(Client(), settings)

    assert given == ["old", "new"]
