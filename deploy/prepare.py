"""Run by compose.yaml before all else: a password for each user of the broker and for the page, and who may do what.

A password that is there stays. With --show it prints those that are for people.
"""

import argparse
import base64
import hashlib
import os
import secrets
import sys
import tempfile
from pathlib import Path

from edge.commands.upkeep.broker_config import access_list
from edge.config.settings import Config, ConfigError, load_config
from edge.web.password import hashed

BROKER, OFFBEAT = 1883, 10001
"""User ids of the two images."""
PEOPLE = {"viewer": "reads alerts at the broker", "operator": "reads and asks there", "page": "opens the page"}
_HEALTH = "\nuser health\ntopic read $SYS/broker/uptime\n"
_ITERATIONS = 50_000
"""Passwords are random, 144 bits: no dictionary has them, and the broker hashes one at each connection."""


def prepare(root: Path, config: Path, show: bool = False) -> int:
    """Write all files below `root`; exit status 2 with one line where the config is not to be used."""
    os.umask(0o077)
    own = root / "secrets"
    try:
        settings = loaded(config, own)
        access = access_list([settings], "viewer", "operator")
    except ConfigError as error:
        print(f"prepare: {error}", file=sys.stderr)
        return 2
    users = [line.removeprefix("user ") for line in access.splitlines() if line.startswith("user ")]
    passwords = {user: kept(own / "people" / user) for user in (*users, "health", "page")}
    write(own / "broker/access.acl", access.rstrip("\n") + "\n" + _HEALTH, BROKER)
    write(own / "broker/health", passwords["health"], BROKER)
    broker_users = {user: passwords[user] for user in (*users, "health")}
    write(own / "broker/passwords", password_file(broker_users), BROKER)
    write(own / "agent/password", passwords[settings.broker.username or settings.device.id], OFFBEAT)
    boards = [user for user in users if user.startswith("board-")]
    for user in boards:
        write(own / "board" / user, passwords[user], OFFBEAT)
    write(own / "board/password", passwords[boards[0]] if boards else "", OFFBEAT)
    write(own / "page/password", passwords["operator"], OFFBEAT)
    write(own / "page/page.hash", hashed(passwords["page"]) + "\n", OFFBEAT)
    write(root / "rules/offbeat.yml", rules(), OFFBEAT, 0o444)
    os.chown(root / "data/broker", BROKER, BROKER)
    if show:
        print("\n".join(f"{user:10}{passwords[user]}  {what}" for user, what in PEOPLE.items()))
    return 0


def loaded(config: Path, own: Path) -> Config:
    """The agent's config, whose /secrets lies elsewhere here and has no password yet at the first start.

    Raises:
        ConfigError: it cannot be used.
    """
    if not (own / "agent/password").exists():
        write(own / "agent/password", "made below\n", OFFBEAT)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / config.name
        copy.write_text(config.read_text("utf-8").replace('"/secrets/', f'"{own}/agent/'), "utf-8")
        return load_config(copy)


def kept(file: Path) -> str:
    """The password in that file, made where it is not there."""
    if not file.exists():
        write(file, secrets.token_urlsafe(18), 0)
    return file.read_text("ascii")


def write(file: Path, text: str, owner: int, mode: int = 0o400) -> None:
    """At one stroke, for that user alone; what is the same already is left as it is."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.parent.chmod(0o755)
    half = file.with_name(file.name + ".new")
    half.unlink(missing_ok=True)
    half.write_text(text, "utf-8")
    half.chmod(mode)  # before it is another's: what runs this may give files away, and nothing more
    os.chown(half, owner, owner)
    half.replace(file)


def password_file(passwords: dict[str, str]) -> str:
    """As mosquitto_passwd writes it: PBKDF2 with SHA-512, RFC 8018.

    >>> password_file({"a": "secret"}).startswith("a:$7$50000$")
    True
    """
    lines = []
    for user, password in passwords.items():
        salt = secrets.token_bytes(12)
        digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ITERATIONS)
        text = [base64.b64encode(part).decode() for part in (salt, digest)]
        lines.append(f"{user}:$7${_ITERATIONS}${text[0]}${text[1]}\n")
    return "".join(lines)


def rules() -> str:
    """Prometheus' rules, of the agent's own version."""
    import edge.prometheus

    return (Path(edge.prometheus.__file__).parent / "rules/offbeat.yml").read_text("utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--show", action="store_true", help="print the passwords that are for people")
    sys.exit(prepare(Path("/"), Path("/etc/offbeat/agent.toml"), parser.parse_args().show))
