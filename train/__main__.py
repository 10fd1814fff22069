"""The command offbeat-train."""

import sys
from collections.abc import Sequence

from edge.wire.output import output_taken, print_or_drop

BAD_INPUT = 2
"""Exit status for files or options that cannot be used."""
_EXTRA = ("tensorflow", "keras", "pandas", "scipy", "sklearn", "matplotlib", "rich", "optuna")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; its exit status. What is wrong with the input is said in one line, without a traceback."""
    try:
        with output_taken("offbeat-train", otherwise=BAD_INPUT):
            return _run(arguments)
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in _EXTRA:
            raise
        print(f"offbeat-train: {error.name} is not installed; pip install 'offbeat[train]'", file=sys.stderr)
        return BAD_INPUT


def _run(arguments: Sequence[str] | None) -> int:
    from edge.detector.bundle.files import BundleError
    from train.cli import build_parser
    from train.console.errors import DatasetError, FitError

    args = build_parser().parse_args(arguments)
    try:
        return args.run(args)
    except (DatasetError, FitError, BundleError) as error:
        print(f"offbeat-train: {error}", file=sys.stderr)
    except OSError as error:  # a full disk, a folder that may not be written
        print(f"offbeat-train: {error.filename or 'output'}: {error.strerror or error}", file=sys.stderr)
        print_or_drop()
    except KeyboardInterrupt:
        return 130
    return BAD_INPUT


if __name__ == "__main__":
    sys.exit(main())
