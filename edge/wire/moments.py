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
