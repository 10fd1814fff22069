"""What `offbeat-edge watch` shall watch, from its options and, where one is given, an agent.toml."""

import argparse
from dataclasses import replace
from typing import Any

from edge.config.settings import check_certificates, load_config
from edge.config.structure import ConfigError
from edge.wire.broker import BrokerSettings
from edge.wire.topics import valid_id

_OF_BROKER = ("host", "port", "username", "ca", "cert", "key")


def watched(options: argparse.Namespace) -> tuple[BrokerSettings, str, str]:
    """Broker, topic root and device (`+` for all); options win over the file.

    Raises:
        ConfigError: the file or an option cannot be used.
    """
    broker, root, device = BrokerSettings(), "offbeat", "+"
    if options.config is not None:
        config = load_config(options.config)
        # Not the agent's client id: with the same the broker would throw out the agent.
        broker, root, device = replace(config.broker, client_id=None), config.device.root, config.device.id
    device = options.device or device
    if device != "+" and not valid_id(device):
        raise ConfigError(f"--device {device!r}: ids have letters, digits, _ and - only")
    given: dict[str, Any] = {name: value for name in _OF_BROKER if (value := getattr(options, name)) is not None}
    if options.password_file is not None:
        given["password"] = _content(options.password_file)
    try:
        broker = replace(broker, **given)
    except ValueError as error:
        raise ConfigError(f"watch: {error}") from error
    check_certificates("watch", broker)
    return broker, options.root or root, device


def _content(path: Any) -> str:
    try:
        return path.read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--password-file {path}: {getattr(error, 'strerror', None) or error}") from error
