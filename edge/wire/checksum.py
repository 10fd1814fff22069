"""A checksum inside a JSON object on disk: a bit that flips there must not be taken for what was written."""

import binascii

_HEAD = b'{"crc":"%08x"'
_LENGTH = len(_HEAD % 0)


class ChecksumError(ValueError):
    """What is on disk is not what was written."""


def marked(body: bytes, place: str) -> bytes:
    r"""A JSON object with a CRC-32 as its first field, of the rest and of the place where it is kept.

    Versions that know no checksum pass over the field. What is no object is left as it is.

    >>> marked(b'{"id":"e1"}', "1")
    b'{"crc":"200690cd","id":"e1"}'
    """
    if not body.startswith(b"{"):
        return body
    return _HEAD % _crc(body, place) + (b"}" if body == b"{}" else b"," + body[1:])


def unmarked(body: bytes, place: str) -> bytes:
    """The object as it was given to `marked`; one without a checksum, of an older version, as it is.

    Raises:
        ChecksumError: something changed since, or it was kept in another place.

    >>> unmarked(marked(b'{"id":"e1"}', "1"), "1"), unmarked(b'{"id":"e1"}', "1")
    (b'{"id":"e1"}', b'{"id":"e1"}')
    """
    if not body.startswith(_HEAD[:8]):
        return body
    rest = b"{" + body[_LENGTH + 1 :] if body[_LENGTH : _LENGTH + 1] == b"," else b"{}"
    if marked(rest, place) != body:
        raise ChecksumError("its checksum does not fit: a bit has changed on disk")
    return rest


def line_checksum(line: bytes) -> int:
    """Of a line of a file that only grows."""
    return binascii.crc32(line)


def _crc(body: bytes, place: str) -> int:
    return binascii.crc32(body, binascii.crc32(place.encode()))
