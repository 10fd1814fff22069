"""`offbeat-edge recalibrate`: after maintenance a stream forgets what it has learnt, and commissions itself anew."""

import argparse
import getpass
import sys
from typing import Any

from edge.config.settings import Config, ConfigError, load_config
from edge.config.structure import nearest
from edge.state.lock import InUseError, StateLock
from edge.state.recalibration import RecalibrationError, Recalibrations
from edge.wire.local_link import NobodyThereError, ask_local
from edge.wire.payload import printable

_REFUSED, _BAD_SETUP = 1, 2


def recalibrate(options: argparse.Namespace) -> int:
    """Ask the agent that runs, or leave a note for the next start; 1 where nothing changed, 2 where the config is no
    good."""
    try:
        config = load_config(options.config)
        ids = [stream.id for stream in config.stream]
        if options.stream not in ids:
            raise ConfigError(f"there is no stream {options.stream!r}{nearest(options.stream, ids)}")
        said = _asked(config, options.stream, options.undo, options.by or getpass.getuser())
    except ConfigError as error:
        print(f"offbeat-edge: {error}", file=sys.stderr)
        return _BAD_SETUP
    except (RecalibrationError, InUseError, OSError) as error:
        print(f"offbeat-edge: nothing has changed: {printable(str(error))}", file=sys.stderr)
        return _REFUSED
    print(printable(said))
    return 0


def _asked(config: Config, stream: str, undo: bool, by: str) -> str:
    """What was done, in words."""
    folder = config.device.state_dir
    try:
        answer = ask_local(folder, "recalibrate", {"stream": stream, "undo": undo, "by": by})
    except NobodyThereError:
        return _left_a_note(config, stream, undo)
    if answer["status"] != "ok":
        raise RecalibrationError(str(answer.get("message")))
    return _words(answer["data"])


def _left_a_note(config: Config, stream: str, undo: bool) -> str:
    """With the state folder locked, so that no agent starts meanwhile.

    Raises:
        InUseError: an agent has the folder and does not answer.
    """
    folder = config.device.state_dir
    if not folder.is_dir():
        raise RecalibrationError(f"there is no state folder {folder}: nothing was learnt yet")
    lock = StateLock(folder)
    lock.take()
    if not lock.held:
        raise RecalibrationError(f"state_dir {folder} cannot be written to by this user")
    try:
        asked = Recalibrations(folder / "streams")
        (asked.ask_back if undo else asked.ask)(stream)
    finally:
        lock.release()
    what = "goes on with what it knew before" if undo else "forgets what it has learnt"
    return f"{stream}: {what} when the agent starts"


def _words(data: dict[str, Any]) -> str:
    if data["undone"]:
        return f"{data['stream']}: goes on with what it knew before"
    rows = data["collects_rows"]
    then = f"commissions itself anew on {rows} rows" if rows else "is judged by its bundle's calibration from now on"
    return f"{data['stream']}: has forgotten what it learnt, and {then}; --undo takes that back"
