"""Side by side with what a user would take instead: `make bench`, or `python -m tests.bench --only windows,arm`.

Prints tables and writes bench.json. A part whose packages or tools are missing says so, and the others run.
"""

import argparse
import json
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench import parts
from tests.bench.tables import machine

_PARTS: dict[str, Callable[[Path], dict[str, Any] | None]] = {
    "windows": parts.windows,
    "memory": parts.memory,
    "arm": parts.arm,
    "agent": parts.agent,
    "instead": parts.instead,
    "training": parts.training,
}


def main() -> None:
    """Run the parts asked for, one after the other."""
    parser = argparse.ArgumentParser("python -m tests.bench", description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help=f"some of {','.join(_PARTS)} (all)")
    parser.add_argument("--json", type=Path, default=Path("bench.json"))
    args = parser.parse_args()
    chosen = args.only.split(",") if args.only else list(_PARTS)
    if unknown := set(chosen) - set(_PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(_PARTS)}")
    folder = parts.prepared(Path("build/bench"))
    print(f"{machine()}, Python {platform.python_version()}\n")
    found: dict[str, Any] = {"machine": machine(), "python": platform.python_version()}
    for name in chosen:
        found[name] = _PARTS[name](folder)
        args.json.write_text(json.dumps(found, indent=1))
    print(f"written to {args.json}")


if __name__ == "__main__":
    main()
