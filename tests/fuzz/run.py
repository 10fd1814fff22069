"""Giving a target its examples: in batches, each with a time limit, watching the process."""

import gc
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from edge.delivery.figures import process_figures
from tests.fuzz.target import Target

BATCH = 4000
"""Examples between two looks at the process; hypothesis forgets what it has tried after each."""
_TOGETHER = 10
"""Examples that hypothesis draws at once; each time takes it a millisecond, more than most parsers."""
LONGEST_S = 10.0
"""For one example; most take well under a millisecond."""


class HangError(AssertionError):
    """An example that did not come to an end."""


@dataclass(frozen=True)
class Result:
    """What fuzzing one target came to."""

    name: str
    examples: int
    seconds: float
    slowest_s: float
    grown_bytes: int
    """Resident memory at the end less that after half of the examples: what hypothesis learns of the inputs
    levels off (7.1 MB after 50,000 readings, 7.5 after 600,000), a leak does not."""


def fuzz(target: Target, examples: int, first_seed: int, longest_s: float = LONGEST_S) -> Result:
    """Try so many examples.

    Raises:
        Exception: the promise was broken; hypothesis has shrunk the example and prints it.
    """
    began, done, slowest, halfway = time.monotonic(), 0, 0.0, 0
    while done < examples:
        tried, longest = _batch(target, min(BATCH, examples - done), first_seed + done, longest_s)
        done, slowest = done + max(1, tried), max(slowest, longest)
        if not halfway and 2 * done >= examples:
            halfway = resident_bytes()
    return Result(target.name, done, time.monotonic() - began, slowest, resident_bytes() - halfway)


def resident_bytes() -> int:
    """Of this process, after a collection."""
    gc.collect()
    return process_figures()["rss_bytes"] or 0


def _batch(target: Target, examples: int, number: int, longest_s: float) -> tuple[int, float]:
    tried, longest = 0, 0.0
    together = min(examples, _TOGETHER)

    @seed(number)
    @settings(
        max_examples=examples // together, deadline=None, database=None, phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck), print_blob=False,
    )  # fmt: skip
    @given(st.lists(target.inputs, min_size=together, max_size=together))
    def promise(values: list[Any]) -> None:
        nonlocal tried, longest
        for value in values:
            tried += 1
            start = time.perf_counter()
            with _time_limit(longest_s):
                target.promise(value)
            longest = max(longest, time.perf_counter() - start)

    promise()
    return tried, longest


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Interrupt what takes longer; works in the main thread only."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise HangError(f"an example took longer than {seconds:g} s")

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
