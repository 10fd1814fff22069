"""The signature of a bundle: a DSSE envelope, Ed25519, over the manifest's hash and a counter.

The manifest names the hash of every model file, so its hash stands for the whole bundle. Needs the extra `sign`.
Source: Dead Simple Signing Envelope 1.0.2, secure-systems-lab/dsse.
"""

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.detector.bundle.files import BundleError, UnfitError

SIGNATURE = "signature.json"
"""File name, beside the manifest."""
PAYLOAD_TYPE = "application/vnd.offbeat.bundle+json"
MOST_BYTES = 16_384
"""Of the whole file: a hash, a counter and a few signatures."""
_MOST_SIGNATURES = 8


class SignatureError(BundleError):
    """A bundle that is not signed as it must be; one line with the reason."""


@dataclass(frozen=True)
class Signed:
    """What a signature vouches for."""

    manifest_sha256: str
    """Of the manifest's bytes, hexadecimal."""
    counter: int
    """Higher for each bundle that is to replace another."""


def to_be_signed(payload: bytes, payload_type: str = PAYLOAD_TYPE) -> bytes:
    """The bytes that are signed: type and payload with their lengths, so that neither passes for the other.

    >>> to_be_signed(b"hello world", "http://example.com/HelloWorld")
    b'DSSEv1 29 http://example.com/HelloWorld 11 hello world'
    """
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def sign(manifest: bytes, counter: int, key_file: Path) -> bytes:
    """The envelope over a manifest's bytes, by the Ed25519 private key in a PEM file without a password.

    Raises:
        SignatureError: the file holds no such key, or cannot be read.
        UnfitError: the extra `sign` is not installed.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = _key(key_file, private=True)
    if not isinstance(key, Ed25519PrivateKey):
        raise SignatureError(f"{key_file}: no Ed25519 private key; openssl genpkey -algorithm ed25519 makes one")
    body = {"manifest_sha256": hashlib.sha256(manifest).hexdigest(), "counter": counter}
    payload = json.dumps(body, separators=(",", ":")).encode()
    signature = {"sig": base64.b64encode(key.sign(to_be_signed(payload))).decode()}
    envelope = {"payloadType": PAYLOAD_TYPE, "payload": base64.b64encode(payload).decode(), "signatures": [signature]}
    return json.dumps(envelope, indent=1).encode()


def verify(envelope: bytes, key_file: Path) -> Signed:
    """What an envelope vouches for, where the public key in a PEM file has signed it.

    Raises:
        SignatureError: it is none, or of another key; nothing of the payload is read then.
        UnfitError: the extra `sign` is not installed.
    """
    key = _key(key_file, private=False)
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    if not isinstance(key, Ed25519PublicKey):
        raise SignatureError(f"{key_file}: no Ed25519 public key; openssl pkey -pubout writes that of a private one")
    payload, signatures = _parts(envelope)
    for signature in signatures:
        try:
            key.verify(signature, to_be_signed(payload))
        except InvalidSignature:
            continue
        return _signed(payload)
    raise SignatureError(f"{SIGNATURE} is not of the key {key_file}")


def _key(file: Path, private: bool) -> Any:
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
    except ImportError as error:
        raise UnfitError("signatures of bundles need pip install 'offbeat[sign]'") from error
    try:
        content = file.read_bytes()
        return load_pem_private_key(content, None) if private else load_pem_public_key(content)
    except OSError as error:
        raise SignatureError(f"{file}: no key in PEM form: it cannot be read ({error.strerror or error})") from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SignatureError(f"{file}: no key in PEM form {_instead(content, private)}") from error


def _instead(content: bytes, private: bool) -> str:
    """What a file holds in place of the key that is wanted, and the remedy."""
    if not private and b" PRIVATE KEY-----" in content:
        return "that others may have: it is a private one; openssl pkey -in IT -pubout writes the public key"
    if private and b"-----BEGIN PUBLIC KEY-----" in content:
        return "that can sign: it is the public one; sign with the private key that it was made of"
    if private and b"-----BEGIN ENCRYPTED PRIVATE KEY-----" in content:
        return "without a password: openssl pkey -in IT -out NEW takes that off, and chmod 600 NEW"
    return "and Ed25519; openssl genpkey -algorithm ed25519 makes one, openssl pkey -pubout writes its public key"


def _parts(envelope: bytes) -> tuple[bytes, list[bytes]]:
    if len(envelope) > MOST_BYTES:
        raise SignatureError(f"{SIGNATURE} has {len(envelope)} bytes, at most {MOST_BYTES} are read")
    try:
        body = json.loads(envelope)
        if body["payloadType"] != PAYLOAD_TYPE:
            raise ValueError("it is over something else than a bundle")
        payload = base64.b64decode(body["payload"], validate=True)
        signatures = [base64.b64decode(one["sig"], validate=True) for one in body["signatures"][:_MOST_SIGNATURES]]
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise SignatureError(
            f"{SIGNATURE} is no envelope of a bundle ({error!r}); sign it with offbeat-train"
        ) from error
    return payload, signatures


def _signed(payload: bytes) -> Signed:
    try:
        body = json.loads(payload)
        sha256, counter = body["manifest_sha256"], body["counter"]
    except (ValueError, RecursionError, KeyError, TypeError) as error:
        raise SignatureError(f"{SIGNATURE}: its payload is not what offbeat-train signs ({error!r})") from error
    if not isinstance(sha256, str) or type(counter) is not int or not 0 < counter < 2**63:
        raise SignatureError(f"{SIGNATURE}: its payload is not what offbeat-train signs")
    return Signed(sha256, counter)
