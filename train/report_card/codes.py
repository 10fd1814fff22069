"""Readings that are codes for a missing one, and single wild ones: -127 of a sensor that is not there."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from train.report_card.series import Series, longest

KNOWN = (
    *(-99, -999, -9999, -99999, 99, 999, 9999, 99999, 999999, -888, -8888, 1e30, -1e30),
    *(-127, 85, -273.15),
    *(255, 4095, 32767, -32768, 65535, 2147483647, -2147483648, 4294967295),
    *(327.67, -327.68, 3276.7, -3276.8, 655.35, 6553.5),
)
"""By habit; of a DS18B20 that is not there or was just switched on, and of a resistance thermometer that is broken, °C;
integers that are full, and those in hundredths and tenths."""
_FAR = 3.0
"""Times the range of all other readings that a reading repeated exactly lies away from them."""
_WILD = 10.0
"""The same of one that came once or twice."""
_REPEATED = 3
_FEW_VALUES = 10
"""A column with no more other values has states, of which one may well lie apart."""
_RARE, _SHORT = 0.05, 10
"""Part of the rows, and rows in a row, up to which a reading that is no known code counts as one, or a known one in a
column of states: more often or for longer it is a state of the machine, as a standstill is."""
_JUMP = 3.0
"""Times the largest usual step by which visits to a code within the range begin and end..."""
_JUMPING = 0.5
"""...this part of them: the readings around it are near it now and then."""
_MOST = 4
"""Codes that a column is said to have."""


@dataclass(frozen=True)
class Code:
    """A reading that stands for none."""

    value: float
    count: int
    far: bool
    """Whether it lies far outside of the other readings; else it comes and goes by jumps that nothing else makes."""
    rest: tuple[float, float]
    """The other readings' range."""


def codes(series: Series) -> list[Code]:
    """Codes among a column's readings, known ones first."""
    found = [(value, far) for value in series.values[np.isin(series.values, KNOWN)] for far in _known(series, value)]
    rest = series.values[~np.isin(series.values, [value for value, _ in found])]
    while len(found) < _MOST and (more := _unknown(series, rest)):
        found.append(more)
        rest = rest[rest != more[0]]
    if not len(rest):
        return []
    span = float(rest[0]), float(rest[-1])
    return [Code(float(value), int((series.known == value).sum()), far, span) for value, far in found[:_MOST]]


def _known(series: Series, value: float) -> Iterator[bool]:
    """Whether a known code lies far outside; nothing where it is a reading like others."""
    rest = series.values[~np.isin(series.values, KNOWN)]
    if len(rest) <= _FEW_VALUES and (series.known == value).mean() > _RARE:
        return
    if len(rest) and _distance(value, rest) > rest[-1] - rest[0]:
        yield True
    elif len(rest) and _comes_by_jumps(series, value):
        yield False


def _unknown(series: Series, rest: np.ndarray) -> tuple[float, bool] | None:
    """The lowest or highest of these readings, where it is none; and whether it lies far outside."""
    if len(rest) <= _FEW_VALUES:
        return None
    for value, others in ((rest[0], rest[1:]), (rest[-1], rest[:-1])):
        at = series.known == value
        if at.mean() > _RARE or longest(at) > _SHORT:
            continue
        repeated = at.sum() >= _REPEATED
        if _distance(value, others) > (_FAR if repeated else _WILD) * (others[-1] - others[0]):
            return value, True
        if repeated and _comes_by_jumps(series, value):
            return value, False
    return None


def _distance(value: float, rest: np.ndarray) -> float:
    """To the nearest of the others."""
    return float(np.abs(rest - value).min())


def _comes_by_jumps(series: Series, value: float) -> bool:
    """Whether the readings jump to a value and back, at least twice, as they do nowhere else."""
    crossing, usual = [np.empty(0)], [np.empty(0)]
    for piece in series.pieces:
        readings = piece[~np.isnan(piece)]
        steps, at = np.abs(np.diff(readings)), readings == value
        crossing.append(steps[at[1:] != at[:-1]])
        usual.append(steps[~at[1:] & ~at[:-1]])
    jumps, others = np.concatenate(crossing), np.concatenate(usual)
    if len(jumps) < 4 or not len(others):
        return False
    return bool(np.quantile(jumps, 1 - _JUMPING) > _JUMP * np.quantile(others, 0.99))
