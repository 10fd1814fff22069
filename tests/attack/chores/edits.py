"""How files are changed: by editors, by links that are switched, by halves, with a SIGHUP in between."""

import os
import shutil
import time

from tests.attack.registry import attack
from tests.attack.stand import Stand
from tests.helpers.agent import Agent, reload_signal
from tests.helpers.mosquitto import wait_for


def _reloaded(stand: Stand, text: str) -> None:
    """A SIGHUP, and the log says this of it."""
    assert stand.agent is not None
    before = stand.log().count(text)
    reload_signal(stand.agent)
    wait_for(lambda: stand.log().count(text) > before, f"{text!r}; {stand.log()[-300:]}", 15.0)


@attack("a config that an editor cuts off and then writes, with a SIGHUP in each half")
def _truncated(stand: Stand) -> None:
    stand.start()
    stand.serves()
    path = stand.folder / "agent.toml"
    whole = path.read_text()
    for cut in (0, 1, len(whole) // 3, len(whole) // 2, len(whole) - 3):
        path.write_text(whole[:cut])
        _reloaded(stand, "reload: ")
    path.write_text(whole)
    _reloaded(stand, "reload: 1 streams, 1 sources")
    stand.passed_at = None
    assert stand.health()["streams"].keys() == {"pump1"}, "half a config took a stream away"


@attack("a config that an editor renames away and back, with a SIGHUP in between")
def _renamed(stand: Stand) -> None:
    stand.start()
    stand.serves()
    path = stand.folder / "agent.toml"
    path.rename(stand.folder / "agent.toml~")
    _reloaded(stand, "reload: the old config stays")
    stand.serves()
    (stand.folder / "agent.toml~").rename(path)
    _reloaded(stand, "reload: 1 streams, 1 sources")
    stand.passed_at = None


@attack("a config behind a link that is switched, as Kubernetes does")
def _config_link(stand: Stand) -> None:
    text = stand.config()
    for name in ("one", "two"):
        (stand.folder / name).mkdir()
        (stand.folder / name / "agent.toml").write_text(text.replace('"tiny"', f'"{stand.folder}/tiny"'))
    (stand.folder / "now").symlink_to("one")
    (stand.folder / "agent.toml").symlink_to("now/agent.toml")
    stand.start(text.replace('"tiny"', f'"{stand.folder}/tiny"'))
    stand.serves()
    os.symlink("two", stand.folder / "next")
    os.replace(stand.folder / "next", stand.folder / "now")
    shutil.rmtree(stand.folder / "one")
    _reloaded(stand, "reload: 1 streams, 1 sources")
    stand.passed_at = None


@attack("a bundle behind a link that is switched, the old one removed at once", quick=True)
def _bundle_link(stand: Stand) -> None:
    for name in ("one", "two"):
        shutil.copytree(stand.folder / "tiny", stand.folder / name)
    manifest = stand.folder / "two" / "manifest.json"
    manifest.write_bytes(manifest.read_bytes() + b"\n")  # another hash
    (stand.folder / "now").symlink_to("one")
    stand.start(stand.config().replace('"tiny"', '"now"'))
    stand.serves()
    os.symlink("two", stand.folder / "next")
    os.replace(stand.folder / "next", stand.folder / "now")
    shutil.rmtree(stand.folder / "one")
    stand.wait_said("replaces")
    stand.passed_at = None


@attack("a bundle behind a link to nowhere, for ten seconds")
def _dangling(stand: Stand) -> None:
    (stand.folder / "now").symlink_to("tiny")
    stand.start(stand.config().replace('"tiny"', '"now"'))
    stand.serves()
    (stand.folder / "tiny").rename(stand.folder / "away")
    time.sleep(10.0)
    stand.serves()
    (stand.folder / "away").rename(stand.folder / "tiny")
    stand.passed_at = None


@attack("a bundle whose link is switched back and forth 20 times in ten seconds")
def _flapping_link(stand: Stand) -> None:
    for name in ("one", "two"):
        shutil.copytree(stand.folder / "tiny", stand.folder / name)
    manifest = stand.folder / "two" / "manifest.json"
    manifest.write_bytes(manifest.read_bytes() + b"\n")
    (stand.folder / "now").symlink_to("one")
    stand.start(stand.config().replace('"tiny"', '"now"'))
    stand.serves()
    for number in range(20):
        os.symlink(("two", "one")[number % 2], stand.folder / "next")
        os.replace(stand.folder / "next", stand.folder / "now")
        time.sleep(0.5)
    stand.over()


@attack("a config of another machine: the id changes while the agent runs")
def _other_id(stand: Stand) -> None:
    stand.start()
    stand.serves()
    (stand.folder / "agent.toml").write_text(stand.config().replace('id = "gw-1"', 'id = "gw-2"'))
    assert stand.agent is not None
    before = stand.log().count("reload: ")
    reload_signal(stand.agent)
    wait_for(lambda: stand.log().count("reload: ") > before, "what becomes of it", 15.0)
    stand.passed_at = None
    stand.serves()
    (stand.folder / "agent.toml").write_text(stand.config())


@attack("the agent is started with an empty environment, in a folder that is gone")
def _empty_environment(stand: Stand) -> None:
    agent = Agent.__new__(Agent)
    agent.folder, agent.log = stand.folder, stand.folder / "agent.log"
    (stand.folder / "agent.toml").write_text(stand.config())
    import subprocess
    import sys

    from tests.helpers.agent import ROOT

    gone = stand.folder / "gone"
    gone.mkdir()
    line = f'cd "{gone}" && rmdir "{gone}" && exec env -i PYTHONPATH="{ROOT}" LANG=C TZ=:nonsense "{sys.executable}"'
    line += f' -m edge run --config "{stand.folder}/agent.toml"'
    assert stand.listener
    agent.process = subprocess.Popen(
        line, shell=True, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=agent.log.open("ab")
    )
    stand.agent = agent
    stand.wait_said("source field: up")
