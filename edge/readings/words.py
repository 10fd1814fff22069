"""Words of files: what means no value, on and off, units, and the usual names of columns."""

import re
from collections.abc import Sequence

MISSING = frozenset(
    ("", "nan", "null", "none", "na", "n/a", "#n/a", "-", "--", "---", "?", "nil", "unavailable", "unknown", "no data",
     "nodata", "no value", "missing", "#value!", "#div/0!", "#num!", "#ref!", "1.#qnan", "-1.#ind", "1.#ind", "-nan",
     "+nan", "<na>", "nat", "<null>", "\\n", "bad", "bad input", "i/o timeout", "undefined", ".", "*", "k.a.", "k. a.")
)  # fmt: skip
"""Cells that mean no value, in lower case."""

_PAIRS = (
    "on off, true false, yes no, open closed, active inactive, enabled disabled, running stopped, ein aus, an aus, "
    "ja nein, auf zu, wahr falsch, oui non, vrai faux, marche arret, marche arrêt, ouvert fermé, si no, sí no, "
    "verdadero falso, vero falso, aan uit, waar onwaar, sim não, home not_home, detected clear, wet dry, start stop, "
    "started stopped, opened closed, occupied unoccupied, t f, y n"
)
STATES: dict[str, float] = {}
"""Words of on/off states to 1 and 0, in lower case."""
for _pair in _PAIRS.split(", "):
    for _word, _value in zip(_pair.split(), (1.0, 0.0), strict=True):
        STATES.setdefault(_word, _value)

_UNITS = frozenset(
    ("°c", "°f", "°", "degc", "degf", "deg c", "deg f", "deg", "c", "f", "k", "%", "%rh", "% rh", "rh", "bar", "mbar",
     "hpa", "kpa", "mpa", "pa", "psi", "v", "mv", "kv", "a", "ma", "w", "kw", "mw", "wh", "kwh", "mwh", "var", "kvar",
     "va", "kva", "hz", "khz", "rpm", "1/min", "u/min", "min-1", "m/s", "m/s2", "m/s²", "mm/s", "km/h", "meters/second",
     "g", "mg", "kg", "t", "l", "ml", "m", "mm", "cm", "km", "m3", "m³", "m3/h", "m³/h", "l/min", "l/h", "l/s", "lux",
     "lx", "ppm", "ppb", "ug/m3", "µg/m³", "db", "dba", "dbm", "w/m2", "w/m²", "n", "nm", "kn", "s", "ms", "us", "ns",
     "min", "h", "d", "volts", "amps", "watts", "percent", "mm/h", "j", "kj", "ohm", "kohm", "ω", "kω", "ph", "us/cm",
     "µs/cm", "ntu", "mg/l", "degree", "degrees", "celsius", "inh2o", "gal/min", "gpm", "cfm", "ft", "in", "inhg",
     "mph", "ts", "bit", "counts", "kg/h", "kg/s", "m2", "m²", "-", "n/a", "none", "unitless", "cel", "vdc", "vac",
     "sec", "rn")
)  # fmt: skip
_KINDS = frozenset(("avg", "smp", "max", "min", "tot", "std", "sample", "mean", "average", "float", "double", "int",
                    "string", "long", "boolean", "datetime", "timestamp", "real", "number", "smm", "wvc"))  # fmt: skip
_PATTERN = re.compile(r"[dDmMyYhHsSfat]+(?:[-/.:\sT,]+[dDmMyYhHsSfat]+)+|HH:mm.*|[Uu]nix|UTC|ISO ?8601")


def is_unit(text: str) -> bool:
    """Whether a cell of a line under the names is a unit, `[bar]` and `(bar)` included."""
    return text.strip("[]() ").lower() in _UNITS


def is_under_names(text: str) -> bool:
    """Whether a cell can only stand in a line below the names: a unit, a kind of mean or type, a pattern of times."""
    return is_unit(text) or text.lower() in _KINDS or _PATTERN.fullmatch(text) is not None


def is_missing(text: str) -> bool:
    """Whether a cell means no value."""
    return text.strip().lower() in MISSING


_IN_NAME = re.compile(r"(?:[\[(]\s*([^\[\]()]{1,16}?)\s*[\])]|[,/]\s+([^\s\[\](),]{1,12}))\s*$")


def unit_in(name: str) -> str:
    """The unit that a column's name ends with, in brackets or after a comma; empty where there is none.

    >>> unit_in("Energy (kWh)"), unit_in("acc_x [g]"), unit_in("Temp, °C"), unit_in("flow (north)")
    ('kWh', 'g', '°C', '')
    """
    found = _IN_NAME.search(name)
    unit = (found[1] or found[2] or "") if found else ""
    return unit if is_unit(unit) else ""


TIME_NAMES = (
    "time", "timestamp", "_time", "datetime", "date_time", "date time", "date/time", "date & time", "ts", "created_at",
    "last_changed", "last_updated", "recorded_at", "measured_at", "event_time", "local_time", "utc", "t", "unix",
    "epoch", "unixtime", "unix_time", "epoch_ms", "date", "zeit", "zeitstempel", "datum/zeit", "datum zeit",
    "datum", "uhrzeit", "fecha", "fecha/hora", "hora", "horodatage", "heure", "data/ora", "data", "ora",
    "tijd", "tijdstip", "x_value", "created", "when",
)  # fmt: skip
"""Usual names of times in lower case, the likeliest first."""
_TIME_WORD = re.compile(r"(?:date|time|datum|zeit|fecha|heure|millis|micros|elapsed|seconds|secs|uptime|ticks)")


def time_rank(name: str) -> int | None:
    """How likely a column's name is that of a time, 0 the likeliest; None where it does not sound like one.

    >>> time_rank("Time (s)"), time_rank("flow"), time_rank("time_ms") is None
    (0, None, False)
    """
    lower = re.sub(r"\s*[\[(,].*$", "", name.strip().lower())
    if lower in TIME_NAMES:
        return TIME_NAMES.index(lower)
    return len(TIME_NAMES) if _TIME_WORD.search(name.lower()) else None


PARTS = {
    "year": "year yr yyyy jahr annee année año ano anno jaar",
    "month": "month mo mon mm monat mois mes mese maand",
    "day": "day dd dom mday tag jour dia día giorno dag",
    "doy": "doy yday jday julian dayofyear day_of_year yearday",
    "hour": "hour hr hh hours stunde std heure hora ora uur he hour_ending hour_beginning hour_end hour_of_day",
    "minute": "minute min mi mins minutes minuto minuut",
    "second": "second sec ss seconds secs sekunde seconde segundo secondo",
}
"""Parts of a time that files keep in columns of their own, and what the columns are called."""
_PART_OF = {word: part for part, words in PARTS.items() for word in words.split()}


def part_of(name: str) -> str | None:
    """Which part of a time a column holds, by its name."""
    return _PART_OF.get("_".join(name.lower().split()))


ID_NAMES = frozenset(
    ("entity_id", "entity", "tag", "tagname", "tag_name", "sensor", "sensor_id", "sensorid", "sensor_name", "_field",
     "field", "metric", "variable", "parameter", "param", "channel", "point", "point_id", "pointname", "device",
     "device_id", "deviceid", "device_name", "dev_eui", "name", "id", "topic", "series", "signal", "item", "key",
     "node", "node_id", "nodeid", "station", "station_id", "machine", "machine_id", "asset", "asset_id", "unit_id",
     "unit", "host", "location", "room", "quantity", "measurement", "_measurement", "kanal", "messstelle",
     "geraet", "gerät",
     "bezeichnung", "capteur", "mac", "address", "datapoint", "attribute", "type", "source", "board", "statistic_id",
     "metadata_id", "uid", "uuid", "meter", "meter_id", "zone", "pump", "motor", "line")
)  # fmt: skip
"""Usual names of the column that says which sensor a row is about."""
VALUE_NAMES = frozenset(
    ("value", "_value", "state", "val", "reading", "wert", "messwert", "valeur", "valor", "valore", "waarde", "data",
     "measurement", "numeric_value", "float_value", "pv", "result", "mean", "values")
)  # fmt: skip
"""Usual names of the column with that sensor's value."""
QUALITY_NAMES = frozenset(("quality", "opcquality", "opc_quality", "qual", "status", "quality_code", "qc", "flag"))
UNIT_NAMES = frozenset(("unit_of_measurement", "unit", "units", "uom", "einheit", "unite", "unité", "eu"))
"""Usual names of the column with the unit of a long file's rows."""


def unique_names(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Names as given; an empty one becomes `column N`, a repeated one gets a number; and those that came twice."""
    unique: list[str] = []
    twice: list[str] = []
    for position, name in enumerate(names, 1):
        name = " ".join(name.split()) or f"column {position}"
        count, one = 2, name
        while one in unique:
            one, count = f"{name} {count}", count + 1
        if one != name:
            twice.append(f"{name} (the later one is {one!r})")
        unique.append(one)
    return unique, twice
