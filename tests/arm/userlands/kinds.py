"""The userlands, and how the how-to has Offbeat installed on each."""

from dataclasses import dataclass

HOME = "/home/pi"
"""Where the owner of a gateway types commands, with the files of the release."""


@dataclass(frozen=True)
class Way:
    """A way to install, by its heading in docs/how-to/install-on-a-gateway.md, and where it puts things."""

    heading: str
    python: str
    config: str
    bundle: str
    installed: str
    """All of what is installed for Offbeat alone lies here."""


PACKAGE = Way(
    "The package", "/usr/lib/offbeat/bin/python3", "/etc/offbeat/agent.toml", "/usr/share/offbeat/models/pump",
    "/usr/lib/offbeat",
)  # fmt: skip
ENVIRONMENT = Way(
    "A virtual environment", f"{HOME}/offbeat/bin/python3", f"{HOME}/agent.toml", f"{HOME}/models/pump",
    f"{HOME}/offbeat",
)  # fmt: skip
SMALL = Way("A virtual environment on 32-bit", *[getattr(ENVIRONMENT, part) for part in
            ("python", "config", "bundle", "installed")])  # fmt: skip


@dataclass(frozen=True)
class Userland:
    """A system that an owner of a gateway may have."""

    name: str
    architecture: str
    suite: str
    python: str
    way: Way
    most_mb: float = 150.0
    """That the edge set may take here."""
    runtime: str = "ai-edge-litert"
    refused: bool = False
    """Nothing runs here, and what is said of it must name the remedy."""


USERLANDS = (
    Userland("bookworm arm64", "arm64", "bookworm", "3.11", PACKAGE),
    Userland("bookworm armhf", "armhf", "bookworm", "3.11", PACKAGE, 80.0, "tflite-runtime"),
    Userland("trixie arm64", "arm64", "trixie", "3.13", ENVIRONMENT),
    Userland("trixie armhf", "armhf", "trixie", "3.13", SMALL, refused=True),
    Userland("bookworm armhf, environment", "armhf", "bookworm", "3.11", SMALL, 80.0, "tflite-runtime"),
)


def chosen(names: str) -> list[Userland]:
    """Those of a comma-separated list; empty: all.

    Raises:
        ValueError: there is none of that name; with the names there are.
    """
    by_name = {one.name.replace(", ", "-").replace(" ", "-"): one for one in USERLANDS}
    wanted = [name for name in names.split(",") if name]
    for name in wanted:
        if name not in by_name:
            raise ValueError(f"no userland {name!r}; there are {', '.join(by_name)}")
    return [by_name[name] for name in wanted] or list(USERLANDS)
