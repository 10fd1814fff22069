"""What a user may say of a file, and the error of one that cannot be read."""

from dataclasses import dataclass


class FileError(ValueError):
    """A file, or a stream of lines, that cannot be read: the thing, what was found, and what settles it."""


@dataclass(frozen=True)
class FileOptions:
    """What cannot be known from a file; None and empty are found out, or refused."""

    time_column: str | None = None
    """Column of the time; several, joined by a comma, make it together."""
    time_format: str | None = None
    """A strptime pattern, the unit of numbers that count from a start of their own or from 1970 (s, ms, us, ns, min,
    h, d), or excel, matlab, labview, julian, filetime, ticks."""
    day_first: bool | None = None
    """Whether 03/04/2024 is the third of April."""
    decimal: str | None = None
    """The decimal mark, `.` or `,`."""
    missing: tuple[str, ...] = ()
    """Cells that mean no value, beside the usual ones."""
    label_column: str | None = None
    id_column: str | None = None
    """Of a long file: the column that says which sensor a row is about."""
    value_column: str | None = None
    """Of a long file: the column with that sensor's value."""
    rename: tuple[tuple[str, str], ...] = ()
    """Pairs of a channel's name in the file and its name in the bundle."""
    header_row: int | None = None
    """Line with the names, from 1; 0 says that there is none."""
    skip_lines: int = 0
    """Lines before the header that are passed over."""
    timezone: str | None = None
    """Zone of times that name none; UTC where left out."""
    period_s: float | None = None
    """Seconds between two rows of a file that has no time."""

    @property
    def zone(self) -> str:
        """The zone of times that name none."""
        return self.timezone or "UTC"
