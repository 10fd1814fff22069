"""The part of a report that shows episodes over the readings: for every file a figure, and its episodes as a table."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from edge.detector.bundle.files import Bundle
from edge.detector.rows.aligner import AlignerSettings
from train.console.words import duration, number, plural, when
from train.evaluation.evaluation import filled_times
from train.evaluation.found import Anomaly
from train.evaluation.playback import Played
from train.evaluation.scores import EpisodeSummary, episodes_of
from train.plots.signals import MOST_CHANNELS, Recorded, timeline
from train.plots.tracks import runs_of
from train.report.page import heading, keys, paragraph, picture, table
from train.report.spans import Span, part_of, whole_around

MOST_FILES = 8
"""Files that are drawn; a page with more of them takes seconds to open."""
MOST_CLOSE_UPS = 12
_MOST_LINES = 40
_CLOSE_UP_CHANNELS = 3


def file_parts(bundle: Bundle, played: Played, truth: Sequence[Anomaly] = (), most_channels: int = 8) -> list[str]:
    """Figure and table of one file."""
    episodes = episodes_of(played)
    parts = [heading(played.table.name), episode_figure(bundle, played, truth, most_channels)]
    if episodes:
        parts.append(episode_table(episodes, bundle.timezone))
    else:
        parts.append(paragraph("No episode: the score never stayed above the alarm level."))
    return parts


def close_ups(
    bundle: Bundle, played: Played, truth: Sequence[Anomaly] = (), most: int = MOST_CLOSE_UPS, name: str = ""
) -> list[str]:
    """The loudest episodes, each whole, with what went before and after, on the channels that they blame.

    Those that lie close together share a figure.
    """
    every = episodes_of(played)
    loudest = sorted(every, key=lambda one: -one.top_score)[:most]
    parts: list[str] = []
    shown_to = -np.inf
    for one in sorted(loudest, key=lambda one: one.start):
        title = f"{name}{when(one.start, bundle.timezone)}, {one.top_channel}: {duration(one.end - one.start)}"
        core = (min(one.onset, one.start), one.end)
        if one.end <= shown_to:
            parts.insert(-1, heading(title))  # above the figure that shows it as well
            continue
        shown_to = _span(bundle, played, truth, core)[1]
        parts += [heading(title), close_up(bundle, played, truth, core, one.top_channel)]
    if left := len(every) - len(loudest):
        where = f"of {played.table.name} in the figure of all time only."
        parts.append(paragraph(f"{plural(left, 'quieter episode')} {where}"))
    return parts


def close_up(bundle: Bundle, played: Played, truth: Sequence[Anomaly], core: Span, led_by: str = "") -> str:
    """A stretch of a file and as much before and after it; no episode is cut off."""
    between = _span(bundle, played, truth, core)
    return episode_figure(bundle, played, truth, _CLOSE_UP_CHANNELS, between, led_by)


def _span(bundle: Bundle, played: Played, truth: Sequence[Anomaly], core: Span) -> Span:
    others = [(one.onset, one.end) for one in episodes_of(played)] + [(one.start, one.end) for one in truth]
    return whole_around(core, others, 3 * bundle.window * bundle.period_s)


def episode_figure(
    bundle: Bundle,
    played: Played,
    truth: Sequence[Anomaly],
    most_channels: int,
    between: Span | None = None,
    led_by: str = "",
) -> str:
    """Readings over what was expected, score and flagged stretches of a file, or of its part `between` two times; of
    the channel `led_by` also the difference."""
    record = recorded(played, truth)
    if between is not None:
        record = part_of(record, *between)
    shown = channels_shown(bundle, played, min(most_channels, MOST_CHANNELS), between)
    if led_by in bundle.channel_names:
        led = bundle.channel_names.index(led_by)
        shown = sorted({led, *[at for at in shown if at != led][: most_channels - 1]})
        record = replace(record, difference_of=led)
    names = [(bundle.channels[at].name, bundle.channels[at].unit) for at in shown]
    record = record.of_channels(shown)
    meanings = [("observed", "reading")]
    meanings += [("expected", "expected, and its tolerance")] if record.expected is not None else []
    meanings += [("second", "reading − expected")] if record.difference_of is not None else []
    meanings += [("alarm", "episode: the detector was in alarm")] if record.flagged else []
    meanings += [("truth", "known anomaly")] if record.truth else []
    meanings += [("muted", "rows that commissioned the device")] if record.unscored else []
    left_out = len(bundle.channels) - len(shown)
    rest = f" <span>{plural(left_out, 'channel')} with less part in it left out</span>" if left_out else ""
    gap_s = AlignerSettings(bundle.period_s).gap_s
    label = _label(bundle, played, record, [name for name, _ in names])
    return picture(lambda size: timeline(record, names, gap_s, bundle.timezone, size), label, keys(meanings) + rest)


def _label(bundle: Bundle, played: Played, record: Recorded, channels: Sequence[str]) -> str:
    """What the figure shows, for who cannot see it."""
    text = f"Readings of {', '.join(channels)} and score of {played.table.name}"
    if len(record.times):
        text += f", {when(record.times[0], bundle.timezone)} to {when(record.times[-1], bundle.timezone)}"
    spans = [f"{when(start, bundle.timezone)} to {when(end, bundle.timezone)}" for start, end in record.flagged[:5]]
    return f"{text}; in alarm {', '.join(spans)}" if spans else f"{text}; no alarm"


def recorded(played: Played, truth: Sequence[Anomaly] = ()) -> Recorded:
    """A played file as a figure takes it: by time, its alarms and known anomalies as stretches."""
    times = filled_times(played.table.times)
    order = np.argsort(times, kind="stable")
    times = times[order]
    commissioned = [(float(times[0]), float(times[played.first - 1]))] if played.first else []
    replay = played.replay
    return Recorded(
        times=times,
        values=played.table.values[order],
        score=replay.score[order],
        flagged=runs_of(times, replay.alarm[order]),
        truth=[(one.start, one.end) for one in truth],
        unscored=commissioned,
        expected=None if replay.expected is None else replay.expected[order],
        tolerance=None if replay.tolerance is None else replay.tolerance[order],
    )


def channels_shown(bundle: Bundle, played: Played, most: int, between: Span | None = None) -> list[int]:
    """Channels to draw where there are too many for all: those that lead the highest scores."""
    times, (low, high) = played.table.times, between or (-np.inf, np.inf)
    weight = np.where((times >= low) & (times <= high), np.nan_to_num(played.replay.score) ** 2, 0.0)
    blame: dict[str, float] = defaultdict(float)
    for name, part in zip(played.replay.top_channel, weight.tolist(), strict=True):
        if name is not None:
            blame[name] += part
    by_blame = sorted(range(len(bundle.channels)), key=lambda at: -blame[bundle.channels[at].name])
    return sorted(by_blame[:most])


def episode_table(episodes: Sequence[EpisodeSummary], timezone: str) -> str:
    """A line for each episode."""
    header = ("alarm from", "to", "began about", "lasted", "highest score", "channel blamed")
    lines = [
        (
            when(one.start, timezone),
            when(one.end, timezone),
            when(one.onset, timezone),
            duration(one.end - one.start),
            number(one.top_score),
            one.top_channel,
        )
        for one in episodes[:_MOST_LINES]
    ]
    more = len(episodes) - len(lines)
    return table(header, lines) + (paragraph(f"and {more} more episodes") if more else "")
