"""A file looked at as a whole: its shape and time on a sample, marks, units and order on every row."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from edge.readings.cells import BLANKS, WIDE_BLANKS
from edge.readings.clock import TimePlan
from edge.readings.layout import LONG, MAY_BE_CHANNELS, Column, Layout, Line, Lines, Shape, find_shape, meaning_of
from edge.readings.long import LongPlan, find_long
from edge.readings.marks import FileMarks, decide
from edge.readings.numbers import ColumnEvidence
from edge.readings.opening import TextFile
from edge.readings.options import FileError, FileOptions
from edge.readings.profiles import Profile, profiles
from edge.readings.steps import TimeEvidence, judged, refuse_anew, spring_note
from edge.readings.timing import choose_order, find_time, orders_left
from edge.readings.words import ID_NAMES, STATES

_MOST_CHANNELS = 5000


def understand_file(file: TextFile, options: FileOptions) -> Layout:
    """The layout of a file; it is read to its end twice, in bounded memory.

    Raises:
        FileError: it cannot be read, or can be read in several ways: the cell, its line and what settles it.
    """
    layout = understand(file.lines, options, str(file.path), whole=True)
    return replace(layout, packing=file.packing, encoding=file.encoding)


def understand_lines(sample: Sequence[Line | FileError], options: FileOptions, where: str) -> Layout:
    """The layout of a stream, judged on its first lines.

    Raises:
        FileError: as `understand_file`.
    """
    return understand(lambda: iter(sample), options, where, whole=False)


def understand(lines: Lines, options: FileOptions, where: str, whole: bool) -> Layout:
    """The layout of lines that can be gone through again and again."""
    shape, rows, notes = find_shape(lines, options, where, whole)
    found = profiles(shape.head.names, rows)
    plan = find_time([one for one in found if one.name != options.label_column], options, where)
    long = find_long(found, rows, plan.columns, options, where)
    survey = _Survey(shape, plan, long, found, options)
    survey.take(shape.rows(lines()))
    if (name := survey.in_blocks()) is not None:
        return understand(lines, replace(options, id_column=name), where, whole)
    return survey.layout(found, tuple(notes), where)


@dataclass
class _Survey:
    """What all rows of a file show: the evidence of each column or channel, and of the time in each possible order."""

    shape: Shape
    plan: TimePlan
    long: LongPlan | None
    found: Sequence[Profile]
    options: FileOptions
    columns: list[ColumnEvidence] = field(init=False)
    channels: dict[str, ColumnEvidence] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    times: list[TimeEvidence] = field(init=False)
    odd: int = 0
    long_rows: int = 0
    other_header: tuple[int, str] | None = None
    rows: int = 0

    def __post_init__(self) -> None:
        self._names = set(self.shape.head.names)
        self.columns = [ColumnEvidence() for _ in self.shape.head.names]
        stamps = self.found[self.plan.columns[0]].stamps if self.plan.columns else ()
        orders = orders_left(stamps) if self.plan.kind in ("text", "parts") and not self.plan.pattern else ("ymd",)
        self.times = [TimeEvidence(_in_order(self.plan, order)) for order in orders]

    def take(self, rows: "Iterator[tuple[int, list[str], int] | FileError]") -> None:
        """Go through all rows."""
        for one in rows:
            if isinstance(one, FileError):
                continue
            line, cells, odd = one
            self.odd += odd > 0
            self.long_rows += odd == LONG
            for evidence in self.times:
                time = evidence.add(line, cells)
                if time == time:
                    evidence.bound(self.rows, time)
                elif self.other_header is None and len(self._names & set(cells)) > 1:
                    self.other_header = (line, ", ".join(cells))
            self.rows += 1
            for evidence_of, text in zip(self.columns, cells, strict=True):
                evidence_of.add(text, line)
            if self.long is not None:
                self._take_long(line, cells)

    def _take_long(self, line: int, cells: Sequence[str]) -> None:
        assert self.long is not None
        for place in self.long.values:
            name = self.long.name(cells, place, self.shape.head.names)
            if not name or (name not in self.channels and len(self.channels) >= _MOST_CHANNELS):
                continue
            self.channels.setdefault(name, ColumnEvidence()).add(cells[place] if self.long.good(cells) else "", line)
            if self.long.unit is not None and not self.units.get(name):
                self.units[name] = cells[self.long.unit]

    def in_blocks(self) -> str | None:
        """The column that names several sensors whose rows stand one sensor after the other, over the same times."""
        named = self._named_blocks()
        times = self.times[0]
        return named if named and 0 < times.back < len(self.columns) + 0.1 * times.known else None

    def _named_blocks(self) -> str | None:
        if self.long is not None or self.plan.kind == "rows":
            return None
        for name, evidence in zip(self.shape.head.names, self.columns, strict=True):
            few = 1 < len(evidence.words) <= max(2, self.rows // 10) and not evidence.missing
            few = few and not all(word.lower() in STATES for word in evidence.words)
            if few and name.lower() in ID_NAMES and name != "board" and evidence.texts > evidence.numbers:
                return name
        return None

    def layout(self, found: Sequence[Profile], notes: tuple[str, ...], where: str) -> Layout:
        """Everything decided.

        Raises:
            FileError: something cannot be.
        """
        if not self.rows:
            raise FileError(f"{where}: no usable rows: found a header and no readings")
        self._refuse_other_headers(where)
        names = " + ".join(self.shape.head.names[place] for place in self.plan.columns)
        chosen = self.times[0]
        if len(self.times) > 1:
            chosen = choose_order(self.times, names, self.options.day_first, where)
        declared = bool(self.options.time_format)
        plan = judged(chosen, names, declared, self.options.timezone is not None, where, alone=self.long is None)
        if self.long is None and plan.kind not in ("rows", "clock") and not plan.even_s and self._full():
            refuse_anew(chosen, names, where)
        newest_first = chosen.back > 0.9 * max(1, chosen.known - 1)
        plan = replace(plan, newest_first=newest_first)
        columns = [*self._columns(found, where), *self._pivoted(where)]
        return Layout(
            shape=self.shape,
            time=plan,
            time_names=names,
            long=self.long,
            columns=tuple(columns),
            notes=(*notes, *self._notes(plan, chosen, columns)),
            in_order=not (newest_first or (self.long is not None and chosen.back)),
            rows=self.rows,
        )

    def _full(self) -> bool:
        """Whether rows hold most columns; two tables that were put below each other fill each its own."""
        filled = [one for one in self.columns if one.numbers > one.texts]
        return 2 * sum(one.missing for one in filled) < sum(one.numbers for one in filled)

    def _words(self, name: str) -> Sequence[str]:
        return list(self.columns[self.shape.head.names.index(name)].words)

    def _refuse_other_headers(self, where: str) -> None:
        if self.other_header is not None:
            line, text = self.other_header
            raise FileError(
                f"{where}: line {line} holds another header ({text[:60]}): what follows has other columns; cut the "
                "file there, and give the parts as files"
            )
        if self.long_rows > 0.2 * self.rows + 2:
            raise FileError(
                f"{where}: {self.long_rows} of {self.rows} rows have more cells than the header has names: which is "
                "whose cannot be told; does another header begin within the file? Cut it there and give the parts"
            )

    def _columns(self, found: Sequence[Profile], where: str) -> list[Column]:
        flux = "_time" in self.shape.head.names
        parts = [
            "label"
            if one.name == self.options.label_column
            else meaning_of(one.place, one.name, evidence, one.kind, (self.plan.columns, self.long, flux))
            for one, evidence in zip(found, self.columns, strict=True)
        ]
        marks = FileMarks.of(
            [evidence for evidence, part in zip(self.columns, parts, strict=True) if part in ("channel", "value")]
        )
        units = self.shape.head.units
        return [
            self._column(one.name, part, units[one.place], evidence, marks, where)
            for one, evidence, part in zip(found, self.columns, parts, strict=True)
        ]

    def _pivoted(self, where: str) -> list[Column]:
        marks = FileMarks.of(list(self.channels.values()))
        return [
            self._column(
                name, "channel" if _holds_values(evidence) else "text", self.units.get(name, ""), evidence, marks, where
            )
            for name, evidence in self.channels.items()
        ]

    def _column(
        self, name: str, part: str, unit: str, evidence: ColumnEvidence, marks: FileMarks, where: str
    ) -> Column:
        style, error = None, None
        renamed = dict(self.options.rename).get(name, name)
        codes = frozenset(float(code) for code in self.options.missing if _is_number(code))
        if part in MAY_BE_CHANNELS:
            try:
                style = decide(name, evidence, marks, self.options.decimal, codes, where)
            except FileError as found:
                error = found
        if not unit and style is not None and len(style.units):
            unit = evidence.units.most_common(1)[0][0]
        return Column(name, renamed, part, unit, evidence, style, error)

    def _notes(self, plan: TimePlan, times: TimeEvidence, columns: Sequence[Column]) -> Iterator[str]:
        if self.long is not None:
            ids = " + ".join(self.shape.head.names[place] for place in self.long.ids)
            yield f"a long file: {len(self.channels)} channels, named by {ids}"
        if plan.even_s:
            yield f"{times.repeats} rows repeat a time, as rounded: rows are even, {plan.even_s:.6g} s apart"
        yield from self._time_notes(plan, times)
        for column in columns:
            if column.meaning == "channel" and column.style is not None and column.style.decimal == "either":
                shapes = column.evidence.shapes
                commas, points = (shapes[mark] + shapes[f"{mark}?"] for mark in ",.")
                yield f"{column.name}: {commas} cells with a decimal comma, {points} with a point"
        if self.odd:
            no_value = "longer ones" if self.shape.separator not in (BLANKS, WIDE_BLANKS) else "these"
            yield f"{self.odd} lines with more or fewer cells than the header; of {no_value} no value is used"

    def _time_notes(self, plan: TimePlan, times: TimeEvidence) -> Iterator[str]:
        if times.jump > 400 * 86400 and plan.kind != "rows":
            yield f"times leap by {times.jump / 86400:.0f} days: was a clock not set? --exclude leaves a stretch out"
        if plan.relative and plan.kind != "rows":
            yield "times count from a start of their own, and are shown from 1970-01-01 on"
        if plan.newest_first:
            yield "the newest rows stand first: they are read from the end"
        if (name := self._named_blocks()) is not None:
            words = ", ".join(list(self._words(name))[:4])
            yield f"{name} names several ({words}), one after the other; --id-column {name} makes channels of each"
        if (spring := spring_note(times, self.options.timezone is not None)) is not None:
            yield spring


def _in_order(plan: TimePlan, order: str) -> TimePlan:
    parts = tuple(f"date:{order}" if part.startswith("date") and order != "ymd" else part for part in plan.parts)
    return replace(plan, order=order, parts=parts)


def _holds_values(evidence: ColumnEvidence) -> bool:
    if evidence.numbers:
        return evidence.numbers >= evidence.texts
    return evidence.texts > 0 and all(word.lower() in STATES for word in evidence.words)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
