"""Where the commands start: makes sure that the modules are Offbeat's own, and names who is in the way if not.

`edge`, `train` and `firmware_sim` are plain words. Another distribution in the same site-packages may have a module of
that name; this module's name is ours alone (docs/decisions/020-installing.md).
"""

import importlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
_BAD_SETUP = 2


def main_edge() -> int:
    """The command `offbeat-edge`."""
    return _own("edge")()


def main_train() -> int:
    """The command `offbeat-train`."""
    return _own("train")()


def main_sim() -> int:
    """The command `offbeat-sim`."""
    return _own("firmware_sim")()


def stranger(package: str, here: Path = HERE) -> str | None:
    """What is in the way of our package of that name; None where nothing is.

    Where one lies before ours on the path, its file is another. Where one was installed over ours, `RECORD` of two
    distributions lists the same file, and ours is no longer whole: `edge` then has no `__main__` of ours.
    """
    for name in {"edge", package}:
        found = importlib.util.find_spec(name)
        origin = Path(found.origin).resolve() if found and found.origin else None
        if origin != here / name / "__init__.py":
            return f"{name} is not Offbeat's but {origin or 'missing'}"
    return f"{package} was overwritten by {_others(package)}" if _changed(package, here) else None


def _changed(package: str, here: Path) -> bool:
    """Whether a first file of the package is no longer the one that was installed; one look, cheap at each start."""
    lists = list(here.glob("offbeat-*.dist-info/RECORD"))  # none in a source tree
    lines = [line.split(",") for file in lists for line in file.read_text("utf-8").splitlines()]
    sizes = {fields[0]: fields[-1] for fields in lines}
    firsts = (f"{package}/__init__.py", f"{package}/__main__.py")
    return any(int(sizes[name]) != (here / name).stat().st_size for name in firsts if sizes.get(name))


def _others(package: str) -> str:
    import importlib.metadata  # some megabytes, wanted for the message alone

    names = set(importlib.metadata.packages_distributions().get(package, ())) - {"offbeat"}
    return f"the distribution {' and '.join(sorted(names))}" if names else "something"


def _own(package: str) -> Callable[[], int]:
    """The main function of a package that is surely ours."""
    problem = stranger(package)
    if problem is None:
        return importlib.import_module(f"{package}.__main__").main  # type: ignore[no-any-return]
    print(
        f"offbeat: {problem}; install Offbeat into an environment of its own: python3 -m venv offbeat, "
        "then offbeat/bin/pip install the wheel",
        file=sys.stderr,
    )
    raise SystemExit(_BAD_SETUP)
