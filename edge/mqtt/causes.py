"""Why there is no connection, in words: one place that turns exceptions, TLS alerts and MQTT's codes into a remedy."""

import re
import time
from pathlib import Path

from edge.wire.broker import BrokerSettings
from edge.wire.certificates import CertificateError, days_left

_NAMED = re.compile(r"\[(?:SSL(?:: ([A-Z0-9_]+))?)\]")
_NO_TLS = {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "UNEXPECTED_EOF_WHILE_READING",
           "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"}  # fmt: skip
"""OpenSSL's names for what is no answer to a TLS handshake."""
_ENDED, _NOT_YET = 10, 9
_UNKNOWN_AUTHORITY = {2, 18, 19, 20, 21}
_OTHER_NAME = {62, 64}
"""OpenSSL's X509_V_ERR_ codes. Source: openssl/x509_vfy.h."""
_REMEDIES = {
    "Not authorized": "check username and password, and the broker's access list",
    "Bad user name or password": "check username and password or password_file",
    "Client identifier not valid": "check client_id",
    "Unsupported protocol version": "leave protocol at auto",
    "Server busy": "it is tried again",
    "Server unavailable": "it is tried again",
    "Banned": "the broker has shut this client out",
    "Bad authentication method": "the broker wants another way to log in than a password",
}


def cause(error: BaseException, settings: BrokerSettings) -> str:
    """What an attempt to connect raised, with what to do about it where that is known."""
    text = " ".join((str(error) or type(error).__name__).split())
    if (code := getattr(error, "verify_code", None)) is not None:
        return _unverified(code, str(getattr(error, "verify_message", "")) or text, settings)
    if (known := alert(text, settings)) is not None:
        return known
    if settings.ca is not None and isinstance(error, ConnectionResetError | BrokenPipeError | EOFError):
        return f"{_plain(settings)} ({text})"
    if settings.ca is not None and "handshake operation timed out" in text:
        return f"it answers, but no TLS handshake; {_plain(settings)}"
    return text


def alert(text: str, settings: BrokerSettings) -> str | None:
    """What OpenSSL's words say of the other side; None where they are none of OpenSSL's."""
    if (found := _NAMED.search(text)) is None:
        return None
    name = found[1] or ""
    if name in _NO_TLS:
        return f"{_plain(settings)} ({name})"
    if "PROTOCOL_VERSION" in name or name in ("UNSUPPORTED_PROTOCOL", "NO_PROTOCOLS_AVAILABLE"):
        return f"no TLS version that both sides take; the broker has to offer 1.2 or 1.3 ({name})"
    if "ALERT" not in name:
        return text
    mine = f"the client certificate {settings.cert}"
    if "CERTIFICATE_REQUIRED" in name or ("HANDSHAKE_FAILURE" in name and settings.cert is None):
        return f"the broker wants a certificate of this client; set cert and key ({name})"
    if "CERTIFICATE_EXPIRED" in name:
        return f"the broker refuses {mine}: it has ended; renew it ({name})"
    if "UNKNOWN_CA" in name:
        return f"the broker refuses {mine}: it does not know the authority that signed it ({name})"
    if "CERTIFICATE" in name:
        return f"the broker refuses {mine} ({name})"
    return f"the broker ended the TLS handshake ({name})"


def no_greeting(words: str | None, alerted: str, closed: bool, settings: BrokerSettings) -> str:
    """Why a connection that TCP made came to nothing: MQTT's reason `words`, what TLS said, or neither."""
    if words is not None:
        return _refused(words, settings)
    return alerted or (_hung_up(settings) if closed else "it accepts connections, but no greeting came in time")


def _hung_up(settings: BrokerSettings) -> str:
    """The broker closed the connection instead of greeting."""
    if settings.ca is None:
        return "the broker hung up without a greeting; where this port wants TLS, name its authority: ca = FILE"
    if settings.cert is None:
        return "the broker hung up without a greeting; where it wants a certificate of this client, set cert and key"
    ended = _ended(settings.cert)
    why = "it has ended; renew it" if ended else "is it of an authority that the broker knows?"
    return f"the broker hung up without a greeting, perhaps for the client certificate {settings.cert}: {why}"


def _refused(words: str, settings: BrokerSettings) -> str:
    """MQTT's reason for a refused connection, with what to do about it."""
    remedy = _REMEDIES.get(words)
    user = f" of user {settings.username}" if settings.username and "user" in words else ""
    return f"{words}{user}; {remedy}" if remedy else words


def _unverified(code: int, message: str, settings: BrokerSettings) -> str:
    if code == _ENDED:
        return f"the broker's certificate has ended; renew it there, or set this machine's clock ({message})"
    if code == _NOT_YET:
        now = time.strftime("%Y-%m-%d", time.gmtime())
        return f"the broker's certificate is not yet valid; does this machine's clock, {now}, go right?"
    if code in _OTHER_NAME:
        return f"the broker's certificate is not made out to host = {settings.host} ({message.rstrip('.')})"
    if code in _UNKNOWN_AUTHORITY:
        return f"the broker's certificate was not signed by ca = {settings.ca} ({message})"
    return f"the broker's certificate is refused: {message}"


def _plain(settings: BrokerSettings) -> str:
    return f"port {settings.port} does not speak TLS; take the broker's TLS port, usually 8883, or leave out ca"


def _ended(certificate: Path) -> bool:
    try:
        return days_left(certificate, time.time()) < 0
    except (CertificateError, OSError):
        return False
