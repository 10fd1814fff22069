"""Grades of columns: from the rows of the files which are no channels at all, from those on the grid all others."""

from collections.abc import Sequence

from train.console.errors import DatasetError
from train.console.times import format_time
from train.console.words import duration, number, percent, plural
from train.read.columns import LeftOut
from train.read.dataset import Run, Selection, used_rows
from train.read.tables import RawTable
from train.report_card.card import Card, ColumnFinding, Line, option
from train.report_card.choice import Choice
from train.report_card.codes import Code, codes
from train.report_card.counters import counter, row_number
from train.report_card.course import holes, trend
from train.report_card.series import Series
from train.report_card.standstill import standstills
from train.report_card.values import coarse, constant, modes

_MOST_STRETCHES = 3
_LOST = "later rows lie beyond all that was seen, and score as anomalies"


def without_counters(
    tables: Sequence[RawTable], selection: Selection, choice: Choice
) -> tuple[list[RawTable], dict[str, ColumnFinding], list[Line]]:
    """Tables without the columns that count rows, hours or energy; what was found in those that were kept although
    they do; and a line for each column that is no channel.

    Raises:
        DatasetError: an option names no column, or no column is left.
    """
    names = tables[0].channels
    choice.check(names)
    left_out = [_line(one) for one in dict.fromkeys(one for table in tables for one in table.left_out)]
    kept, remarks = [], {}
    for name, series in zip(names, _columns(tables, selection), strict=True):
        found = _counting(series.without(choice.codes_of(name)), choice)
        if found is None or name in choice.named:
            kept.append(name)
            remarks.update({} if found is None else {name: found})
        else:
            left_out.append(Line(name, "left out", (found,)))
    if not kept:
        first = left_out[-1]
        raise DatasetError(
            f"every column would be left out; {first.name!r} {first.findings[0].text}: "
            f"{first.findings[0].option} makes it a channel"
        )
    return [table.only(kept) for table in tables], remarks, left_out


def grade(
    runs: Sequence[Run],
    channels: Sequence[str],
    remarks: dict[str, ColumnFinding],
    left_out: Sequence[Line],
    period_s: float,
    timezone: str,
) -> Card:
    """The card of the channels' rows on the grid, as `without_counters` left them."""
    lines = []
    for position, name in enumerate(channels):
        series = Series(name, tuple(segment.values[:, position] for run in runs for segment in run.segments))
        remark = remarks.get(name, ColumnFinding(""))
        found = _worth_a_look(series, period_s, counts=bool(remark.option))
        if remark.text:
            found.insert(0, remark)
        lines.append(Line(name, "look" if any(one.option for one in found) else "ok", tuple(found)))
    return Card((*lines, *left_out), tuple(_notes(runs, period_s, timezone)))


def _line(left_out: LeftOut) -> Line:
    return Line(left_out.name, "left out", (ColumnFinding(left_out.found, left_out.option),))


def _columns(tables: Sequence[RawTable], selection: Selection) -> list[Series]:
    """The columns of all files, the selected rows of each by time."""
    pieces = [table.values[part] for table in tables for part in used_rows(table, selection)]
    return [
        Series(name, tuple(piece[:, position] for piece in pieces)) for position, name in enumerate(tables[0].channels)
    ]


def _counting(series: Series, choice: Choice) -> ColumnFinding | None:
    """That a column counts, or what a column is instead that was to be read as a rate."""
    clean = series.without([code.value for code in codes(series)])
    name = series.name
    if name in choice.rates:
        if counter(clean) or row_number(clean):
            return ColumnFinding("a counter, read as its rise a second")
        return ColumnFinding(
            "read as its rise a second, but is no counter: it is missing where it falls", option("drop", name)
        )
    named = name in choice.named
    if found := row_number(clean):
        return (
            ColumnFinding(f"{found}; {_LOST}", option("drop", name))
            if named
            else ColumnFinding(found, option("keep", name))
        )
    if found := counter(clean):
        rate = option("rate", name)
        if named:
            return ColumnFinding(f"{found}; {_LOST}", f"{rate}, or {option('drop', name)}")
        return ColumnFinding(found, f"{rate}, or {option('keep', name)}")
    return None


def _worth_a_look(series: Series, period_s: float, counts: bool) -> list[ColumnFinding]:
    """What a user should know of a channel. Of one that `counts`, whose values and trend say nothing, only holes."""
    drop = option("drop", series.name)
    found = []
    if text := holes(series, period_s):
        found.append(ColumnFinding(text, f"--period, or {drop}"))
    if counts or not len(series.known):
        return found
    if text := constant(series):
        return [*found, ColumnFinding(text, drop)]
    odd = codes(series)
    found += [ColumnFinding(_code(one), option("missing", f"{series.name}={_plain(one.value)}")) for one in odd]
    clean = series.without([one.value for one in odd])
    if text := coarse(clean):
        found.append(ColumnFinding(text, drop))
    if text := trend(clean):
        found.append(ColumnFinding(text, f"a longer recording, or {drop}"))
    if several := modes(clean):
        seldom = ColumnFinding(f"{several.text}; one was hardly seen", "a longer recording, or --exclude")
        found.append(seldom if several.seldom else ColumnFinding(several.text))
    return found


def _code(code: Code) -> str:
    where = "far from" if code.far else "by jumps that nothing else makes, among"
    low, high = (number(value) for value in code.rest)
    return f"{_plain(code.value)} comes {plural(code.count, 'time')}, {where} the others ({low} to {high})"


def _plain(value: float) -> str:
    """As it is written on a command line: no digit may be lost.

    >>> _plain(-999.0), _plain(-273.15), _plain(1e30)
    ('-999', '-273.15', '1e+30')
    """
    return repr(int(value)) if value == round(value) and abs(value) < 1e15 else repr(value)


def _notes(runs: Sequence[Run], period_s: float, timezone: str) -> list[str]:
    segments = [segment for run in runs for segment in run.segments]
    found = standstills(segments)
    if not found:
        return []
    rows = sum(round((end - start) / period_s) + 1 for start, end in found)
    stretches = [f"{format_time(start, timezone)}..{format_time(end + period_s, timezone)}" for start, end in found]
    excluded = " ".join(f"--exclude '{one}'" for one in stretches[:_MOST_STRETCHES])
    more = f" (and {len(found) - _MOST_STRETCHES} more)" if len(found) > _MOST_STRETCHES else ""
    return [
        f"the machine seems to have been off for {duration(rows * period_s)}, "
        f"{percent(rows / sum(map(len, segments)))} of the rows: most channels rest at a low level. "
        f"Where that is not to count as normal: {excluded}{more}"
    ]
