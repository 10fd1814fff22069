"""Label windows in NAB's layout: a JSON object from folder/file to a list of [from, to]."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from train.console.errors import DatasetError
from train.console.times import parse_instant
from train.evaluation.found import Anomaly


def read_windows(path: str | Path, timezone: str) -> dict[str, tuple[Anomaly, ...]]:
    """The windows of every file that the JSON names; times without a zone are local.

    Raises:
        DatasetError: the file cannot be read or has another layout.
    """
    try:
        body = json.loads(Path(path).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path}: cannot read label windows ({error})") from error
    try:
        return {key: tuple(as_anomaly(pair, timezone) for pair in pairs) for key, pairs in body.items()}
    except (AttributeError, TypeError, ValueError) as error:
        raise DatasetError(f'{path}: wanted {{"folder/file.csv": [["from", "to"], ...]}} ({error})') from error


def windows_of(windows: Mapping[str, Sequence[Anomaly]], file: str | Path) -> tuple[Anomaly, ...]:
    """The windows of one file: those under the key that shares the longest end with its path, its name at least.

    Raises:
        DatasetError: no key ends like the path, or several do equally well.
    """
    shared = {key: _shared_parts(key, Path(file)) for key in windows}
    longest = max(shared.values(), default=0)
    best = [key for key, count in shared.items() if count == longest]
    if longest == 0:
        raise DatasetError(
            f"{file}: no label windows for a file of that name; there are {', '.join(list(windows)[:8])}"
        )
    if len(best) > 1:
        raise DatasetError(
            f"{file}: label windows of {' and '.join(best)} fit equally well; give the path with folders"
        )
    return tuple(windows[best[0]])


def _shared_parts(key: str, file: Path) -> int:
    """How many parts of the two paths are the same, counted from the end."""
    count = 0
    for mine, theirs in zip(reversed(PurePosixPath(key).parts), reversed(file.resolve().parts), strict=False):
        if mine != theirs:
            break
        count += 1
    return count


def as_anomaly(pair: Sequence[str | float], timezone: str) -> Anomaly:
    """The stretch that ["from", "to"] names: text, or Unix seconds as numbers.

    Raises:
        ValueError: not two of them.
        DatasetError: one is no time.
    """
    start, end = pair
    return Anomaly(parse_instant(str(start), timezone), parse_instant(str(end), timezone))
