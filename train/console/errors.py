"""The errors that end a command with one line instead of a traceback."""


class DatasetError(Exception):
    """A file that cannot be used; the message names the file, what was found and the remedy."""


class FitError(Exception):
    """A model that cannot be fitted, exported or checked as asked; the message says why and what to change."""
