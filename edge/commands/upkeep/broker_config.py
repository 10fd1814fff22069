"""`offbeat-edge broker-config`: a Mosquitto 2 that lets everybody do what they need, and no more."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from edge.config.settings import Config, ConfigError, load_config
from edge.detector.bundle.files import write_atomically
from edge.sources.settings import MqttSource
from edge.wire.topics import DeviceTopics, readings_topic, valid_id

_BAD_SETUP = 2


def broker_config(options: argparse.Namespace) -> int:
    """Write mosquitto.conf and access lists into a folder, and say what remains to be done."""
    try:
        configs = [load_config(one) for one in (options.config, *options.also)]
        access = access_list(configs, options.subscriber, options.operator)
        _require_nobody_locked_out(options.out / "offbeat.acl", access)
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
    users = _users(access)
    print(f"{options.out}: mosquitto.conf and offbeat.acl for {', '.join(users)}")
    print(f"a password for each: mosquitto_passwd -c {options.out}/passwords {users[0]}, then without -c")
    print(
        f"ca.pem, server.pem and server.key go beside them; then chown -R mosquitto: {options.out}, as it leaves root"
    )
    print(f"mosquitto -c {options.out}/mosquitto.conf tries it; docs/how-to/secure-a-broker.md has all of it")
    return 0


def access_list(configs: Sequence[Config], subscriber: str, operator: str) -> str:
    """The access list: devices, their boards, who subscribes and who may ask.

    Raises:
        ConfigError: two of them have the same name, or a name is none.
    """
    blocks: dict[str, list[str]] = {}
    boards: dict[str, list[str]] = {}
    for config in configs:
        _add(blocks, config.broker.username or config.device.id, _of_device(config))
        for board, root in _boards(config):
            lines = boards.setdefault(f"board-{board}", [])
            lines += [f"topic write {readings_topic(board, root)}"]
    for name, lines in boards.items():
        _add(blocks, name, lines)
    reads = [f"topic read {config.device.root}/#" for config in configs]
    _add(blocks, subscriber, reads)
    _add(blocks, operator, [*reads, *(ask for config in configs for ask in _asks(config))])
    if bad := [name for name in blocks if not valid_id(name)]:
        raise ConfigError(f"{bad[0]!r} is no name of a user: letters, digits, _ and - only")
    return "".join("\n".join([f"user {name}", *dict.fromkeys(lines), "", ""]) for name, lines in blocks.items())


def _of_device(config: Config) -> list[str]:
    """Each topic by itself: who may write all below the device may ask it for anything, too."""
    topics = DeviceTopics(config.device.id, config.device.root)
    said = [topics.status, topics.info, topics.health, topics.group, topics.check, topics.response("+")]
    said += [topics.availability("+"), topics.state("+"), topics.event("+"), topics.snapshot("+")]
    lines = [f"topic write {topic}" for topic in said]
    lines += [f"topic read {topics.request('+')}", f"topic read {topics.check}"]
    if config.web.port is not None:  # the page in the agent hears what the device says, and has its buttons
        lines += [*(f"topic read {topic}" for topic in said), *_asks(config)]
    if config.homeassistant.discovery:
        prefix = config.homeassistant.prefix
        head = f"{config.device.root.replace('/', '_')}_{config.device.id}"
        ids = [head, *(f"{head}_{stream.id}" for stream in config.stream)]
        lines += [f"topic read {prefix}/status", *(f"topic write {prefix}/device/{one}/config" for one in ids)]
    for source in _sources(config):
        if not _is_own(source) and not source.topics:
            raise ConfigError(f"source {source.name}: name its topics, so that the device may read no others")
        read = [readings_topic("+", source.root)] if _is_own(source) else source.topics
        lines += [f"topic read {topic}" for topic in read]
    return lines


def _asks(config: Config) -> list[str]:
    topics = DeviceTopics(config.device.id, config.device.root)
    return [f"topic write {topics.request(command)}" for command in sorted(config.requests.allow)]


def _sources(config: Config) -> list[MqttSource]:
    """Those that read at this broker."""
    return [one for one in config.source if isinstance(one, MqttSource) and one.own_broker is None]


def _is_own(source: MqttSource) -> bool:
    return source.format == "offbeat" and not source.topics


def _boards(config: Config) -> Iterator[tuple[str, str]]:
    """Boards of our own format with the topic that they are below."""
    for source in filter(_is_own, _sources(config)):
        for stream in config.stream:
            if stream.source == source.name and stream.board:
                yield stream.board, source.root


def _require_nobody_locked_out(written: Path, access: str) -> None:
    """Nobody who may come in by a list that is there already is left out of the new one without a word."""
    try:
        before = written.read_text("utf-8")
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{written} is there and cannot be read ({error}); name another folder") from error
    if gone := [name for name in _users(before) if name not in _users(access)]:
        raise ConfigError(
            f"{written} is there, and lets {', '.join(gone)} in, too: give their agent.toml by --also, "
            f"or remove {written.name} where they are no more"
        )


def _users(access: str) -> list[str]:
    return [line.removeprefix("user ") for line in access.splitlines() if line.startswith("user ")]


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
