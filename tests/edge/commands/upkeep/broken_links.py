"""More of them: brokers that are not as an agent wants them, boards that send something else, serial lines, ports."""

import contextlib
import os
import socket
import subprocess
import threading
import time

from tests.edge.commands.upkeep.broken_set_ups import SetUp
from tests.edge.commands.upkeep.stage import Stage

SECRET = "planted-3f9a"
_HOST = 'host = "127.0.0.1"'


def _certificate(stage: Stage, **made: str | int) -> None:
    authority = stage.authority()
    stage.served_by(authority.broker_lines(authority.sign("server", **made)), f'ca = "{authority.pem}"\n')


def _signed_by_itself(stage: Stage) -> None:
    authority = stage.authority()
    own = ["-keyout", "own.key", "-out", "own.pem", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
    request = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=own", *own]
    subprocess.run(request, cwd=stage.folder, check=True, capture_output=True)
    stage.served_by(authority.broker_lines(stage.folder / "own.pem"), f'ca = "{authority.pem}"\n')


def _without_tls(stage: Stage) -> None:
    authority = stage.authority()
    stage.served_by(authority.broker_lines(authority.sign("server")))


def _with_tls(stage: Stage) -> None:
    stage.served_by(("allow_anonymous true",), f'ca = "{stage.authority().pem}"\n')


def _der(stage: Stage) -> None:
    authority = stage.authority()
    form = ["openssl", "x509", "-in", str(authority.pem), "-outform", "DER", "-out", str(stage.folder / "ca.der")]
    subprocess.run(form, check=True)
    stage.served_by(authority.broker_lines(authority.sign("server")), 'ca = "ca.der"\n')


def _password_file(stage: Stage, content: bytes) -> None:
    (stage.folder / "pw").write_bytes(content)
    (stage.folder / "pw").chmod(0o600)
    stage.served_by(("allow_anonymous true",), 'username = "gw"\npassword_file = "pw"\n')


def _config(stage: Stage, content: bytes) -> None:
    path = stage.folder / "agent.toml"
    path.write_bytes(path.read_bytes() + content)


def _ahead(stage: Stage, seconds: float) -> None:
    stage.ahead_s = seconds


def _sends(stage: Stage, payload: bytes) -> None:
    stage.values = payload


def _serial(stage: Stage, port: str) -> None:
    stage.board = ""
    stage.write(source=f'[[source]]\nname = "field"\ntype = "serial"\nport = "{port}"\n')


def _taken_line(stage: Stage) -> None:
    import fcntl

    line = os.openpty()[1]
    fcntl.flock(line, fcntl.LOCK_EX)
    _serial(stage, os.ttyname(line))


def _junk_on_the_line(stage: Stage) -> None:
    import tty

    board, line = os.openpty()
    tty.setraw(line)
    _serial(stage, os.ttyname(line))
    os.set_blocking(board, False)

    def send() -> None:
        for _ in range(200):
            with contextlib.suppress(BlockingIOError):
                os.write(board, b"\xf8\x80\xfe\r\n")
            time.sleep(0.05)

    threading.Thread(target=send, daemon=True).start()


def _taken_port(stage: Stage) -> None:
    stage.kept = listening = socket.create_server(("127.0.0.1", 0))
    stage.write(f"[web]\nport = {listening.getsockname()[1]}\n")


def _conf(stage: Stage, *lines: str) -> None:
    stage.served_by(("allow_anonymous true", *lines))


LINKS = (
    SetUp(
        "host is a whole address with a password",
        lambda s: s.reword(_HOST, f'host = "mqtt://gw:{SECRET}@127.0.0.1"'), "FAIL", "keys too",
    ),
    SetUp("host has brackets", lambda s: s.reword(_HOST, 'host = "[::1]"'), "FAIL", "without brackets"),
    SetUp(
        "host is a name that nobody knows",
        lambda s: s.reword(_HOST, 'host = "no-such.invalid"\nplaintext = true'), "FAIL", "broker: no-such.invalid",
    ),
    SetUp(
        "the user's name has a control character",
        lambda s: s.reword(_HOST, f'{_HOST}\nusername = "gw\\u0000"'), "FAIL", "username holds a control character",
    ),
    SetUp("the password's file has two lines", lambda s: _password_file(s, b"a\nb\n"), "FAIL", "more than a password"),
    SetUp("the password's file is no UTF-8", lambda s: _password_file(s, b"\xff\xfe"), "FAIL", "no UTF-8"),
    SetUp("the certificate is for another name", lambda s: _certificate(s, names="DNS:b"), "FAIL", "made out to"),
    SetUp("the broker's certificate has ended", lambda s: _certificate(s, days=0), "FAIL", "has ended; renew it there"),
    SetUp("the certificate is of the future", lambda s: _certificate(s, begins="2090"), "FAIL", "not yet valid"),
    SetUp("the broker's certificate is signed by itself", _signed_by_itself, "FAIL", "was not signed by ca"),
    SetUp("the authority's file is in DER form", _der, "FAIL", "no certificate in PEM form"),
    SetUp("the port wants TLS", _without_tls, "FAIL", "where this port wants TLS"),
    SetUp("the port speaks no TLS", _with_tls, "FAIL", "does not speak TLS"),
    SetUp("the broker takes QoS 0 alone", lambda s: _conf(s, "max_qos 0"), "FAIL", "alerts want QoS 1"),
    SetUp("the broker takes short messages", lambda s: _conf(s, "max_packet_size 200"), "FAIL", "max_packet_size"),
    SetUp("the config is no UTF-8", lambda s: _config(s, b"# gr\xfc\xdfe\n"), "FAIL", "save it in UTF-8"),
    SetUp("the config has curly quotes", lambda s: s.reword('"gw-1"', "“gw-1”"), "FAIL", "curly quotes"),
    SetUp("the board's clock is a day ahead", lambda s: _ahead(s, 90_000.0), "do", "ahead, and they are dropped"),
    SetUp("the board's clock was never set", lambda s: _ahead(s, -1.7e9), "do", "days ago, and so will alerts be"),
    SetUp("the board sends no JSON", lambda s: _sends(s, b"flow=3"), "do", "are not JSON"),
    SetUp("the serial line is not there", lambda s: _serial(s, "/dev/no-such-line"), "FAIL", "plug it in"),
    SetUp("another program has the serial line", _taken_line, "do", "shows which; end it"),
    SetUp("the serial line has another baud rate", _junk_on_the_line, "do", "baud"),
    SetUp("the page's port is taken", _taken_port, "do", "another program listens there"),
)  # fmt: skip
