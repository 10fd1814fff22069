"""Certificates and secrets: renewed, cut in the middle, ended, readable by all."""

import subprocess
import time
from pathlib import Path

from tests.attack.registry import attack
from tests.attack.stand import Stand
from tests.helpers.mosquitto import wait_for


def _openssl(folder: Path, command: str) -> None:
    subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)


def _authority(folder: Path, name: str) -> None:
    _openssl(folder, f"req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN={name} -keyout {name}.key -out {name}.pem")


def _signed(folder: Path, name: str, by: str, days: int = 20) -> None:
    (folder / "san").write_text("subjectAltName=IP:127.0.0.1")
    _openssl(folder, f"req -newkey rsa:2048 -nodes -subj /CN={name} -keyout {name}.key -out {name}.csr")
    rest = f"-CA {by}.pem -CAkey {by}.key -CAcreateserial -extfile san -days {days}"
    _openssl(folder, f"x509 -req -in {name}.csr {rest} -out {name}.pem")


def _secure(stand: Stand, days: int = 20) -> Path:
    """A broker that wants a client's certificate, and one."""
    folder = stand.folder / "tls"
    folder.mkdir()
    _authority(folder, "ca")
    _signed(folder, "server", "ca")
    _signed(folder, "client", "ca", days)
    _signed(folder, "listener", "ca")
    (folder / "listener-ca.pem").write_bytes((folder / "ca.pem").read_bytes())
    files = {"ca": folder / "listener-ca.pem", "cert": folder / "listener.pem", "key": folder / "listener.key"}
    lines = [f"cafile {folder}/ca.pem", f"certfile {folder}/server.pem", f"keyfile {folder}/server.key"]
    stand.made_broker("allow_anonymous true", "require_certificate true", *lines, **files)
    return folder


def _text(stand: Stand) -> str:
    return stand.config(broker='ca = "tls/ca.pem"\ncert = "tls/client.pem"\nkey = "tls/client.key"\n')


@attack("a certificate that is renewed while the agent runs, by another authority")
def _renewed(stand: Stand) -> None:
    folder = _secure(stand)
    stand.start(_text(stand))
    stand.serves()
    _authority(folder, "ca")
    for name in ("server", "client", "listener"):
        _signed(folder, name, "ca")
    (folder / "listener-ca.pem").write_bytes((folder / "ca.pem").read_bytes())
    stand.listener.close()
    stand._listener = None
    stand.broker.kill()
    stand.broker.start()
    stand.over()
    said = stand.log().count("source field: up")
    assert stand.listener
    wait_for(lambda: stand.log().count("source field: up") > said - 1 and stand.health(), "both connections", 30.0)


def _mid_renewal(stand: Stand, name: str, content: bytes, running: bool) -> None:
    folder = _secure(stand)
    whole = (folder / name).read_bytes()
    if running:
        stand.start(_text(stand))
        stand.serves()
    (folder / name).write_bytes(content)
    if running:
        stand.broker.kill()
        stand.broker.start()
        stand.wait_said(name)
        time.sleep(2.0)
    else:
        stand.start(_text(stand), up=False)
        stand.wait_said(name)
    (folder / name).write_bytes(whole)
    stand.over()
    stand.wait_said("source field: up")


@attack("an empty certificate in mid-renewal at the start")
def _empty(stand: Stand) -> None:
    _mid_renewal(stand, "client.pem", b"", running=False)


@attack("half a certificate in mid-renewal at the start")
def _half(stand: Stand) -> None:
    _mid_renewal(stand, "client.pem", b"-----BEGIN CERTIFICATE-----\nMIID", running=False)


@attack("an empty authority at the start")
def _empty_ca(stand: Stand) -> None:
    _mid_renewal(stand, "ca.pem", b"", running=False)


@attack("an empty key while the agent runs and the broker restarts")
def _empty_key(stand: Stand) -> None:
    _mid_renewal(stand, "client.key", b"", running=True)


@attack("a certificate that ends in three days is a warning in health and check")
def _ends_soon(stand: Stand) -> None:
    _secure(stand, days=3)
    stand.start(_text(stand))
    stand.wait_health(lambda body: "client.pem ends in" in str(body["warnings"]), "the certificate's end")
    assert "client.pem ends in" in stand.command("check").stdout


@attack("a key that all may read is a warning in health")
def _readable(stand: Stand) -> None:
    folder = _secure(stand)
    (folder / "client.key").chmod(0o644)
    stand.start(_text(stand))
    stand.wait_health(lambda body: "client.key can be read" in str(body["warnings"]), "the key")


@attack("a password file that is not there yet at the start")
def _no_password(stand: Stand) -> None:
    stand.start(stand.config(broker='username = "gw"\npassword_file = "secret"\n'), up=False)
    stand.wait_said("secret")
    (stand.folder / "secret").write_text("geheim")
    stand.over()
    stand.wait_said("source field: up")
