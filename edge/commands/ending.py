"""How a command that changes something ends: what was done in words, or one line with the reason."""

import sys
from collections.abc import Callable, Iterable

from edge.config.settings import ConfigError
from edge.wire.payload import printable

REFUSED, BAD_SETUP = 1, 2
"""Exit statuses."""


def ended(act: Callable[[], Iterable[str]], unless: str, *errors: type[Exception]) -> int:
    """Print what `act` says was done; 1 where it raises one of `errors`, told after the words `unless`, 2 where
    the config is no good."""
    try:
        said = list(act())
    except ConfigError as error:
        print(f"offbeat-edge: {error}", file=sys.stderr)
        return BAD_SETUP
    except errors as error:
        print(f"offbeat-edge: {unless}{printable(str(error))}", file=sys.stderr)
        return REFUSED
    print("\n".join(map(printable, said)))
    return 0
