"""What the next start of an agent would not go on with, said before: `check` and `doctor` print it."""

import json
from collections.abc import Iterator
from pathlib import Path

from edge.detector.bundle.calibration import calibration_from_dict
from edge.detector.bundle.files import Bundle, read_file
from edge.state.files import StateFiles, left_to_older, older_file
from edge.wire.checksum import unmarked


def not_gone_on_with(folder: Path, stream: str, bundle: Bundle, calibrate_rows: int) -> Iterator[str]:
    """Of one stream: what it has learnt and will not use, with the file and the remedy. `folder` is that of the
    state files, which is only looked at."""
    if StateFiles(folder).holds(stream, bundle.sha256):
        return
    older = older_file(folder, stream, bundle.sha256)
    if older.exists():
        if (reason := _refusal(older, len(bundle.channels))) is not None:
            yield left_to_older(older, reason)
    elif calibrate_rows and (others := _of_other_bundles(folder, stream)):
        yield (
            f"{others[-1]} was learnt with another bundle and stays for it; with this one the stream commissions "
            f"itself anew on {calibrate_rows} rows. To go on with what it knows, put that bundle back: rollback"
        )


def _refusal(path: Path, channels: int) -> str | None:
    """Why a state's calibration cannot be used; None where it can, or where there is none."""
    try:
        body = json.loads(unmarked(read_file(path), path.name))
        own = body["state"]["calibration"]
        if own is not None:
            calibration_from_dict(own, channels)
    except (OSError, ValueError, RecursionError) as error:
        return str(error)
    except (KeyError, TypeError, AttributeError, OverflowError) as error:
        return f"it is malformed ({type(error).__name__} {error})"
    return None


def _of_other_bundles(folder: Path, stream: str) -> list[Path]:
    """State files of a stream with bundles that it had before, the newest last."""
    found = [path for path in folder.glob(f"{stream}-*.json") if path.name.rpartition("-")[0] == stream]
    return sorted(found, key=lambda path: path.stat().st_mtime)
