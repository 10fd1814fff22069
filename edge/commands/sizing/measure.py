"""Rehearsals put together: what the agent of a config takes on this machine."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.agent.loading import grouped
from edge.commands.sizing.rehearsal import Rehearsal, to_json
from edge.config.settings import Config, ConfigError, StreamConfig

_COPIES = 32
"""Further streams that a bundle is rehearsed with: what one takes drowns in what a process happens to take."""
_LONGEST_S = 600.0
_ROWS = 6000
"""Rows that a rehearsal scores in all, about."""
_COMMISSIONED = 3000
"""Rows that a rehearsal of a commissioning takes at most; it grows with them."""
_ROW_BYTES = 8
"""Of one value of a row that is kept."""


class RehearsalError(Exception):
    """What the agent of this config would not do either, in a line."""


@dataclass(frozen=True)
class BundleCost:
    """One bundle and its streams."""

    name: str
    variant: str
    runtime: str
    streams: tuple[str, ...]
    period_s: float
    window_s: float
    """One inference of a window, seconds."""
    row_s: float
    """Processor time of a row from its bytes to its outcome, with the inference, seconds."""
    each_bytes: int
    """Memory of one more stream."""
    commissioning_bytes: int
    """Memory that a stream takes at most while it commissions itself, beyond that; 0 where none does."""
    state_bytes: int
    """Of a stream's state file."""
    archived_row_bytes: float
    """Of a row in the archive; 0 where none is kept."""

    @property
    def share(self) -> float:
        """Of one processor, for each stream."""
        return self.row_s / self.period_s


@dataclass(frozen=True)
class Costs:
    """What was measured."""

    bare_bytes: int
    """A Python process that has done nothing yet."""
    libraries_bytes: int
    """With numpy, the runtime, MQTT and what the config's extras want."""
    total_bytes: int
    """Resident, with all streams."""
    peak_bytes: int
    idle_share: float
    """Of one processor, with nothing to score."""
    bundles: tuple[BundleCost, ...]
    event_bytes: dict[str, float]
    """In the outbox, by type of event."""
    event_written_bytes: float
    """What an event sends to the disk: its commit and its being written off."""
    episode_bytes: float
    """Rows around an episode, as they are kept."""

    @property
    def share(self) -> float:
        """Of one processor, all streams."""
        return self.idle_share + sum(one.share * len(one.streams) for one in self.bundles)

    @property
    def commissioning_bytes(self) -> int:
        """What all streams that commission themselves take beyond the total, at most."""
        return sum(one.commissioning_bytes for one in self.bundles)


def memory_of(path: Path, config: Config) -> int:
    """Bytes that the agent of this config takes at most: one rehearsal, some seconds.

    Raises:
        RehearsalError: it would not run.
    """
    run = rehearsed(Rehearsal(config=str(path), folder="", rows=_rows(config.stream)))
    return run["peak_bytes"]


def measured(path: Path, config: Config) -> Costs:
    """Rehearse each bundle, then all together; some ten seconds for one bundle.

    Raises:
        ConfigError: the config cannot be used.
        RehearsalError: its agent would not run.
    """
    groups = list(grouped(config.stream).values())
    firsts = [_alone(path, number, group) for number, group in enumerate(groups)]
    bundles = [_bundle(path, config, number, group, firsts[number]) for number, group in enumerate(groups)]
    whole = firsts[0]
    if len(groups) > 1:
        whole = rehearsed(Rehearsal(config=str(path), folder="", rows=_rows(config.stream)))
    shaken = rehearsed(Rehearsal(config=str(path), folder="", kind="shaken"))
    idle = rehearsed(Rehearsal(config=str(path), folder="", kind="idle"))
    if not shaken["events"]:
        raise RehearsalError("no event came of readings far from all that is normal; see offbeat-edge check")
    sizes = {kind: sum(each) / len(each) for kind, each in shaken["event_bytes"].items()}
    episodes = shaken["episode_bytes"]
    return Costs(
        bare_bytes=whole["bare_bytes"],
        libraries_bytes=whole["libraries_bytes"],
        total_bytes=whole["resident_bytes"],
        peak_bytes=max(whole["peak_bytes"], shaken["peak_bytes"]),
        idle_share=idle["idle_share"],
        bundles=tuple(bundles),
        event_bytes=sizes,
        event_written_bytes=shaken["event_written_bytes"] / shaken["events"],
        episode_bytes=sum(episodes) / len(episodes) if episodes else 0.0,
    )


def _alone(path: Path, number: int, group: Sequence[StreamConfig]) -> dict[str, Any]:
    return rehearsed(Rehearsal(config=str(path), folder="", bundle=number, rows=_rows(group)))


def _bundle(
    path: Path, config: Config, number: int, group: Sequence[StreamConfig], first: dict[str, Any]
) -> BundleCost:
    made = first["inferences"][0]
    more = rehearsed(
        Rehearsal(config=str(path), folder="", bundle=number, copies=_COPIES, rows=_ROWS // (_COPIES + len(group)))
    )
    kept = config.history.recent_rows * (2 * made["channels"] + 2) * _ROW_BYTES
    each = max(kept, (more["resident_bytes"] - first["resident_bytes"]) // _COPIES)
    states = first["state_bytes"]
    return BundleCost(
        name=made["bundle"],
        variant=made["variant"],
        runtime=made["runtime"],
        streams=tuple(stream.id for stream in group),
        period_s=made["period_s"],
        window_s=made["window_s"],
        row_s=first["row_s"],
        each_bytes=each,
        commissioning_bytes=sum(_commissioning(path, number, group, first, made["channels"])),
        state_bytes=max(states, default=0),
        archived_row_bytes=first["archived_bytes"] / first["rows"],
    )


def _commissioning(
    path: Path, number: int, group: Sequence[StreamConfig], first: dict[str, Any], channels: int
) -> Iterator[int]:
    """By stream that commissions itself: what its rows and the computation take at the most."""
    own = [stream for stream in group if stream.calibrate_rows]
    if not own:
        return
    rows = min(max(stream.calibrate_rows for stream in own), _COMMISSIONED)
    run = rehearsed(Rehearsal(config=str(path), folder="", kind="commissioning", bundle=number, rows=rows))
    a_row = max(_ROW_BYTES * channels, (run["peak_bytes"] - first["peak_bytes"]) / (rows * len(own)))
    yield from (int(a_row * stream.calibrate_rows) for stream in own)


def _rows(streams: Sequence[StreamConfig]) -> int:
    return max(60, min(600, _ROWS // len(streams)))


def rehearsed(what: Rehearsal) -> dict[str, Any]:
    """Run one, in a folder of its own.

    Raises:
        RehearsalError: it fails; with its reason.
    """
    root = str(Path(__file__).resolve().parents[3])
    environment = {name: value for name, value in os.environ.items() if name not in ("NOTIFY_SOCKET", "WATCHDOG_USEC")}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [root, environment.get("PYTHONPATH", "")]))
    with tempfile.TemporaryDirectory(prefix="offbeat-size-") as folder:
        argument = to_json(Rehearsal(**{**vars(what), "folder": folder}))
        line = [sys.executable, "-m", "edge.commands.sizing.rehearsal", argument]
        try:
            done = subprocess.run(
                line, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=_LONGEST_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise RehearsalError(f"an agent cannot be rehearsed here: {error}") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines() or [f"exit status {done.returncode}"]
        if done.returncode < 0:
            raise RehearsalError(f"the agent was ended by signal {-done.returncode} (9: no memory left?)")
        raise RehearsalError(said[-1])
    return json.loads(done.stdout)


__all__ = ["BundleCost", "ConfigError", "Costs", "RehearsalError", "measured", "memory_of", "rehearsed"]
