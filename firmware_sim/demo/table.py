"""The demo's closing table."""

from collections.abc import Sequence

from firmware_sim.demo.baseline import Baseline
from firmware_sim.demo.screen import clock
from firmware_sim.demo.verdict import Episode, FaultVerdict, Verdict

_HEAD = ("fault", "severity", "from", "to", "found", "delay", "score", "blames", "right", "mean±3sd")


def table(verdict: Verdict, baseline: Baseline, start: float) -> str:
    """The faults line by line, then false episodes and sums; times count from `start`, Unix seconds."""
    rows = [
        (*_row(finding, start), _word(other)) for finding, other in zip(verdict.findings, baseline.found, strict=True)
    ]
    lines = [*_columns([_HEAD, *rows]), ""]
    lines += [f"False episode: {_false(episode, start)}" for episode in verdict.false]
    faults = len(verdict.findings)
    lines += [_missed(finding, start) for finding in verdict.findings if finding.episode is None]
    lines.append(_sum("Offbeat", verdict.found, faults, len(verdict.false)))
    lines.append(_sum("Fixed limits, mean ± 3 sd per channel, same run", sum(baseline.found), faults, baseline.false))
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


def _missed(finding: FaultVerdict, start: float) -> str:
    fault = finding.fault
    span = f"{clock(fault.start - start)} to {clock(fault.end - start)}"
    return f"Missed: {fault.kind} ({fault.channels[0]}), {span}, severity {fault.severity:.2f}"


def _sum(name: str, found: int, faults: int, false: int) -> str:
    episodes = "episode" if false == 1 else "episodes"
    return f"{name}: {found} of {faults} faults found, {false} false {episodes}"


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return [lines[0], "-" * max(map(len, lines)), *lines[1:]]
