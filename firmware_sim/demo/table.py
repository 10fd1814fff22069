"""The demo's closing table."""

from collections.abc import Sequence

from firmware_sim.demo.screen import clock
from firmware_sim.demo.verdict import Episode, FaultVerdict, Verdict

_HEAD = ("fault", "severity", "from", "to", "found", "delay", "score", "blames", "right", "mean±3sd")


def table(verdict: Verdict, baseline: Verdict, start: float) -> str:
    """The faults line by line, then false episodes and sums; times count from `start`, Unix seconds."""
    rows = [
        (*_row(finding, start), _word(other.episode is not None))
        for finding, other in zip(verdict.findings, baseline.findings, strict=True)
    ]
    lines = [*_columns([_HEAD, *rows]), ""]
    lines += [f"False episode: {_false(episode, start)}" for episode in verdict.false]
    lines += [_sum("Offbeat", verdict), _sum("Fixed limits, mean ± 3 sd per channel, same run", baseline)]
    return "\n".join(lines)


def _row(finding: FaultVerdict, start: float) -> tuple[str, ...]:
    fault, episode = finding.fault, finding.episode
    what = f"{fault.kind} ({fault.channels[0]})"
    when = (f"{fault.severity:.2f}", clock(fault.start - start), clock(fault.end - start))
    if episode is None:
        return (what, *when, "NO", "", "", "", "")
    score = episode.kind if episode.score is None else f"{episode.score:.2f}"
    right = "" if finding.blamed_right is None else _word(finding.blamed_right)
    return (what, *when, "yes", f"{finding.delay_s:.0f} s", score, episode.channel or "", right)


def _word(fact: bool) -> str:
    return "yes" if fact else "NO"


def _false(episode: Episode, start: float) -> str:
    score = "" if episode.score is None else f", score {episode.score:.2f}"
    return f"{clock(episode.start - start)}, {episode.kind}, blames {episode.channel or 'no channel'}{score}"


def _sum(name: str, verdict: Verdict) -> str:
    episodes = "episode" if len(verdict.false) == 1 else "episodes"
    return f"{name}: {verdict.found} of {len(verdict.findings)} faults found, {len(verdict.false)} false {episodes}"


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return [lines[0], "-" * max(map(len, lines)), *lines[1:]]
