"""One line of `offbeat-edge doctor`."""

from typing import Literal, NamedTuple

Level = Literal["ok", "do", "FAIL", "?"]
"""Good; the agent runs, but do this; it cannot do its work; it cannot be found out here, which is no calm."""


class Finding(NamedTuple):
    """What was looked at, how it is and what was found: where it is not good, with the remedy."""

    level: Level
    what: str
    found: str

    def __str__(self) -> str:
        return f"{self.level:<5} {self.what}: {self.found}"
