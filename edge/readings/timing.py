"""Which columns of a file are its time, found by content and name; asked for where that is not clear."""

import re
import shlex
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from edge.readings.clock import Clock, TimePlan
from edge.readings.dates import Stamp, by_pattern, day_number, offset_of, orders_of
from edge.readings.instants import COUNTS, NumberTime, counted, find_number_time
from edge.readings.options import FileError, FileOptions
from edge.readings.profiles import Profile, candidates, compact_dates, fits_part, grows, hhmm, listed, unix_like
from edge.readings.steps import LATEST, TimeEvidence
from edge.readings.words import part_of

_MOST_OFFSETS = 4
"""Offsets of a zone, or of two, in a recording: summer and winter time each."""
_FEWEST_STEPS = 5
"""Steps between times, below which nothing is said of their order."""


def find_time(found: Sequence[Profile], options: FileOptions, where: str) -> TimePlan:
    """The plan of the file's time; the order of day and month is its usual one, and is to be judged.

    Raises:
        FileError: a named column is not there or is no time, or none is found.
    """
    if options.time_column == "none" or (options.period_s and _all_other(found)):
        return _counted_rows(options, where)
    if options.time_column:
        chosen = _named(found, options.time_column, where)
        plan = _plan_of(chosen, options, where)
        if plan is None:
            raise _unread(chosen[0], where)
        return _finished(plan, chosen, options)
    for chosen in candidates(found):
        try:
            plan = _plan_of(chosen, options, where)
        except FileError:
            if len(chosen) == 1 and chosen[0].kind == "number" and not grows(chosen[0].texts):
                continue
            raise
        if plan is not None and (options.time_format or not _measures(plan, chosen)):
            return _finished(plan, chosen, options)
    if options.time_format and (fitting := _fitting(found, options, where)) is not None:
        return fitting
    if options.period_s:
        return _counted_rows(options, where)
    raise _none(found, where)


def _fitting(found: Sequence[Profile], options: FileOptions, where: str) -> TimePlan | None:
    """The likeliest column of words that the pattern of the options fits, where none was named."""
    for one in sorted(found, key=lambda one: one.rank):
        if one.kind == "other" and one.varies and options.time_format not in COUNTS:
            with suppress(FileError):
                plan = _plan_of([one], options, where)
                return None if plan is None else _finished(plan, [one], options)
    return None


def _all_other(found: Sequence[Profile]) -> bool:
    return all(
        one.kind in ("other", "number") and one.rank == 1000 and part_of(one.name) is None for one in found
    ) and (not any(one.kind == "number" and unix_like(one) for one in found))


def _counted_rows(options: FileOptions, where: str) -> TimePlan:
    if not options.period_s:
        raise FileError(f"{where}: without a time column --period SECONDS is wanted, the time between two rows")
    return TimePlan(kind="rows", period_s=options.period_s, relative=True, shown="none: rows are counted")


def _named(found: Sequence[Profile], name: str, where: str) -> list[Profile]:
    by_name = {one.name: one for one in found}
    lower = {one.name.lower(): one for one in found}
    names = [name] if name in by_name or name.lower() in lower else [part.strip() for part in name.split(",")]
    chosen = [by_name.get(one) or lower.get(one.lower()) for one in names]
    if None in chosen:
        lost = names[chosen.index(None)]
        raise FileError(f"{where}: time column {lost!r} is not in the file; it has {listed(found)}")
    return [one for one in chosen if one is not None]


def _plan_of(chosen: Sequence[Profile], options: FileOptions, where: str) -> TimePlan | None:
    """How to read these columns together; None where that cannot be."""
    places = tuple(one.place for one in chosen)
    first = chosen[0]
    _refuse_intervals(chosen, where)
    form = options.time_format
    if form and form not in COUNTS:
        return _by_pattern(chosen, places, form, where)
    if len(chosen) > 1:
        return _several(chosen, places, options)
    if form:
        if first.kind != "number":
            raise _unread(first, where, f"; --time-format {form} wants numbers")
        return _of_number(places, counted(form))
    if first.kind in ("datetime", "date"):
        return _of_text(places, first.stamps, options, where)
    if first.kind == "clock":
        return TimePlan(
            places, "clock", relative=True, shown="time of day without a date: days are counted from 1970-01-01"
        )
    number = find_number_time(first.name, first.texts, where) if first.kind == "number" else None
    return None if number is None else _of_number(places, number)


def _of_number(places: tuple[int, ...], number: NumberTime) -> TimePlan:
    return TimePlan(places, "number", number=number, relative=number.relative, shown=number.shown or "counts from 1970")


def _by_pattern(chosen: Sequence[Profile], places: tuple[int, ...], form: str, where: str) -> TimePlan:
    if "%" not in form:
        known = ", ".join(COUNTS)
        raise FileError(f"--time-format {form!r} is neither a pattern such as '%d.%m.%Y %H:%M' nor one of {known}")
    plan = TimePlan(places, "text", pattern=form, shown=f"text like {form}")
    rows = [" ".join(one.cells[row][1] for one in chosen) for row in range(min(len(one.cells) for one in chosen))]
    good = sum(by_pattern(text, form) is not None for text in rows)
    if not good or good < 0.5 * len(rows):
        bad = next((text for text in rows if by_pattern(text, form) is None), "")
        line = chosen[0].cells[0][0] if chosen[0].cells else 0
        raise FileError(f"{where}: time {bad!r} (line {line}) does not fit --time-format {form!r}")
    return plan


def _several(chosen: Sequence[Profile], places: tuple[int, ...], options: FileOptions) -> TimePlan | None:
    """A date and a time of day as written, or parts."""
    if len(chosen) == 2 and chosen[1].kind == "clock" and (chosen[0].kind == "date" or compact_dates(chosen[0])):
        return _of_text(places, chosen[0].stamps, options, "")
    parts: list[str] = []
    for one in chosen:
        if one.kind == "date" or (one.kind == "number" and compact_dates(one)):
            order = _usual_order(one.stamps, options)
            parts.append(f"date:{order}" if order != "ymd" else "date")
        elif (part := part_of(one.name)) and fits_part(one, part):
            parts.append(part)
        elif hhmm(one):
            parts.append("hhmmss" if max(map(len, one.texts)) > 4 else "hhmm")
        else:
            return None
    return TimePlan(places, "parts", parts=tuple(parts), shown="joined from " + " + ".join(one.name for one in chosen))


def _of_text(places: tuple[int, ...], stamps: Sequence[Stamp], options: FileOptions, where: str) -> TimePlan:
    unknown = next((stamp.zone for stamp in stamps if stamp.zone and offset_of(stamp.zone) is None), None)
    if unknown is not None:
        raise FileError(
            f"{where}: the zone {unknown!r} behind the times is not known, or names several; give "
            f"--time-format with {unknown} in it, such as '%Y-%m-%d %H:%M:%S {unknown}', and --timezone"
        )
    return TimePlan(places, "text", order=_usual_order(stamps, options), shown="date and time")


def _refuse_intervals(chosen: Sequence[Profile], where: str) -> None:
    """Refuse `08:00-09:00`, whose end looks like an offset from Greenwich; another in each row is none."""
    for one in chosen:
        if len({stamp.zone for stamp in one.stamps if stamp.zone}) > _MOST_OFFSETS:
            line, cell = one.cells[0]
            raise FileError(
                f"{where}: the cell {cell!r} (line {line}) of time column {one.name!r} is an interval, or its offset "
                "changes with the rows; write one time into it, or a blank on either side of the dash"
            )


def _usual_order(stamps: Sequence[Stamp], options: FileOptions) -> str:
    orders = orders_left(stamps)
    wanted = [order for order in orders if options.day_first is None or (order == "dmy") == options.day_first]
    return (wanted or orders)[0]


def orders_left(stamps: Sequence[Stamp]) -> tuple[str, ...]:
    """The orders of day, month and year in which most dates are days that there are."""
    dated = [stamp for stamp in stamps if stamp.kind != "clock"]
    loose = [stamp for stamp in dated if stamp.kind != "ymd"]
    if not loose:
        return ("ymd",)
    orders = orders_of(loose[0])
    left = [
        order for order in orders if sum(day_number(one.parts, order) is None for one in loose) <= 0.02 * len(loose)
    ]
    return tuple(left or orders)


def _finished(plan: TimePlan, chosen: Sequence[Profile], options: FileOptions) -> TimePlan:
    """The plan with the zone that the column's name gives, and that of the options."""
    found = re.search(r"\b((?:GMT|UTC)\s?[+-]?\d{0,2}:?\d{0,2})\)?", chosen[0].name)
    offset = (
        offset_of(found[1].strip()) if (found and "," in chosen[0].name) or (found and "(" in chosen[0].name) else None
    )
    return replace(plan, zone=options.zone, offset_s=offset if isinstance(offset, float) else None)


def _measures(plan: TimePlan, chosen: Sequence[Profile]) -> bool:
    """Whether a column of numbers that is called a time goes up and down."""
    if plan.kind != "number" or len(chosen) > 1:
        return False
    clock = Clock(plan)
    cells = [[""] * chosen[0].place + [text] for text in chosen[0].texts]
    times = [clock.seconds(row) for row in cells]
    steps = [b - a for a, b in pairwise(times) if a == a and b == b]
    up, down = sum(step > 0 for step in steps), sum(step < 0 for step in steps)
    return len(steps) >= _FEWEST_STEPS and (min(up, down) > 0.1 * len(steps) or not (up or down))


def _unread(one: Profile, where: str, more: str = "") -> FileError:
    line, cell = one.cells[0] if one.cells else (0, "")
    return FileError(
        f"{where}: the cell {cell!r} (line {line}) of time column {one.name!r} is not understood as a time{more}; "
        "say how it is written: --time-format '%d.%m.%Y %H:%M:%S', or a unit such as ms, or excel; or count the rows: "
        "--time-column none --period SECONDS"
    )


def _none(found: Sequence[Profile], where: str) -> FileError:
    for one in found:
        if one.rank < 1000 and one.kind == "other" and one.cells and one.varies:
            return _unread(one, where)
    for one in found:
        if one.rank < 40 and one.kind == "number" and one.name.lower() != "t" and one.varies:
            line, cell = one.cells[0]
            return FileError(
                f"{where}: column {one.name!r} sounds like a time, but its numbers (line {line}: {cell!r}) go up and "
                "down: a measurement? Name the time with --time-column, or give --period SECONDS for rows without one"
            )
    return FileError(
        f"{where}: found no time column among {listed(found)}; name it with --time-column {shlex.quote('NAME')}, "
        "or give --period SECONDS, the time between two rows, where there is none"
    )


def choose_order(candidates: Sequence[TimeEvidence], names: str, day_first: bool | None, where: str) -> TimeEvidence:
    """The order of day and month that the file's times are in.

    Raises:
        FileError: they fit several.
    """
    if day_first is not None:
        wanted = [one for one in candidates if (one.plan.order == "dmy") == day_first]
        candidates = wanted or candidates
    least = min(one.unread for one in candidates)
    left = [one for one in candidates if one.unread <= least + 0.001 * one.rows]
    if len(left) > 1 and max(one.highest for one in left) > LATEST:
        left = [one for one in left if one.highest <= LATEST] or left
    clear = [one for one in left if all(_follows(one, other) for other in left if other is not one)]
    if len(clear) != 1:
        left = _by_year(left)
    if len(clear) == 1 or len(left) == 1:
        return clear[0] if len(clear) == 1 else left[0]
    first = left[0]
    dotted = first.first and "." in first.first[0][:6] and not any(one.plan.order == "ymd" for one in left)
    if dotted and first.plan.order == "dmy" and first.back <= 0.1 * first.known:
        return first  # 04.03.2024: with points the day stands first
    text, line = first.first or ("", 0)
    days = " or ".join(_day(one) for one in left[:2])
    raise FileError(
        f"{where}: the time {text!r} (line {line}) of {names} may be {days}; say whether the day stands first: "
        "--day-first or --no-day-first"
    )


def _by_year(left: Sequence[TimeEvidence]) -> list[TimeEvidence]:
    """Without the order of the year first, where that gives an older year than the others do: 03/04/24 is of 2024."""
    others = [one for one in left if one.plan.order != "ymd"]
    first = [one for one in left if one.plan.order == "ymd"]
    if others and first and max(one.highest for one in others) > first[0].highest:
        return others
    return list(left)


def _day(one: TimeEvidence) -> str:
    return (datetime(1970, 1, 1) + timedelta(seconds=one.origin)).strftime("%-d %B %Y")


def _follows(one: TimeEvidence, other: TimeEvidence) -> bool:
    """Whether times go on as rows do in one order, and leap in the other."""
    if one.back < other.back and one.back <= 0.001 * one.known:
        return True
    return one.back <= other.back and 0 < 5 * one.jump < other.jump and other.jump > 20 * 86400 and one.jump < 5 * 86400
