"""How much is kept; the defaults take some 0.1 MB of memory a stream and 4 MB of disk."""

from attrs import field, frozen, validators


@frozen(kw_only=True)
class HistorySettings:
    """[history]: rows that are kept to look back at, for the request `rows` and for pages."""

    recent_rows: int = field(default=600, validator=[validators.ge(0), validators.le(1_000_000)])
    """Latest rows of each stream, in memory."""
    before_rows: int = field(default=120, validator=[validators.ge(0), validators.le(100_000)])
    """Rows before the start of an episode that are kept with it, of those in memory."""
    episode_rows: int = field(default=600, validator=[validators.ge(100), validators.le(100_000)])
    """Rows from the start to the end of an episode that are kept at most: of longer ones all around start, peak and
    end, and the loudest of each stretch between."""
    episodes: int = field(default=100, validator=[validators.ge(0), validators.le(100_000)])
    """Episodes whose rows are kept; the oldest go first. 0 keeps none."""
    max_bytes: int = field(default=4_000_000, validator=validators.ge(0))
    """Of their files in the state folder, all together."""
    archive_bytes: int = field(default=0, validator=validators.ge(0))
    """Above 0 all rows are written to packed CSV files in the state folder, archive/STREAM/, for the next training; the
    oldest go first once all together hold more than this."""
