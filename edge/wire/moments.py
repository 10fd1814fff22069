"""Moments as the calendar has them."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def utc(seconds: float) -> datetime:
    """The moment of Unix seconds, to the microsecond.

    `datetime.fromtimestamp` asks the C library, and that of a 32-bit Debian 12 ends in 2038: a certificate that begins
    later, or a board whose clock is ahead, would end what reads it.

    Raises:
        OverflowError, ValueError: no calendar reaches there.

    >>> utc(2**31).isoformat()
    '2038-01-19T03:14:08+00:00'
    """
    return _EPOCH + timedelta(seconds=seconds)


def utc_text(seconds: float) -> str:
    """The same as RFC 3339 writes it, to the millisecond.

    Raises:
        OverflowError, ValueError: no calendar reaches there.

    >>> utc_text(0.5)
    '1970-01-01T00:00:00.500Z'
    """
    return utc(seconds).isoformat(timespec="milliseconds").replace("+00:00", "Z")
