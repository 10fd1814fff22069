"""Set-ups that are well and that are not, and what `doctor` says.

Each has a real broker, a bundle that runs and a board that sends. `python -m
tests.edge.commands.upkeep.broken_set_ups` prints the table of the documents.
"""

import json
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from edge.detector.score.runtime import RUNTIMES, available_runtimes
from tests.edge.commands.upkeep.stage import Stage
from tests.helpers.agent import PUMP
from tests.helpers.mosquitto import Broker


class SetUp(NamedTuple):
    """What is wrong, how it becomes so, and what doctor has to say of it."""

    what: str
    make: Callable[[Stage], object]
    level: str
    said: str


def _down(stage: Stage) -> None:
    stage.down = True


def _access_list(stage: Stage) -> None:
    access = stage.secret("acl", "topic read #\ntopic write sensors/#\n")
    stage.broker = Broker(stage.folder / "broker", (f"acl_file {access}", "allow_anonymous true"))
    stage.write()


def _wrong_login(stage: Stage) -> None:
    stage.broker = Broker(stage.folder / "broker", ("allow_anonymous false",))
    stage.board = ""
    stage.write(broker='username = "gw"\npassword = "wrong"\n')


def _other_authority(stage: Stage) -> None:
    right, wrong = stage.authority(), stage.authority("other")
    stage.over_tls(right, f'ca = "{wrong.pem}"\n')


def _ended_authority(stage: Stage) -> None:
    right, old = stage.authority(), stage.authority("old")
    ended = old.sign("ended", days=0)
    both = stage.secret("both.pem", right.pem.read_text() + ended.read_text())
    stage.over_tls(right, f'ca = "{both}"\n')


def _not_yet(stage: Stage) -> None:
    authority = stage.authority()
    client = authority.sign("gw", begins="2090")
    client.with_suffix(".key").chmod(0o600)
    stage.over_tls(
        authority, f'ca = "{authority.pem}"\ncert = "{client}"\nkey = "{client.with_suffix(".key")}"\n', True
    )


def _client_of_another_key(stage: Stage) -> None:
    authority = stage.authority()
    client, other = authority.sign("gw"), authority.sign("gw2")
    other.with_suffix(".key").chmod(0o600)
    stage.over_tls(authority, f'ca = "{authority.pem}"\ncert = "{client}"\nkey = "{other.with_suffix(".key")}"\n', True)


def _page_ended(stage: Stage) -> None:
    page = stage.authority().sign("page", days=0)
    page.with_suffix(".key").chmod(0o600)
    stage.page(f'cert = "{page}"\nkey = "{page.with_suffix(".key")}"\n')


def _page_of_another_key(stage: Stage) -> None:
    authority = stage.authority()
    page, other = authority.sign("page"), authority.sign("other")
    other.with_suffix(".key").chmod(0o600)
    stage.page(f'cert = "{page}"\nkey = "{other.with_suffix(".key")}"\n')


def _page_key_for_all(stage: Stage) -> None:
    page = stage.authority().sign("page", days=400)
    page.with_suffix(".key").chmod(0o644)
    stage.page(f'cert = "{page}"\nkey = "{page.with_suffix(".key")}"\n')


def _no_hash(stage: Stage) -> None:
    stage.page(f'password_hash_file = "{stage.secret("web.hash", "correct horse battery")}"\n')


def _password_for_all(stage: Stage) -> None:
    stage.write(broker=f'username = "gw"\npassword_file = "{stage.secret("broker.password", "x", 0o644)}"\n')


def _open_state(stage: Stage) -> None:
    (stage.folder / "state").mkdir()
    (stage.folder / "state").chmod(0o755)


def _misnamed(stage: Stage) -> None:
    stage.board = "pumpl"


def _misspelt(stage: Stage) -> None:
    stage.values = {"flow": 2.0, "presure": 5.0}


def _another_format(stage: Stage) -> None:
    path = stage.folder / "tiny/manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 99}))


def _outbox(stage: Stage, name: str, content: bytes) -> None:
    (stage.folder / "state").mkdir(mode=0o700)
    stage.secret(f"state/{name}", "").write_bytes(content)


def _later_outbox(stage: Stage) -> None:
    _outbox(stage, "outbox.db", b"")
    with closing(sqlite3.connect(stage.folder / "state/outbox.db")) as db:
        db.execute("PRAGMA user_version=99")


def _other_variant(stage: Stage) -> None:
    stage.write(stream=PUMP + 'variant = "int4"\n')


def _rule(stage: Stage) -> None:
    stage.write(stream=PUMP + "[stream.rules.presure]\nmax = 9.0\n")


def _other_runtime(stage: Stage) -> None:
    here = available_runtimes()
    stage.write()
    path = stage.folder / "agent.toml"
    other = next(name for name in RUNTIMES if name not in here)
    path.write_text(path.read_text().replace("[device]", f'[device]\nruntime = "{other}"'))


HEALTHY = SetUp("all is well", lambda _stage: None, "ok", "bundle tiny, float32:")
BROKEN = (
    SetUp("a key of the config is misspelt", lambda stage: stage.write('[delivry]\n'), "FAIL", "delivry"),
    SetUp("the broker is down", _down, "FAIL", "alerts wait in the outbox meanwhile"),
    SetUp("the broker takes nothing from this device", _access_list, "FAIL", "offbeat/gw-1/check"),
    SetUp("the broker refuses the password", _wrong_login, "FAIL", "broker:"),
    SetUp("another authority signed the broker's certificate", _other_authority, "FAIL", "broker:"),
    SetUp("one of two authorities has ended", _ended_authority, "do", "both.pem, certificate 2 of 2, ended"),
    SetUp("the client's certificate is not valid yet", _not_yet, "FAIL", "is not valid before 2090-01-01"),
    SetUp("the client's key is another's", _client_of_another_key, "FAIL", "gw2.key is not the key of"),
    SetUp("the page's certificate has ended", _page_ended, "FAIL", "page.pem ended"),
    SetUp("the page's key is another's", _page_of_another_key, "FAIL", "other.key is not the key of"),
    SetUp("every user may read the page's key", _page_key_for_all, "do", "page.key can be read by every user"),
    SetUp("the page's password is no hash", _no_hash, "FAIL", "make one with: offbeat-edge password"),
    SetUp(
        "the page's certificate is missing",
        lambda stage: stage.page('cert = "no.pem"\nkey = "no.key"\n'), "FAIL", "web.cert: there is no file",
    ),
    SetUp("every user may read the broker's password", _password_for_all, "do", "chmod 600 it"),
    SetUp("the bundle has no such variant", _other_variant, "FAIL", "no variant 'int4'"),
    SetUp("a rule is about no channel of the bundle", _rule, "FAIL", "'presure'; did you mean 'pressure'?"),
    SetUp("the runtime of the config is not here", _other_runtime, "FAIL", "installed: "),
    SetUp(
        "a model file has changed",
        lambda stage: (stage.folder / "tiny/float32.tflite").write_bytes(b"x"), "FAIL", "SHA-256",
    ),
    SetUp("the bundle is gone", lambda stage: shutil.rmtree(stage.folder / "tiny"), "FAIL", "a bundle's folder?"),
    SetUp("the board has another name", _misnamed, "do", "did you mean 'pumpl'?"),
    SetUp("a channel has another name", _misspelt, "do", "did you mean 'presure'?"),
    SetUp("other users may look into the state folder", _open_state, "do", "chmod -R go-rwx"),
    SetUp("the state folder is a file", lambda stage: stage.secret("state", ""), "FAIL", "cannot be written to"),
    SetUp(
        "the state folder is a link to nowhere",
        lambda stage: (stage.folder / "state").symlink_to("/no/where"), "FAIL", "is a link to /no/where",
    ),
    SetUp(
        "the outbox is damaged",
        lambda stage: _outbox(stage, "outbox.db", b"no database"), "do", "is damaged (file is not a database)",
    ),
    SetUp(
        "an outbox was set aside",
        lambda stage: _outbox(stage, "outbox.db.damaged-2", b""), "do", "alerts that waited in it were not sent",
    ),
    SetUp("the outbox is of a later version", _later_outbox, "FAIL", "outbox.db: written by a later version"),
    SetUp("the bundle is of a later version", _another_format, "FAIL", "upgrade Offbeat here"),
)  # fmt: skip


def examined(set_up: SetUp, folder: Path) -> tuple[int, list[str]]:
    """The exit status and the lines of doctor before a set-up."""
    stage = Stage(folder)
    set_up.make(stage)
    return stage.doctor()


def print_table(*more: SetUp) -> None:
    """Print the table: of what is broken only what is not said where all is well."""
    known: set[str] = set()
    print("| set-up | exit status | what `doctor` says that it does not say where all is well |")
    print("|---|---|---|")
    for set_up in (HEALTHY, *BROKEN, *more):
        with tempfile.TemporaryDirectory() as name:
            status, lines = examined(set_up, Path(name))
        told = [line for line in lines if line.split()[0] != "ok" and " ".join(line.split()[:2]) not in known]
        if set_up is HEALTHY:
            known = {" ".join(line.split()[:2]) for line in told}
            told = [f"{len(lines) - len(told)} lines `ok`; of this machine: " + "; ".join(told)]
        line = f"| {set_up.what} | {status} | {'<br>'.join(' '.join(one.split()) for one in told)} |"
        print(re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:1883", line.replace(name, "…")), flush=True)


if __name__ == "__main__":
    from tests.edge.commands.upkeep.broken_links import LINKS

    print_table(*LINKS)
