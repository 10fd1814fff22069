"""What the user said about columns, against those that the files have."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from train.console.errors import DatasetError


@dataclass(frozen=True)
class Choice:
    """Columns that the user named, and how they are read."""

    named: frozenset[str] = frozenset()
    """Channels whatever they look like: by --channels, --keep or --rate."""
    rates: tuple[str, ...] = ()
    """Counters to be read as rates."""
    codes: tuple[tuple[str | None, float], ...] = ()
    """Readings that are missing ones, of a column or, with None, of all."""

    def codes_of(self, name: str) -> tuple[float, ...]:
        """The readings of a column that are missing ones."""
        return tuple(dict.fromkeys(value for column, value in self.codes if column in (None, name)))

    def missing_of(self, channels: Sequence[str]) -> dict[str, tuple[float, ...]]:
        """The same of all channels that have some, as an aligner takes it."""
        return {name: codes for name in channels if (codes := self.codes_of(name))}

    def check(self, channels: Sequence[str]) -> None:
        """Check that options name columns that can be channels.

        Raises:
            DatasetError: one does not.
        """
        wanted = [("--rate", name) for name in self.rates] + [("--missing", name) for name, _ in self.codes if name]
        for option, name in wanted:
            if name not in channels:
                near = difflib.get_close_matches(name, channels, n=3, cutoff=0.5)
                hint = f"nearest: {', '.join(near)}" if near else f"channels are {', '.join(channels)}"
                raise DatasetError(f"{option} {name}: no such channel; {hint}")
