"""The part of a report that shows episodes over the readings: for every file a figure, and its episodes as a table."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from edge.detector.bundle.files import Bundle
from edge.detector.rows.aligner import AlignerSettings
from train.console.words import duration, number, when
from train.evaluation.evaluation import filled_times
from train.evaluation.found import Anomaly
from train.evaluation.playback import Played
from train.evaluation.scores import EpisodeSummary, episodes_of
from train.plots.signals import MOST_CHANNELS, Recorded, timeline
from train.plots.tracks import runs_of
from train.report.page import heading, keys, paragraph, picture, table

MOST_FILES = 8
"""Files that are drawn; a page with more of them takes seconds to open."""
_MOST_CLOSE_UPS = 3
_MOST_LINES = 40


def file_parts(bundle: Bundle, played: Played, truth: Sequence[Anomaly] = (), most_channels: int = 8) -> list[str]:
    """Figure and table of one file."""
    episodes = episodes_of(played)
    parts = [heading(played.table.name), episode_figure(bundle, played, truth, most_channels)]
    if episodes:
        parts.append(episode_table(episodes, bundle.timezone))
    else:
        parts.append(paragraph("No episode: the score never stayed above the alarm level."))
    return parts


def close_ups(bundle: Bundle, played: Played, truth: Sequence[Anomaly] = ()) -> list[str]:
    """The loudest episodes with what went before and after, on the channels that they blame."""
    loudest = sorted(episodes_of(played), key=lambda one: -one.top_score)[:_MOST_CLOSE_UPS]
    parts = []
    for one in sorted(loudest, key=lambda one: one.start):
        margin = max(one.end - one.start, 3 * bundle.window * bundle.period_s)
        parts.append(heading(f"{when(one.start, bundle.timezone)}, {one.top_channel}"))
        parts.append(episode_figure(bundle, played, truth, 3, (one.start - margin, one.end + margin)))
    return parts


def episode_figure(
    bundle: Bundle,
    played: Played,
    truth: Sequence[Anomaly],
    most_channels: int,
    between: tuple[float, float] | None = None,
) -> str:
    """Readings, score and flagged stretches of a file, or of its part `between` two Unix times."""
    record = recorded(played, truth)
    if between is not None:
        record = _part(record, *between)
    shown = channels_shown(bundle, played, min(most_channels, MOST_CHANNELS), between)
    names = [(bundle.channels[number].name, bundle.channels[number].unit) for number in shown]
    record = Recorded(
        record.times, record.values[:, shown], record.score, record.flagged, record.truth, record.unscored
    )
    figure = timeline(record, names, AlignerSettings(bundle.period_s).gap_s, bundle.timezone)
    meanings = [("alarm", "episode: the detector was in alarm")]
    meanings += [("truth", "known anomaly")] if record.truth else []
    meanings += [("muted", "rows that commissioned the device")] if record.unscored else []
    left_out = len(bundle.channels) - len(shown)
    rest = f" &nbsp; {left_out} channels with less part in it are left out" if left_out else ""
    return picture(figure, f"Readings and score of {played.table.name} over time", keys(meanings) + rest)


def recorded(played: Played, truth: Sequence[Anomaly] = ()) -> Recorded:
    """A played file as a figure takes it: by time, its alarms and known anomalies as stretches."""
    times = filled_times(played.table.times)
    order = np.argsort(times, kind="stable")
    times = times[order]
    commissioned = [(float(times[0]), float(times[played.first - 1]))] if played.first else []
    return Recorded(
        times=times,
        values=played.table.values[order],
        score=played.replay.score[order],
        flagged=runs_of(times, played.replay.alarm[order]),
        truth=[(one.start, one.end) for one in truth],
        unscored=commissioned,
    )


def channels_shown(bundle: Bundle, played: Played, most: int, between: tuple[float, float] | None = None) -> list[int]:
    """Channels to draw where there are too many for all: those that lead the highest scores."""
    times, (low, high) = played.table.times, between or (-np.inf, np.inf)
    weight = np.where((times >= low) & (times <= high), np.nan_to_num(played.replay.score) ** 2, 0.0)
    blame: dict[str, float] = defaultdict(float)
    for name, part in zip(played.replay.top_channel, weight.tolist(), strict=True):
        if name is not None:
            blame[name] += part
    by_blame = sorted(range(len(bundle.channels)), key=lambda number: -blame[bundle.channels[number].name])
    return sorted(by_blame[:most])


def episode_table(episodes: Sequence[EpisodeSummary], timezone: str) -> str:
    """A line for each episode."""
    header = ("alarm from", "began about", "lasted", "highest score", "channel blamed")
    lines = [
        (
            when(one.start, timezone),
            when(one.onset, timezone),
            duration(one.end - one.start),
            number(one.top_score),
            one.top_channel,
        )
        for one in episodes[:_MOST_LINES]
    ]
    more = len(episodes) - len(lines)
    return table(header, lines) + (paragraph(f"and {more} more episodes") if more else "")


def _part(record: Recorded, start: float, end: float) -> Recorded:
    inside = (record.times >= start) & (record.times <= end)
    return Recorded(
        times=record.times[inside],
        values=record.values[inside],
        score=record.score[inside],
        flagged=_clipped(record.flagged, start, end),
        truth=_clipped(record.truth, start, end),
        unscored=_clipped(record.unscored, start, end),
    )


def _clipped(spans: Sequence[tuple[float, float]], start: float, end: float) -> list[tuple[float, float]]:
    return [(max(a, start), min(b, end)) for a, b in spans if a <= end and b >= start]
