"""1,000 alerts to a reader whose callback fails at random with any exception; the broker is killed 20 times."""

from collections import Counter
from pathlib import Path

from tests.helpers.failing_reader import read_through_failures

ALERTS, KILLS, LONGEST_S = 1000, 20, 300.0


def run(folder: Path, rounds: float) -> tuple[bool, str]:
    """Whether none is lost and each exception comes out of `run` once, as it is."""
    folder.mkdir(parents=True)
    alerts, kills = max(50, round(ALERTS * rounds)), max(2, round(KILLS * rounds))
    outcome = read_through_failures(folder, alerts, kills, LONGEST_S)
    kinds = Counter(type(error).__name__ for error in outcome.raised)
    told = f"{alerts} alerts, {kills} kills, {sum(kinds.values())} exceptions of {len(kinds)} kinds"
    told += f", {len(outcome.lost)} lost"
    blamed = [text for text in outcome.blamed if "on purpose" in text]
    return not outcome.lost and not blamed and outcome.surfaced == outcome.raised, told
