"""One rehearsal: in a process of its own, the agent of a config is run on made-up readings and measured.

`python -m edge.commands.sizing.rehearsal '{"config": …, "folder": …}'` prints the figures as JSON. Sources, broker and
state folder are others than the config's: an agent that runs meanwhile is not disturbed, and nothing is sent.
"""

import json
import os
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edge.agent.loop import Agent

_WARM_ROWS = 20
"""Rows of each stream before processor time counts: the window is full, all code has run once."""
_IDLE_FROM_S, _IDLE_S = 0.5, 2.0
BAD_SETUP = 2
"""Exit status where the config or what it names cannot be used; the reason is on stderr."""


@dataclass(frozen=True, kw_only=True)
class Rehearsal:
    """What is rehearsed."""

    config: str
    """agent.toml."""
    folder: str
    """An empty one, for the agent's state."""
    kind: str = "calm"
    """"calm": rows that open no episode; "shaken": each stream has one; "commissioning": streams that commission
    themselves do; "idle": an agent that gets next to nothing."""
    bundle: int | None = None
    """Only the streams of this bundle, numbered in the config's order; None for all."""
    copies: int = 0
    """So many more of the first of them."""
    rows: int = 200
    """Of each stream, beyond its window."""


def rehearse(what: Rehearsal, bare: int) -> dict[str, Any]:
    """Run it, in a process that took `bare` bytes at first; the figures, as `edge.commands.sizing.measure` takes them.

    Raises:
        ConfigError, BundleError, SourceError: what the config names cannot be used.
    """
    from edge.agent.footprint import give_back_memory, leave_out_accelerators, leave_out_openssl
    from edge.config.settings import load_config

    config = load_config(what.config)
    leave_out_openssl(config.brokers)
    leave_out_accelerators()
    from edge.agent.assembly import assemble
    from edge.commands.sizing import stage
    from edge.detector.score.runtime import available_runtimes

    os.umask(0o077)
    readers = stage.as_configured(config)  # with what their modules take
    set_up = stage.prepared(config, what)
    libraries = _resident()
    agent = assemble(set_up.config, Path(what.config))
    give_back_memory()
    clock = _Clock(agent, _WARM_ROWS + set_up.window)
    if what.kind == "idle":
        threading.Thread(target=clock.time_idle, daemon=True).start()
    agent.run()
    agent.ledger.close()
    figures: dict[str, Any] = {
        "bare_bytes": bare,
        "libraries_bytes": libraries,
        "resident_bytes": _resident(),
        "peak_bytes": _peak(),
    }
    figures |= {"runtimes": list(available_runtimes()), "readers": len(readers), **clock.figures()}
    return figures | stage.inferences(agent) | stage.written(set_up, Path(what.folder))


class _Clock:
    """Counts the processor time of rows, all threads, from the warm-up on."""

    def __init__(self, agent: "Agent", warm_rows: int) -> None:
        self._agent, self._inner = agent, agent.on_row
        self._skip = warm_rows * len(agent.streams)
        self._rows, self._from, self._to, self._idle = 0, 0.0, 0.0, 0.0
        agent.on_row = self._row

    def _row(self, stream: str, outcome: Any, channels: Any) -> None:
        self._inner(stream, outcome, channels)
        self._rows += 1
        self._to = time.process_time()
        if self._rows == self._skip:
            self._from = self._to

    def time_idle(self) -> None:
        """What the agent takes while there is next to nothing to do; ends it."""
        time.sleep(_IDLE_FROM_S)
        start = time.process_time()
        time.sleep(_IDLE_S)
        self._idle = (time.process_time() - start) / _IDLE_S
        self._agent.stop()

    def figures(self) -> dict[str, float]:
        """Of what was counted; 0 where nothing was."""
        counted = self._rows - self._skip
        row_s = (self._to - self._from) / counted if self._from and counted > 0 else 0.0
        return {"row_s": row_s, "rows": self._rows, "idle_share": self._idle}


def _resident() -> int:
    return _status("VmRSS:")


def _peak() -> int:
    return _status("VmHWM:")


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text("ascii", "replace").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


def to_json(what: Rehearsal) -> str:
    """The argument of the process."""
    return json.dumps(asdict(what))


def main(argument: str) -> int:
    """Rehearse and print."""
    bare = _resident()
    from edge.config.errors import ConfigError
    from edge.detector.bundle.manifest import BundleError
    from edge.sources.settings import SourceError

    try:
        print(json.dumps(rehearse(Rehearsal(**json.loads(argument)), bare)))
    except (ConfigError, BundleError, SourceError) as error:
        print(error, file=sys.stderr)
        return BAD_SETUP
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
