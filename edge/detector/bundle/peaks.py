"""Peaks of every member on normal rows, as calibrations and bundles keep them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edge.detector.members.registry import NAMES

_MOST = 400
"""Peaks kept for a device: evenly spread ones, and each member's highest."""
_MOST_ROWS = 2.0**53
"""Behind peaks: what a float of JSON counts exactly."""


@dataclass(frozen=True)
class Peaks:
    """Highest values of stretches of two windows of normal rows that the members have not seen."""

    values: np.ndarray
    """(n, members), in the order of `MEMBERS`; NaN where a member has seen the rows, or does not apply."""
    rows: np.ndarray
    """(members,): normal rows behind them."""
    count: np.ndarray
    """(members,): stretches behind them, not fewer than those that are kept here."""
    middle: np.ndarray
    """(members,): median of the rows themselves; of several sets of rows the mean of theirs."""

    def thinned(self) -> "Peaks":
        """As a device keeps them."""
        if len(self.values) <= _MOST:
            return self
        highest = [int(np.nanargmax(one)) for one in self.values.T if not np.isnan(one).all()]
        spread = np.linspace(0, len(self.values) - 1, _MOST - len(highest)).astype(int)
        return Peaks(self.values[np.unique([*highest, *spread])], self.rows, self.count, self.middle)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types; columns by name, so that members may come and go."""
        columns = {
            name: [None if np.isnan(value) else float(f"{value:.5g}") for value in column]
            for name, column in zip(NAMES, self.values.T, strict=True)
        }
        behind = zip(NAMES, self.rows, self.count, self.middle, strict=True)
        rows = {name: [int(n), int(k), float(f"{middle:.5g}")] for name, n, k, middle in behind}
        return {"peaks": columns, "rows": rows}


def peaks_from_dict(body: Mapping[str, Any]) -> Peaks:
    """The peaks that `to_dict` wrote; members that it does not know have seen nothing.

    Raises:
        KeyError, TypeError, ValueError: it is malformed.
    """
    columns, rows = body["peaks"], body["rows"]
    known = [np.array(columns.get(name) or [], np.float64) for name in NAMES]
    length = max((len(column) for column in known), default=0)
    values = np.full((length, len(NAMES)), np.nan)
    for at, column in enumerate(known):
        if len(column) not in (0, length):
            raise ValueError(f"peaks of {NAMES[at]} are {len(column)}, wanted {length}")
        values[: len(column), at] = column
    behind = np.array([rows.get(name, (0, 0, 0.0)) for name in NAMES], np.float64)
    if behind.shape != (len(NAMES), 3):
        raise ValueError("peaks want rows, stretches and middle of every member")
    if np.isinf(values).any() or not (np.isfinite(behind).all() and (behind >= 0).all()):
        raise ValueError("peaks want finite numbers")
    if (behind[:, :2] > _MOST_ROWS).any():
        raise ValueError(f"peaks are of more than {_MOST_ROWS:.0f} rows")
    if (behind[:, 1] < (~np.isnan(values)).sum(axis=0)).any():
        raise ValueError("there are more peaks than stretches")
    return Peaks(values, behind[:, 0].astype(int), behind[:, 1].astype(int), behind[:, 2])


def no_peaks() -> Peaks:
    """Of no rows at all."""
    none = np.zeros(len(NAMES), int)
    return Peaks(np.zeros((0, len(NAMES))), none, none, np.zeros(len(NAMES)))


def joined_peaks(parts: Sequence[Peaks]) -> Peaks:
    """Those of several sets of rows together."""
    parts = [no_peaks(), *parts]
    rows = np.stack([part.rows for part in parts])
    middle = (rows * np.stack([part.middle for part in parts])).sum(axis=0) / np.maximum(rows.sum(axis=0), 1)
    count = np.sum([part.count for part in parts], axis=0)
    return Peaks(np.concatenate([part.values for part in parts]), rows.sum(axis=0), count, middle)
