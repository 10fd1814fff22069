"""What is passing at the start: it is waited for, others are served, and it is taken up by itself."""

import shutil
import subprocess
import time
from functools import partial

from tests.attack.registry import attack
from tests.attack.stand import Stand
from tests.edge.agent.test_passing_states import FILES
from tests.helpers.agent import MQTT, PUMP, Agent
from tests.helpers.mosquitto import wait_for

CONFIGS = {
    "empty": "",
    "cut in a string": '[device]\nid = "gw-',
    "cut in a name": "[[sourc",
    "1,000 brackets": "a=" + "[" * 1000,
}


def _broken_config(half: str, stand: Stand) -> None:
    text = stand.config()
    stand.start(half, up=False)
    stand.wait_said("retrying until it is mended")
    (stand.folder / "agent.toml").write_text(text)
    stand.over()
    stand.wait_said("source field: up")


for _what, _half in CONFIGS.items():
    attack(f"a broken config at boot, then mended: {_what}", quick=_what == "empty")(partial(_broken_config, _half))


@attack("a config that is no UTF-8 at boot, then mended")
def _no_text(stand: Stand) -> None:
    text = stand.config()
    stand.agent = Agent.__new__(Agent)
    Agent.__init__(stand.agent, stand.folder, "# \udcff".encode("utf-8", "surrogateescape").decode("latin-1"))
    stand.agent.process.kill()
    stand.agent.process.wait()
    (stand.folder / "agent.toml").write_bytes(b"# \xff\xfe\n")
    stand.agent = _started_as_it_is(stand)
    stand.wait_said("retrying until it is mended")
    (stand.folder / "agent.toml").write_text(text)
    stand.over()
    stand.wait_said("source field: up")


def _started_as_it_is(stand: Stand) -> Agent:
    """An agent on the config file as it is."""
    content = (stand.folder / "agent.toml").read_bytes()
    agent = Agent.__new__(Agent)
    agent.folder, agent.log = stand.folder, stand.folder / "agent-2.log"
    agent._environment = stand.agent._environment  # type: ignore[union-attr]
    agent.process = agent._command("run", stdout=subprocess.DEVNULL, stderr=agent.log.open("ab"), stdin=subprocess.PIPE)
    assert (stand.folder / "agent.toml").read_bytes() == content
    return agent


def _late_bundle(what: str, stand: Stand) -> None:
    tiny = stand.folder / "tiny"
    shutil.copytree(tiny, stand.folder / "whole")
    if what == "folder not mounted yet":
        shutil.rmtree(tiny)
    elif what == "an empty folder":
        shutil.rmtree(tiny)
        tiny.mkdir()
    else:
        name = FILES[what == "half a model"]
        (tiny / name).write_bytes((tiny / name).read_bytes()[:100])
    stand.start()
    stand.wait_said("out of order: BundleError")
    shutil.copytree(stand.folder / "whole", tiny, dirs_exist_ok=True)
    stand.over()
    stand.wait_said("the bundle is loaded")


for _what in ("folder not mounted yet", "an empty folder", "half a manifest", "half a model"):
    attack(f"a bundle at the start: {_what}", quick=_what == "half a model")(partial(_late_bundle, _what))


@attack("one of two bundles is not there at the start: the other stream serves")
def _one_of_two(stand: Stand) -> None:
    stand.start(stand.config(MQTT, PUMP, 'id = "pump2"\nbundle = "late"\nsource = "field"\n'))
    stand.serves()
    assert "late" in stand.health()["streams"]["pump2"]["trouble"]
    shutil.copytree(stand.folder / "tiny", stand.folder / "late")
    stand.wait_said("streams pump2: the bundle is loaded")


@attack("a recording's folder is not mounted yet: the other source serves")
def _no_tape(stand: Stand) -> None:
    tape = '[[source]]\nname = "tape"\ntype = "file"\npath = "disk/tape.csv"\nboard = "pump2"\n'
    stand.start(stand.config(MQTT + tape, PUMP, 'id = "pump2"\nbundle = "tiny"\nsource = "tape"\n'))
    stand.wait_said("source tape: down: source tape: there is no file")
    (stand.folder / "disk").mkdir()
    lines = "".join(f"{when},2.0,5.0\n" for when in range(1_763_772_000, 1_763_772_050))
    (stand.folder / "disk" / "tape.csv").write_text("time,flow,pressure\n" + lines)
    wait_for(lambda: stand.health()["streams"]["pump2"]["rows"] >= 49, "its rows", 30.0)


@attack("the broker comes a while after the agent")
def _late_broker(stand: Stand) -> None:
    broker = stand.made_broker("allow_anonymous true", started=False)
    text = stand.config()
    stand.agent = Agent(stand.folder, text)
    stand.wait_said("no broker at")
    time.sleep(2.0)
    broker.start()
    stand.over()
    assert stand.listener
    stand.wait_said("source field: up")
