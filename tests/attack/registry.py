"""Attacks and faults by name. A module of a kind registers its own; `python -m tests.attack` runs them."""

import contextlib
import importlib
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.attack.stand import SERVED, Stand

KINDS = ("blind", "values", "down", "starting", "copies", "models", "payloads", "requests", "twins", "certificates",
         "refusals", "state", "reader", "numbers", "bugs", "chores.limits", "chores.clocks", "chores.disks",
         "chores.edits", "chores.brokers", "chores.changes", "chores.taken")  # fmt: skip
"""Modules beside and below this one, in the order of the table; the last part is the kind's name."""


@dataclass(frozen=True)
class Attack:
    """Something that is tried."""

    name: str
    kind: str
    act: Callable[[Stand], None]
    """Does it on a stand of its own, or on one that serves already; AssertionError where the agent does not hold."""
    quick: bool
    """Whether it is part of `make test`."""
    shared: bool
    """Whether it takes the stand that others of its kind have used: nothing may be left of it."""


@dataclass(frozen=True)
class Outcome:
    """What came of one."""

    attack: Attack
    failure: str
    """Empty where it held."""
    seconds: float
    served_s: float | None
    """From when it had passed to the next alert; None where nothing was to be served."""


ALL: list[Attack] = []


def attack(name: str, *, quick: bool = False, shared: bool = False) -> Callable[[Callable[[Stand], None]], object]:
    """Register a function as the attack of this name."""

    def registered(act: Callable[[Stand], None]) -> Callable[[Stand], None]:
        kind = getattr(act, "func", act).__module__.rpartition(".")[2]  # a partial's function
        # A module that is imported once more brings its attacks once more.
        ALL[:] = [one for one in ALL if (one.kind, one.name) != (kind, name)]
        ALL.append(Attack(name, kind, act, quick, shared))
        return act

    return registered


def attacks() -> Sequence[Attack]:
    """All of them, kind by kind."""
    for kind in KINDS:
        importlib.import_module(f"tests.attack.{kind}")
    return ALL


class Runner:
    """Runs attacks one after another; those that share a stand get one for each kind."""

    def __init__(self) -> None:
        self._shared: dict[str, Stand] = {}
        self._stack = contextlib.ExitStack()

    def close(self) -> None:
        """End the stands."""
        self._stack.close()

    def run(self, attack: Attack) -> Outcome:
        """Try one, and whether the agent serves afterwards."""
        began, served_s, failure = time.monotonic(), None, ""
        try:
            with self._stand(attack) as stand:
                stand.passed_at, stand.served_s = None, None
                attack.act(stand)
                served_s = stand.served_s
                if served_s is None and stand.agent is not None and stand.to_serve:
                    served_s = stand.serves()
                assert served_s is None or served_s < SERVED, f"served again after {served_s:.0f} s"
                if not attack.shared:
                    stand.end()
        except Exception as error:
            failure = f"{type(error).__name__}: {error}".replace("\n", " ")[:2000]
            if attack.shared and attack.kind in self._shared:
                self._shared.pop(attack.kind).close()
        return Outcome(attack, failure, time.monotonic() - began, served_s)

    @contextlib.contextmanager
    def _stand(self, attack: Attack) -> Iterator[Stand]:
        if not attack.shared:
            with _made() as stand:
                yield stand
            return
        if attack.kind not in self._shared:
            stand = self._stack.enter_context(_made())
            stand.start()
            stand.serves()
            self._shared[attack.kind] = stand
        yield self._shared[attack.kind]


@contextlib.contextmanager
def _made() -> Iterator[Stand]:
    folder = Path(tempfile.mkdtemp(prefix="offbeat-attack-"))
    stand = Stand(folder)
    try:
        yield stand
    finally:
        stand.close()
        shutil.rmtree(folder, ignore_errors=True)
