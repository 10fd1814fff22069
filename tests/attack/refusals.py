"""What the broker's access list refuses: named, kept, and sent when it may; with 3.1.1 `check` finds it."""

from tests.attack.registry import attack
from tests.attack.stand import ALLOW, Stand
from tests.helpers.agent import events
from tests.helpers.mosquitto import wait_for

SHUT = "topic read #\ntopic write sensors/#\ntopic write offbeat/gw-1/status\ntopic write offbeat/gw-1/health\n"
OPEN = "topic readwrite #\n"


def _guarded(stand: Stand, text: str) -> None:
    (stand.folder / "acl").write_text(text)
    stand.made_broker("allow_anonymous true", f"acl_file {stand.folder}/acl")


def _opened(stand: Stand) -> None:
    (stand.folder / "acl").write_text(OPEN)
    stand.broker.reload()


@attack("an access list that refuses publishing, MQTT 5", quick=True)
def _publish_5(stand: Stand) -> None:
    _guarded(stand, SHUT)
    stand.start()
    stand.normal(25)
    stand._rows(30, 6.0)
    stand.wait_health(lambda body: "offbeat/gw-1/pump1/event" in str(body["link"]), "the refused topic")
    stand.wait_said("Not authorized")
    assert events(stand.listener) == []
    _opened(stand)
    stand.over()
    wait_for(lambda: events(stand.listener), "what was refused", 30.0)


@attack("an access list that refuses publishing, MQTT 3.1.1: check finds it")
def _publish_311(stand: Stand) -> None:
    _guarded(stand, SHUT)
    stand.start(stand.config(broker='protocol = "3.1.1"\n' + ALLOW))
    found = stand.command("check")
    assert found.returncode == 2, found.stdout
    assert "did not come back" in found.stdout, found.stdout
    _opened(stand)
    assert stand.command("check").returncode == 0 or "no board was heard" in stand.command("check").stdout


@attack("an access list that refuses publishing, MQTT 5: check finds it")
def _check_5(stand: Stand) -> None:
    _guarded(stand, SHUT)
    (stand.folder / "agent.toml").write_text(stand.config())
    found = stand.command("check")
    assert found.returncode == 2, found.stdout
    assert "is refused: Not authorized" in found.stdout, found.stdout


@attack("an access list that forbids reading the sensors")
def _read(stand: Stand) -> None:
    _guarded(stand, "topic write #\ntopic read offbeat/#\n")
    stand.start()
    stand.normal(25)
    stand.wait_health(lambda body: "may this user read it?" in str(body["streams"]["pump1"]["trouble"]), "trouble")
    _opened(stand)
    stand.over()


@attack("an access list that forbids reading the sensors while the agent runs")
def _read_later(stand: Stand) -> None:
    _guarded(stand, OPEN)
    stand.start()
    stand.serves()
    (stand.folder / "acl").write_text("topic write #\ntopic read offbeat/#\n")
    stand.broker.reload()
    stand.wait_health(lambda body: "no reading of board pump1" in str(body["streams"]["pump1"]["trouble"]), "trouble")
    _opened(stand)
    stand.over()
