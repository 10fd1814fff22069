"""What a command prints: all of it is out before the command ends, or one line says why not."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def output_taken(command: str, otherwise: int) -> Iterator[None]:
    """At its end all is out that was printed, `--help` too, which argparse ends by itself. Where that cannot be, as on
    a full disk, one line says so and `otherwise` is the exit status; a reader that has left is not told."""
    try:
        yield
    finally:
        if (error := print_or_drop()) is not None and not isinstance(error, BrokenPipeError):
            print(f"{command}: output: {error.strerror or error}", file=sys.stderr)
            raise SystemExit(otherwise)


def print_or_drop() -> OSError | None:
    """Have out what was printed; what cannot be is dropped, or the interpreter fails with it once more at its end. The
    reason, where it was dropped."""
    try:
        if sys.stdout is not None:  # None where it was closed
            sys.stdout.flush()
    except OSError as error:
        with suppress(OSError), open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
        return error
    return None
