"""How to reach the MQTT broker: the settings that everything with a connection shares."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

_LONGEST = 65535
"""Bytes of a text in MQTT."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerSettings:
    """Address, credentials and certificates of one broker.

    Raises:
        ValueError: fields that do not fit together; it names the field and the remedy.
    """

    host: str = "localhost"
    """Name or address."""
    port: int = 1883
    """TCP port; 8883 is usual with TLS."""
    username: str | None = None
    """User at the broker; None for a broker that asks for none."""
    password: str | None = field(default=None, repr=False)
    """Password of that user."""
    password_file: Path | None = None
    """File that holds the password, in place of `password`; read again for each connection."""
    ca: Path | None = None
    """PEM file of the authorities that may have signed the broker's certificate; giving one turns TLS on."""
    cert: Path | None = None
    """PEM file of the client's own certificate, with `key`."""
    key: Path | None = None
    """PEM file of the client certificate's private key."""
    keepalive_s: int = 15
    """Longest silence before a ping, seconds; a dead link is noticed after twice this time at the latest."""
    client_id: str | None = None
    """Name of the connection at the broker, unique there; None takes one made from the device's id."""
    protocol: Literal["auto", "5", "3.1.1"] = "auto"
    """MQTT's version. auto takes 5, in which a broker says what it refuses, and 3.1.1 where the broker has no 5."""
    plaintext: bool = False
    """Whether a broker on another machine may be spoken to without TLS, where everybody on the way reads and changes
    passwords, readings and alerts. Not needed with `ca`, nor on this machine."""

    def __post_init__(self) -> None:
        if (problem := host_problem(self.host) or self._text_problem()) is not None:
            raise ValueError(problem)
        if not 0 < self.port < 65536:
            raise ValueError(f"port = {self.port}: wanted 1 to 65535")
        if not 1 <= self.keepalive_s <= 65535:
            raise ValueError(f"keepalive_s = {self.keepalive_s}: wanted 1 to 65535 seconds")
        if self.password is not None and self.password_file is not None:
            raise ValueError("give password_file, a path, or password, not both")
        if (self.password is not None or self.password_file is not None) and self.username is None:
            raise ValueError("password without username; give both or neither")
        if (self.cert is None) != (self.key is None):
            raise ValueError("cert and key belong together; give both or neither")
        if self.cert is not None and self.ca is None:
            raise ValueError("cert without ca: TLS is on only when ca names the broker's authority")

    def _text_problem(self) -> str | None:
        for name in ("username", "client_id"):
            text = getattr(self, name) or ""
            if not (text.isprintable() and _fits(text)):
                return f"{name} holds a control character, or is longer than MQTT takes ({_LONGEST} bytes)"
        if not _fits(self.password or ""):
            return f"password is longer than MQTT takes ({_LONGEST} bytes)"
        return None

    @property
    def address(self) -> str:
        """`host:port`, for messages."""
        return f"{self.host}:{self.port}"

    @property
    def exposed(self) -> bool:
        """Whether what is said crosses a network without TLS."""
        return self.ca is None and not _is_loopback(self.host)


def host_problem(text: str) -> str | None:
    """Why a text is neither a name nor an address of a machine; None where it may be one.

    A whole address, as `mqtt://user:password@host:1883`, is not shown: nobody wants its password in a log.
    """
    if not text:
        return "host is empty; name the broker's machine, such as localhost"
    if "/" in text or "@" in text:
        return "host: wanted a name or an address alone, such as localhost: port, username and password are keys too"
    if ":" in text and not _is_address(text):
        return f"host = {text!r}: wanted a name or an address alone, without brackets; port is a key of its own"
    return None if _may_be_host(text) else f"host = {text!r}: wanted a name or an address"


def _may_be_host(name: str) -> bool:
    """Whether looking the name up may fail, but not raise something else than OSError, which ends paho's thread."""
    try:
        name.encode("idna")
    except UnicodeError:
        return False
    return name.isprintable() and " " not in name


def _is_address(text: str) -> bool:
    from ipaddress import ip_address

    try:
        return bool(ip_address(text))
    except ValueError:
        return False


def _fits(text: str) -> bool:
    return len(text.encode("utf-8", "surrogatepass")) <= _LONGEST


def _is_loopback(host: str) -> bool:
    """Whether a name or address never leaves this machine; a name that only looks so does not count."""
    if host.lower().rstrip(".") in ("localhost", "ip6-localhost"):
        return True
    from ipaddress import ip_address  # most gateways have no use for it

    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class PahoClient(Protocol):
    """The two methods of `paho.mqtt.client.Client` that credentials need; this package imports no paho."""

    def username_pw_set(self, username: str | None, password: str | None = None) -> None: ...

    def tls_set(self, ca_certs: Any = None, certfile: Any = None, keyfile: Any = None) -> None: ...


def _password(settings: BrokerSettings) -> str | None:
    if settings.password_file is None:
        return settings.password
    where = f"password_file {settings.password_file}"
    try:
        text = settings.password_file.read_text("utf-8-sig").rstrip("\r\n")  # -sig: editors of Windows begin with it
    except OSError as error:
        raise OSError(f"{where}: {error.strerror or error}") from error
    except UnicodeDecodeError:
        # Not its words, which quote the file.
        raise OSError(f"{where}: is no UTF-8; write the password into it in UTF-8") from None
    if not text:
        raise OSError(f"{where}: is empty; write the password into it")
    if "\n" in text or not _fits(text):
        raise OSError(f"{where}: holds more than a password; wanted one line of at most {_LONGEST} bytes")
    return text


def use_credentials(client: PahoClient, settings: BrokerSettings) -> None:
    """Give a client that is not yet connected its user, password and certificates.

    Raises:
        OSError: a password, certificate or key file is missing or none; it names the file. Or paho was imported
            without TLS, as `edge.agent.footprint` does.
    """
    if settings.username is not None:
        client.username_pw_set(settings.username, _password(settings))
    if settings.ca is None:
        return
    files = [None if path is None else str(path) for path in (settings.ca, settings.cert, settings.key)]
    for path in files:
        if path is not None:
            open(path, "rb").close()  # ssl's own error does not say which file is missing
    from ssl import SSLError  # 4 MB that most gateways have no use for

    try:
        client.tls_set(*files)
    except ValueError as error:  # paho's for a Python without ssl
        raise OSError(f"TLS was left out at start-up, as no broker wanted it; restart ({error})") from error
    except SSLError as error:
        if "KEY_VALUES_MISMATCH" in str(error):
            raise OSError(
                f"{settings.key} is not the key of {settings.cert}; bring the one it was made with"
            ) from error
        raise OSError(f"{', '.join(filter(None, files))}: not certificates and key in PEM form ({error})") from error
