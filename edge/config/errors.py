"""What is wrong with settings, as one line. Loads nothing, so that a page or a watch stays small."""

from edge.wire.broker import BrokerSettings


class ConfigError(Exception):
    """A configuration that cannot be used; one line that names the file, the key, what was found and wanted."""


class UnfinishedError(ConfigError):
    """A file that may be half written, or not be there yet: it is worth waiting for."""


def check_certificates(what: str, broker: BrokerSettings) -> None:
    """Whether the files that a broker's settings name are there; a broker that is not there is normal.

    Raises:
        ConfigError: one is missing.
    """
    for name in ("ca", "cert", "key", "password_file"):
        path = getattr(broker, name)
        if path is not None and not path.is_file():
            raise UnfinishedError(f"{what}: {name}: there is no file {path}")
