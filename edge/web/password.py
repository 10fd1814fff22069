"""Passwords as hashes: argon2 where its module is installed, else scrypt of the standard library.

Sources: RFC 9106 (Argon2), RFC 7914 (scrypt); parameters as OWASP's Password Storage Cheat Sheet has them.
"""

import base64
import hashlib
import hmac
import os

_N, _R, _P, _BYTES = 2**15, 8, 3, 32


class PasswordError(ValueError):
    """What is no hash of a password, or one that cannot be checked here."""


def hashed(password: str) -> str:
    """One line to keep.

    >>> matches("secret", hashed("secret")), matches("other", hashed("secret"))
    (True, False)
    """
    try:
        from argon2 import PasswordHasher
    except ModuleNotFoundError:
        salt = os.urandom(16)
        return f"scrypt${_N}${_R}${_P}${_text(salt)}${_text(_scrypt(password, salt, _N, _R, _P))}"
    return PasswordHasher().hash(password)


def matches(password: str, line: str) -> bool:
    """Whether this is the password; takes as long for a wrong one.

    Raises:
        PasswordError: `line` is none of these hashes.
    """
    if line.startswith("$argon2"):
        return _argon2_matches(password, line)
    try:
        name, n, r, p, salt, digest = line.split("$")
        wanted, numbers = base64.b64decode(digest, validate=True), (int(n), int(r), int(p))
        if name != "scrypt" or not 2**10 <= numbers[0] <= 2**20 or not wanted:
            raise ValueError(name)
        found = _scrypt(password, base64.b64decode(salt, validate=True), *numbers)
    except ValueError as error:
        raise PasswordError("the password's file holds no hash; make one with: offbeat-edge password") from error
    return hmac.compare_digest(found, wanted)


def _argon2_matches(password: str, line: str) -> bool:
    try:
        from argon2 import PasswordHasher
        from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError
    except ModuleNotFoundError as error:
        raise PasswordError(
            "the password's hash is of argon2, which is not installed here: pip install argon2-cffi, or make it anew "
            "with: offbeat-edge password"
        ) from error
    try:
        return PasswordHasher().verify(line, password)
    except VerifyMismatchError:
        return False
    except (InvalidHashError, VerificationError) as error:
        raise PasswordError("the password's file holds no hash; make one with: offbeat-edge password") from error


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p, maxmem=256 * n * r, dklen=_BYTES)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
