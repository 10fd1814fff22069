"""Whether there is memory for the agent of this config: what it takes is measured, as `offbeat-edge size` does."""

from collections.abc import Callable
from pathlib import Path

from edge.commands.sizing import measure as sizing
from edge.commands.upkeep.finding import Finding
from edge.config.settings import Config
from edge.state.lock import holder


def memory(
    path: Path, config: Config, root: Path = Path("/"), measure: Callable[[Path, Config], int] | None = None
) -> Finding:
    """What is available against what the agent takes; one that runs has taken its part already."""
    try:
        lines = (root / "proc/meminfo").read_text("ascii").splitlines()
        table = {name: int(rest.split()[0]) * 1024 for name, _, rest in (line.partition(":") for line in lines)}
        room, whole = table["MemAvailable"], table["MemTotal"]
    except (OSError, ValueError, KeyError, IndexError):
        return Finding("?", "memory", f"{root / 'proc/meminfo'} does not say what is free")
    told = f"{room / 1e6:.0f} of {whole / 1e6:.0f} MB available"
    try:
        needed = (measure or sizing.memory_of)(path, config)
    except sizing.RehearsalError as error:
        return Finding("?", "memory", f"{told}; what the agent takes could not be measured: {error}")
    pid = holder(config.device.state_dir)
    taken = _resident(root / "proc" / str(pid) / "status") if pid else 0
    told += f", the agent of this config takes {needed / 1e6:.0f} MB"
    if taken:
        told += f" and has {taken / 1e6:.0f} MB"
    if room < needed - taken:
        return Finding(
            "do", "memory", f"{told}: end something else, or have fewer streams; offbeat-edge size shows more"
        )
    return Finding("ok", "memory", told)


def _resident(status: Path) -> int:
    try:
        lines = status.read_text("ascii", "replace").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))
    except (OSError, StopIteration):
        return 0
