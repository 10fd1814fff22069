"""What changes while the agent runs: its config, its broker, its folders. None of it ends the agent."""

import shutil
import time
from functools import partial

from tests.attack.registry import attack
from tests.attack.stand import Stand
from tests.edge.agent.test_passing_states import HARMFUL
from tests.helpers.agent import reload_signal

MORE = {
    "nan in a time setting": ("health_every_s = 0.2", "health_every_s = nan"),
    "a negative time setting": ("health_every_s = 0.2", "health_every_s = -1.0"),
    "1e400 in a time setting": ("health_every_s = 0.2", "health_every_s = 1e400"),
    "an id with a slash": ('id = "pump1"', 'id = "pump/1"'),
    "2,000 brackets": ("[device]", "a = " + "[" * 2000 + "\n[device]"),
    "a bundle that is a file": ('bundle = "tiny"', 'bundle = "agent.toml"'),
    "a bundle path of 5,000 letters": ('bundle = "tiny"', f'bundle = "{"x" * 5000}"'),
    "a source of no known type": ('type = "mqtt"', 'type = "telepathy"'),
}


def _harmful(change: tuple[str, str], stand: Stand) -> None:
    loop = stand.folder / "loop"
    if not loop.is_symlink():
        loop.symlink_to(loop)
    whole = stand.config()
    assert stand.agent is not None
    said = stand.log().count("reload: ")
    (stand.folder / "agent.toml").write_text(whole.replace(*change))
    reload_signal(stand.agent)
    until = time.monotonic() + 15
    while stand.log().count("reload: ") <= said:
        assert stand.said("") or True
        assert time.monotonic() < until, f"the config was not answered; {stand.log()[-300:]}"
        time.sleep(0.05)
    stand.serves()
    (stand.folder / "agent.toml").write_text(whole)
    reload_signal(stand.agent)
    stand.passed_at = None


for _name, _change in {**HARMFUL, **MORE}.items():
    attack(f"a config on SIGHUP: {_name}", shared=True, quick=_name in ("inf", "a loop of links"))(
        partial(_harmful, _change)
    )


@attack("a config that is a named pipe on SIGHUP", shared=True)
def _pipe(stand: Stand) -> None:
    import os

    path, whole = stand.folder / "agent.toml", stand.config()
    path.unlink()
    os.mkfifo(path)
    assert stand.agent is not None
    reload_signal(stand.agent)
    try:
        stand.serves()
    finally:
        path.unlink()
        path.write_text(whole)
    stand.passed_at = None


@attack("20 SIGHUPs at once", shared=True)
def _many(stand: Stand) -> None:
    assert stand.agent is not None
    for _ in range(20):
        reload_signal(stand.agent)
        time.sleep(0.01)


@attack("the broker is killed and starts again", shared=True, quick=True)
def _killed(stand: Stand) -> None:
    stand.broker.kill()
    time.sleep(1.0)
    stand.broker.start()
    stand.over()
    said = stand.log().count("source field: up")
    stand.wait_said("source field: up")
    assert said >= 1


@attack("the broker hangs for 10 seconds", shared=True)
def _frozen(stand: Stand) -> None:
    stand.broker.freeze()
    time.sleep(10.0)
    stand.broker.thaw()
    stand.over()


@attack("the broker is killed ten times in ten seconds", shared=True)
def _flapping(stand: Stand) -> None:
    lines = len(stand.log().splitlines())
    for _ in range(10):
        stand.broker.kill()
        stand.broker.start()
        time.sleep(1.0)
    stand.over()
    assert len(stand.log().splitlines()) - lines < 60, stand.log()[-3000:]


@attack("the state folder is removed in use", shared=True)
def _no_state(stand: Stand) -> None:
    shutil.rmtree(stand.folder / "state")
