"""Constants of the detector chosen on all families but one, and what they give on that one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any, Protocol

from edge.detector.members.tuning import DEFAULT, Tuning
from edge.detector.members.tuning import NUMBERS as CONSTANTS
from train.benchmarks.ablation import PARTS, without
from train.benchmarks.figures import Tally

__all__ = ["CONSTANTS", "FACTORS", "tuned", "value_at"]

FACTORS: Mapping[str, float] = {"half": 0.5, "once": 1.0, "twice": 2.0}


def value_at(name: str, factor: float, tuning: Tuning = DEFAULT) -> float:
    """A constant at so many times its value; whole ones stay whole, and at least 1."""
    value = getattr(tuning, name)
    return max(1, round(factor * value)) if isinstance(value, int) else factor * value


def tuned(factors: Mapping[str, float], tuning: Tuning = DEFAULT) -> Tuning:
    """The detector with each of these constants at so many times its value."""
    values: dict[str, Any] = {name: value_at(name, factor, tuning) for name, factor in factors.items()}
    return replace(tuning, **values)


ByFamily = Mapping[str, float | None]
"""A family's name to J; None where it has none."""
ONCE = "once"


class Figures(Protocol):
    """Offbeat on families with one tuning after another; see `TunedFamilies`."""

    names: tuple[str, ...]

    @property
    def tuning(self) -> Tuning:
        """The detector as it is."""

    def figures(self, wanted: Sequence[tuple[str, Tuning]]) -> list[Tally]:
        """Of each family with its tuning."""


@dataclass(frozen=True)
class LeftOut:
    """J of families with each constant at half, once and twice its value, and with what other families would choose."""

    default: ByFamily
    values: Mapping[str, Mapping[str, float]]
    """A constant to its value by the name of each factor."""
    j: Mapping[str, Mapping[str, ByFamily]]
    """A constant, a factor's name and a family to J."""
    chosen: Mapping[str, Mapping[str, str]]
    """A constant and a family to the factor that is best on all other families."""
    together: ByFamily
    """J of a family with all constants as chosen on the others."""

    def left_out(self, constant: str) -> ByFamily:
        """J of each family with a constant's value that is best on all others."""
        return {family: self.j[constant][factor][family] for family, factor in self.chosen[constant].items()}

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "default": {"j": dict(self.default), "mean_j": mean_j(self.default.values())},
            "constants": {name: self._constant(name) for name in self.j},
            "together": {"j": dict(self.together), "mean_j": mean_j(self.together.values())},
        }

    def _constant(self, name: str) -> dict[str, Any]:
        left_out = self.left_out(name)
        return {
            **{
                factor: {"value": self.values[name][factor], "j": dict(j), "mean_j": mean_j(j.values())}
                for factor, j in self.j[name].items()
            },
            "left_out": {
                "chosen": {family: self.values[name][factor] for family, factor in self.chosen[name].items()},
                "j": dict(left_out),
                "mean_j": mean_j(left_out.values()),
            },
        }


def leave_out(families: Figures, constants: Sequence[str]) -> LeftOut:
    """Try every constant by itself, then on each family all of them as the other families chose them."""
    names, usual = families.names, families.tuning
    tunings = {(name, factor): tuned({name: times}, usual) for name in constants for factor, times in FACTORS.items()}
    found = _j(families, [(family, tuning) for tuning in (usual, *tunings.values()) for family in names])
    default, *others = (found[at : at + len(names)] for at in range(0, len(found), len(names)))
    by_tuning = {key: dict(zip(names, one, strict=True)) for key, one in zip(tunings, others, strict=True)}
    j = {name: {factor: by_tuning[name, factor] for factor in FACTORS} for name in constants}
    chosen = {name: {family: best_elsewhere(j[name], family) for family in names} for name in constants}
    all_chosen = [tuned({name: FACTORS[chosen[name][family]] for name in constants}, usual) for family in names]
    together = _j(families, list(zip(names, all_chosen, strict=True)))
    return LeftOut(
        default=dict(zip(names, default, strict=True)),
        values={
            name: {factor: value_at(name, times, usual) for factor, times in FACTORS.items()} for name in constants
        },
        j=j,
        chosen=chosen,
        together=dict(zip(names, together, strict=True)),
    )


def best_elsewhere(j: Mapping[str, ByFamily], family: str) -> str:
    """The factor with the highest mean J on all families but one; `once` where others are only as good.

    >>> best_elsewhere({"half": {"a": 0.9, "b": 0.2}, "once": {"a": 0.1, "b": 0.2}, "twice": {"a": 0, "b": 0.3}}, "a")
    'twice'
    """

    def elsewhere(factor: str) -> float:
        found = mean_j(one for name, one in j[factor].items() if name != family)
        return -1.0 if found is None else found

    return max((ONCE, *(factor for factor in j if factor != ONCE)), key=elsewhere)


def without_parts(families: Figures) -> dict[str, dict[str, Tally]]:
    """The detector as it is (`nothing` taken away) and without each of its parts; each to a family and its figures."""
    tunings = {"nothing": families.tuning, **{part: without(part) for part in PARTS}}
    found = iter(families.figures([(family, tuning) for tuning in tunings.values() for family in families.names]))
    return {part: {family: next(found) for family in families.names} for part in tunings}


def mean_j(each: Iterable[float | None]) -> float | None:
    """Over those that there are; None for none."""
    known = [one for one in each if one is not None]
    return fmean(known) if known else None


def _j(families: Figures, wanted: Sequence[tuple[str, Tuning]]) -> list[float | None]:
    return [tally.mean.get("j") for tally in families.figures(wanted)]
