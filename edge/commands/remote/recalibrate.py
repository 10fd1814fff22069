"""`offbeat-edge recalibrate`: after maintenance a stream forgets what it has learnt, and commissions itself anew."""

import argparse
import getpass
from typing import Any

from edge.commands.ending import ended
from edge.config.settings import Config, ConfigError, load_config
from edge.config.structure import nearest
from edge.state.lock import InUseError, no_agent_on
from edge.state.recalibration import RecalibrationError, Recalibrations
from edge.wire.local_link import NobodyThereError, ask_local


def recalibrate(options: argparse.Namespace) -> int:
    """Ask the agent that runs, or leave a note for the next start; 1 where nothing changed, 2 where the config is no
    good."""
    return ended(lambda: [_asked(options)], "nothing has changed: ", RecalibrationError, InUseError, OSError)


def _asked(options: argparse.Namespace) -> str:
    """What was done, in words."""
    config, stream, undo = load_config(options.config), options.stream, options.undo
    ids = [one.id for one in config.stream]
    if stream not in ids:
        raise ConfigError(f"there is no stream {stream!r}{nearest(stream, ids)}")
    folder, by = config.device.state_dir, options.by or getpass.getuser()
    try:
        answer = ask_local(folder, "recalibrate", {"stream": stream, "undo": undo, "by": by})
    except NobodyThereError:
        return _left_a_note(config, stream, undo)
    if answer["status"] != "ok":
        raise RecalibrationError(str(answer.get("message")))
    return _words(answer["data"])


def _left_a_note(config: Config, stream: str, undo: bool) -> str:
    """With no agent on the state folder.

    Raises:
        InUseError: an agent has the folder and does not answer.
    """
    folder = config.device.state_dir
    if not folder.is_dir():
        raise RecalibrationError(f"there is no state folder {folder}: nothing was learnt yet")
    with no_agent_on(folder):
        asked = Recalibrations(folder / "streams")
        (asked.ask_back if undo else asked.ask)(stream)
    what = "goes on with what it knew before" if undo else "forgets what it has learnt"
    return f"{stream}: {what} when the agent starts"


def _words(data: dict[str, Any]) -> str:
    if data["undone"]:
        return f"{data['stream']}: goes on with what it knew before"
    rows = data["collects_rows"]
    then = f"commissions itself anew on {rows} rows" if rows else "is judged by its bundle's calibration from now on"
    return f"{data['stream']}: has forgotten what it learnt, and {then}; --undo takes that back"
