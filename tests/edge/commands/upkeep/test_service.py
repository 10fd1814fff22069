"""`offbeat-edge service install`: the release's own unit, for a config as somebody has it."""

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from edge.__main__ import main
from edge.commands.upkeep.service import ServiceError, carry_out, plan, require_system, unit_for
from edge.config.settings import load_config
from tests.helpers.agent import MQTT, PUMP, config, folder
from tests.helpers.documents import ROOT

__all__ = ["folder"]

PASSWORD = "correct horse battery"
PREFIX = Path("/opt/offbeat")


@pytest.fixture
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the machine's files are, for a test."""
    return tmp_path_factory.mktemp("root")


def put(folder: Path, broker: str = "", head: str = "") -> Path:
    path = folder / "agent.toml"
    path.write_text(config(1883, MQTT, PUMP, broker=broker).replace("[broker]", f"{head}[broker]", 1))
    return path


def installed(folder: Path, root: Path, replace: bool = False) -> list[str]:
    ran: list[str] = []
    for step in plan(folder / "agent.toml", root, PREFIX, replace):
        carry_out(step, lambda command, **_: ran.append(" ".join(command)))
    return ran


def as_the_service_sees_it(root: Path, monkeypatch: pytest.MonkeyPatch):
    """The config with credentials as systemd lays them out, and /etc and /var below `root`."""
    given = root / "run/credentials"
    given.mkdir(parents=True)
    for file in (root / "etc/offbeat/credentials").glob("*"):
        shutil.copy(file, given / f"secret_{file.name}")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(given))
    path = root / "etc/offbeat/agent.toml"
    text = path.read_text().replace('"/etc/', f'"{root}/etc/').replace('"/var/', f'"{root}/var/')
    (root / "seen.toml").write_text(text)
    return load_config(root / "seen.toml")


def test_secrets_become_credentials_and_the_config_names_them_so(folder, root, monkeypatch):
    for name in ("ca.pem", "gw.pem", "gw.key"):
        (folder / name).write_text(name)
    put(folder, f'username = "gw"\npassword = "{PASSWORD}"\nca = "ca.pem"\ncert = "gw.pem"\nkey = "gw.key"')

    ran = installed(folder, root)
    found = as_the_service_sees_it(root, monkeypatch)

    assert PASSWORD not in (root / "etc/offbeat/agent.toml").read_text()
    assert found.broker.password_file.read_text() == PASSWORD
    assert found.broker.key.read_text() == "gw.key"
    for file in (root / "etc/offbeat/credentials").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE((root / "etc/offbeat/credentials").stat().st_mode) == 0o700
    assert found.stream[0].bundle == root / "etc/offbeat/bundles/tiny"
    assert (found.stream[0].bundle / "manifest.json").exists()
    assert found.device.state_dir == root / "var/lib/offbeat"
    assert ran == ["systemctl daemon-reload", "systemctl enable offbeat", "systemctl restart offbeat"]
    assert PASSWORD in (folder / "agent.toml").read_text(), "the config that was given stays as it is"


def test_the_unit_is_that_of_the_release_with_this_environments_command():
    ours = (ROOT / "release/offbeat.service").read_text()

    assert unit_for(PREFIX) == ours.replace("/usr/lib/offbeat/bin", "/opt/offbeat/bin")


def test_systemd_finds_nothing_wrong_with_it_and_it_is_not_exposed(folder, root):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("not installed: systemd-analyze (Debian: apt-get install systemd)")
    put(folder)
    installed(folder, root)
    unit = root / "etc/systemd/system/offbeat.service"
    unit.write_text(unit.read_text().replace("/opt/offbeat/bin/offbeat-edge", sys.executable))

    verified = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True)
    line = ["systemd-analyze", "security", "--offline=true", "--no-pager", unit]
    level = re.findall(r"exposure level for .*: ([\d.]+)", subprocess.run(line, capture_output=True, text=True).stdout)

    assert (verified.returncode, verified.stderr) == (0, "")
    assert float(level[0]) <= 2.0


def test_a_stream_that_is_called_like_its_bundle_keeps_its_name(folder, root, monkeypatch):
    (folder / "agent.toml").write_text(config(1883, MQTT, 'id = "tiny"\nbundle = "tiny"\n'))

    installed(folder, root)

    found = as_the_service_sees_it(root, monkeypatch).stream[0]
    assert (found.id, found.bundle) == ("tiny", root / "etc/offbeat/bundles/tiny")


def test_what_was_learnt_goes_with_it(folder, root):
    put(folder)
    (folder / "state/streams").mkdir(parents=True)
    (folder / "state/streams/pump1-0123456789abcdef.json").write_text("{}")

    installed(folder, root)

    assert (root / "var/lib/offbeat/streams/pump1-0123456789abcdef.json").read_text() == "{}"


def test_another_config_that_is_there_is_replaced_only_when_asked(folder, root):
    put(folder)
    installed(folder, root)
    installed(folder, root)  # the same once more
    put(folder, head='log_level = "debug"\n')

    with pytest.raises(ServiceError, match="--replace"):
        installed(folder, root)
    installed(folder, root, replace=True)
    assert "debug" in (root / "etc/offbeat/agent.toml").read_text()


def test_an_environment_that_services_do_not_see_is_refused(folder, root):
    put(folder)

    with pytest.raises(ServiceError, match="/opt/offbeat"):
        plan(folder / "agent.toml", root, Path("/home", "somebody", "offbeat"))


def test_without_root_or_systemd_it_is_refused_plainly(root):
    with pytest.raises(ServiceError, match="systemd does not run here"):
        require_system(0, root)
    (root / "run/systemd/system").mkdir(parents=True)
    with pytest.raises(ServiceError, match="sudo"):
        require_system(1000, root)
    require_system(0, root)


def test_a_dry_run_prints_what_would_be_done_and_no_secret_and_does_nothing(folder, capsys, monkeypatch):
    put(folder, f'username = "gw"\npassword = "{PASSWORD}"')
    monkeypatch.setattr(sys, "prefix", str(PREFIX))
    before = os.path.exists("/etc/systemd/system/offbeat.service")

    assert main(["service", "install", "--config", str(folder / "agent.toml"), "--dry-run"]) == 0

    said = capsys.readouterr().out
    for part in ("write /etc/systemd/system/offbeat.service", "credentials/broker.password", "systemctl enable"):
        assert part in said
    assert PASSWORD not in said
    assert "nothing was done" in said
    assert os.path.exists("/etc/systemd/system/offbeat.service") == before
