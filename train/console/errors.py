"""The errors that end a command with one line instead of a traceback."""


class DatasetError(Exception):
    """A file that cannot be used; the message names the file, what was found and the remedy."""


class FitError(Exception):
    """A model that cannot be fitted, exported or checked as asked; the message says why and what to change."""


class TooFewRowsError(FitError):
    """Fewer rows than fitting needs: what was found, and what would do of a single recording without a gap."""

    def __init__(self, found: str, remedy: str) -> None:
        super().__init__(f"{found}; {remedy}")
        self.found = found
