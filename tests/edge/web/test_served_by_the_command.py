"""`offbeat-edge watch --web` as a process: what its options say holds for the page that it serves."""

import http.client
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from edge.web.password import hashed

NAME = "pumps.example.org"


@contextmanager
def served(broker, tmp_path, *options: object) -> Iterator[int]:
    """The port of the page."""
    line = [sys.executable, "-m", "edge", "watch", "--web", "--web-port", "0", "--host", "127.0.0.1"]
    line += ["--port", broker.port, "--web-store", tmp_path / "page.db", *options]
    process = subprocess.Popen([str(word) for word in line], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline().split()[2].rstrip("/").rsplit(":", 1)[1])
    finally:
        process.terminate()
        process.wait(20)


def ask(port: int, method: str, path: str, body: object = None, **headers: str) -> tuple[int, dict[str, str]]:
    """Status and headers; a body that is no bytes goes out in chunks."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    chunked = body is not None and not isinstance(body, bytes)
    connection.request(method, path, body, {**headers}, encode_chunked=chunked)  # type: ignore[arg-type]
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}


@pytest.mark.parametrize(("options", "status", "secure"), [(("--web-behind-proxy",), 200, True), ((), 421, False)])
def test_the_name_of_a_proxy_is_taken_where_the_command_says_that_there_is_one(
    broker, tmp_path, options, status, secure
):
    with served(broker, tmp_path, *options) as port:
        found, headers = ask(port, "GET", "/", Host=NAME)

    assert (found, headers["set-cookie"].endswith("; Secure")) == (status, secure)


def test_people_log_in_through_a_proxy_and_another_site_does_not(broker, tmp_path):
    (tmp_path / "hash").write_text(hashed("correct horse") + "\n")
    given = b"password=correct+horse"
    with served(broker, tmp_path, "--web-behind-proxy", "--web-password-hash", tmp_path / "hash") as port:
        assert ask(port, "GET", "/api/overview", Host=NAME)[0] == 401
        assert ask(port, "POST", "/login", given, Host=NAME, Origin="https://evil.example")[0] == 403
        status, headers = ask(port, "POST", "/login", given, Host=NAME, Origin=f"https://{NAME}")
        assert (status, headers["location"]) == (303, "/")
        cookie = headers["set-cookie"].split(";")[0]
        assert ask(port, "GET", "/api/overview", Host=NAME, Cookie=cookie)[0] == 200


def test_a_body_without_a_length_is_not_read(broker, tmp_path):
    with served(broker, tmp_path) as port:
        status, _ = ask(port, "POST", "/login", iter([b"x" * 1000] * 3), **{"Transfer-Encoding": "chunked"})

    assert status == 411
