"""The image: built from wheels without an index, started, judging; and what is in it is what its bill says."""

import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from release import sbom, version
from tests.helpers.mosquitto import wait_for
from tests.integrations.containers.store import healthy, podman

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1200)]
_AGENT = """[device]
id = "gw-1"
state_dir = "/var/lib/offbeat"
health_every_s = 1.0
[broker]
host = "127.0.0.1"
[prometheus]
port = 9469
[[source]]
name = "tape"
type = "file"
path = "/etc/offbeat/normal.csv"
board = "pump1"
speed = 20.0
loop = true
[[stream]]
id = "pump1"
source = "tape"
bundle = "/opt/offbeat/share/offbeat/models/pump"
max_future_s = inf
"""


@pytest.fixture
def agent(image, tmp_path) -> Iterator[str]:
    """A container whose agent judges a recording, with no network at all, and a root that nothing can be written to."""
    (tmp_path / "agent.toml").write_text(_AGENT)
    simulate = ["--entrypoint", "offbeat-sim", image, "csv", "--out", "-", "--hours", "0.5", "--quiet"]
    (tmp_path / "normal.csv").write_text(podman("run", "--rm", "--network=none", *simulate))
    for file in (tmp_path, *tmp_path.iterdir()):
        file.chmod(0o755)
    name = f"offbeat-test-{uuid.uuid4().hex[:8]}"
    shut = ["--network=none", "--read-only", "--cap-drop=all", "--security-opt=no-new-privileges"]
    podman("run", "--detach", f"--name={name}", *shut, f"--volume={tmp_path}:/etc/offbeat:ro", image)
    yield name
    podman("rm", "--force", "--volumes", "--time=2", name)


def test_it_says_the_version(image):
    assert podman("run", "--rm", "--network=none", image, "--version") == f"offbeat {version.version()}\n"


def test_its_bill_of_materials_is_what_pip_freeze_says(image):
    root = Path(podman("image", "mount", image).strip())
    try:
        (site,) = root.glob("opt/offbeat/lib/python3*/site-packages")
        freeze = [sys.executable, "-m", "pip", "list", "--format=freeze", "--path", str(site)]
        frozen = subprocess.run(freeze, capture_output=True, text=True, check=True).stdout
        bill = (root / "opt/offbeat/share/offbeat/bill-of-materials.json").read_text("utf-8")
    finally:
        podman("image", "unmount", image)

    assert sbom.listed(bill) == set(frozen.split())
    assert f"offbeat=={version.version()}" in frozen


def test_nobody_in_it_is_root_and_state_and_config_are_volumes(image):
    (found,) = json.loads(podman("image", "inspect", image))
    settings = found["Config"]

    assert settings["User"] == "10001:10001"
    assert set(settings["Volumes"]) == {"/var/lib/offbeat", "/etc/offbeat"}
    assert settings["StopSignal"] in ("SIGTERM", "15")
    assert "edge.prometheus.health" in found["Healthcheck"]["Test"]


def test_the_config_that_it_brings_is_checked_but_for_the_broker(image):
    done = podman("run", "--rm", "--network=none", image, "check", "--config", "/etc/offbeat/agent.toml", check=False)

    lines = dict(line.split(":", 1) for line in done.splitlines() if line[:4] in ("ok  ", "FAIL"))
    assert {"ok    config", "ok    state_dir", "ok    bundle of pump1"} <= set(lines)
    assert {name for name in lines if name.startswith("FAIL")} == {"FAIL  source field", "FAIL  broker"}


def test_it_is_healthy_once_it_judges_and_ends_tidily(agent):
    wait_for(lambda: healthy(agent), f"a healthy agent; its log: {podman('logs', agent)[-2000:]}", 120)

    metrics = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:9469/metrics').read().decode())"
    assert 'offbeat_stream_judged{stream="pump1"} 1.0' in podman("exec", agent, "python3", "-c", metrics)
    podman("stop", "--time=30", agent)
    assert podman("inspect", "--format={{.State.ExitCode}}", agent).strip() == "0"


def test_an_agent_that_judges_nothing_is_not_healthy(agent):
    wait_for(lambda: healthy(agent), "a healthy agent", 120)

    podman("pause", agent)  # it hangs
    try:
        assert not healthy(agent)
    finally:
        podman("unpause", agent)
