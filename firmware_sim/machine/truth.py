"""The truth file: what was wrong, when, and in which channels."""

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from firmware_sim.machine.channels import CHANNELS, Channel
from firmware_sim.machine.faults import Fault

FORMAT = 1


def truth(
    faults: Iterable[Fault],
    boards: Sequence[str],
    start: float,
    end: float | None,
    period_s: float,
    seed: int,
    channels: Sequence[Channel] = CHANNELS,
) -> dict[str, Any]:
    """The truth of a run from `start` to `end` (None: it goes on), as plain JSON.

    Faults come in order of their start; one that began after `end` is left out, one that was cut short ends there.
    """
    limit = float("inf") if end is None else end
    happened = sorted((fault for fault in faults if fault.start < limit), key=lambda fault: (fault.start, fault.board))
    return {
        "format": FORMAT,
        "start": start,
        "end": end,
        "period_s": period_s,
        "seed": seed,
        "boards": list(boards),
        "channels": [{"name": channel.name, "unit": channel.unit} for channel in channels],
        "faults": [_entry(fault, limit) for fault in happened],
    }


def write_truth(path: Path, content: dict[str, Any]) -> None:
    """Write `content` to `path`, whole or not at all; whoever reads meanwhile sees the old file or the new one."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")
    os.replace(partial, path)


def _entry(fault: Fault, limit: float) -> dict[str, Any]:
    return {
        "board": fault.board,
        "kind": fault.kind,
        "start": fault.start,
        "end": min(fault.end, limit),
        "severity": fault.severity,
        "channels": list(fault.channels),
    }
