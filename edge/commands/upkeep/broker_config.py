"""`offbeat-edge broker-config`: a Mosquitto 2 that lets everybody do what they need, and no more."""

import argparse
import sys
from pathlib import Path

from edge.config.settings import Config, ConfigError, load_config
from edge.detector.bundle.files import write_atomically
from edge.sources.settings import MqttSource
from edge.wire.topics import DeviceTopics, readings_topic, valid_id

_BAD_SETUP = 2


def broker_config(options: argparse.Namespace) -> int:
    """Write mosquitto.conf and access lists into a folder, and say what remains to be done."""
    try:
        config = load_config(options.config)
        access = access_list(config, options.subscriber, options.operator)
    except ConfigError as error:
        print(f"offbeat-edge: {error}", file=sys.stderr)
        return _BAD_SETUP
    try:
        (options.out / "data").mkdir(parents=True, exist_ok=True)
        write_atomically(options.out / "offbeat.acl", access.encode())
        write_atomically(options.out / "mosquitto.conf", settings(options.out).encode())
        (options.out / "offbeat.acl").chmod(0o644)
        (options.out / "mosquitto.conf").chmod(0o644)
    except OSError as error:
        print(f"offbeat-edge: {options.out}: {error.strerror}; name another folder", file=sys.stderr)
        return _BAD_SETUP
    users = [line.removeprefix("user ") for line in access.splitlines() if line.startswith("user ")]
    print(f"{options.out}: mosquitto.conf and offbeat.acl for {', '.join(users)}")
    print(f"a password for each: mosquitto_passwd -c {options.out}/passwords {users[0]}, then without -c")
    print(
        f"ca.pem, server.pem and server.key go beside them; then chown -R mosquitto: {options.out}, as it leaves root"
    )
    print(f"mosquitto -c {options.out}/mosquitto.conf tries it; docs/how-to/secure-a-broker.md has all of it")
    return 0


def access_list(config: Config, subscriber: str, operator: str) -> str:
    """The access list: the device, its boards, who subscribes and who may ask.

    Raises:
        ConfigError: two of them have the same name, or a name is none.
    """
    topics, user = DeviceTopics(config.device.id, config.device.root), config.broker.username or config.device.id
    # Each topic by itself: who may write all below the device may ask it for anything, too.
    said = [topics.status, topics.info, topics.health, topics.group, topics.check, topics.response("+")]
    said += [topics.availability("+"), topics.state("+"), topics.event("+"), topics.snapshot("+")]
    asks = [f"topic write {topics.request(command)}" for command in sorted(config.requests.allow)]
    blocks = {user: [f"topic write {topic}" for topic in said]}
    blocks[user] += [f"topic read {topics.request('+')}", f"topic read {topics.check}"]
    if config.web.port is not None:  # the page in the agent hears what the device says, and has its buttons
        blocks[user] += [*(f"topic read {topic}" for topic in said), *asks]
    if config.homeassistant.discovery:
        prefix = config.homeassistant.prefix
        head = f"{config.device.root.replace('/', '_')}_{config.device.id}"
        ids = [head, *(f"{head}_{stream.id}" for stream in config.stream)]
        blocks[user] += [f"topic read {prefix}/status", *(f"topic write {prefix}/device/{one}/config" for one in ids)]
    for source in config.source:
        if isinstance(source, MqttSource) and source.own_broker is None:
            own = source.format == "offbeat" and not source.topics
            if not own and not source.topics:
                raise ConfigError(f"source {source.name}: name its topics, so that the device may read no others")
            read = [readings_topic("+", source.root)] if own else source.topics
            blocks[user] += [f"topic read {topic}" for topic in read]
            boards = [stream.board for stream in config.stream if own and stream.source == source.name and stream.board]
            for board in dict.fromkeys(boards):
                _add(blocks, f"board-{board}", [f"topic write {readings_topic(board, source.root)}"])
    _add(blocks, subscriber, [f"topic read {config.device.root}/#"])
    _add(blocks, operator, [f"topic read {config.device.root}/#", *asks])
    if bad := [name for name in blocks if not valid_id(name)]:
        raise ConfigError(f"{bad[0]!r} is no name of a user: letters, digits, _ and - only")
    return "".join("\n".join([f"user {name}", *dict.fromkeys(lines), "", ""]) for name, lines in blocks.items())


def _add(blocks: dict[str, list[str]], name: str, lines: list[str]) -> None:
    if name in blocks:
        raise ConfigError(f"the broker's user {name!r} would be two; give --subscriber and --operator other names")
    blocks[name] = lines


def settings(folder: Path) -> str:
    """mosquitto.conf with TLS beyond this machine, users with passwords, and the access list."""
    here = folder.absolute()
    return f"""# Written by offbeat-edge broker-config. Without a password nobody gets in, from elsewhere only by TLS.
per_listener_settings false
allow_anonymous false
password_file {here}/passwords
acl_file {here}/offbeat.acl

listener 1883 127.0.0.1

listener 8883
cafile {here}/ca.pem
certfile {here}/server.pem
keyfile {here}/server.key
tls_version tlsv1.2

message_size_limit 262144
max_packet_size 270336
max_queued_messages 10000
persistence true
persistence_location {here}/data/
autosave_on_changes true
autosave_interval 1
"""
