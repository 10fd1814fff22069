"""Values on the command line: what may be written, and what is said of anything else."""

import argparse
import math
from collections.abc import Callable
from typing import TypeVar

from firmware_sim.schedule.timetext import parse_duration, parse_time

Value = TypeVar("Value")


def option(parse: Callable[[str], Value]) -> Callable[[str], Value]:
    """`parse` as a type for argparse, which shows the text of an ArgumentTypeError only."""

    def convert(text: str) -> Value:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return convert


def whole(least: int, most: int) -> Callable[[str], int]:
    """A whole number from `least` to `most`."""

    def parse(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if not least <= number <= most:
            raise ValueError(f"found {text!r}, wanted a whole number from {least} to {most}")
        return number

    return option(parse)


def number(least: float, most: float, wanted: str) -> Callable[[str], float]:
    """A number from `least` to `most`; `wanted` says which."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not least <= value <= most:
            raise ValueError(f"found {text!r}, wanted {wanted}")
        return value

    return option(parse)


def _length(text: str) -> float:
    seconds = parse_duration(text)
    if seconds < 0.001:
        raise ValueError(f"found {text!r}, wanted a millisecond at least")
    return seconds


def _speed(text: str) -> float | None:
    return None if text == "max" else number(0.001, 1e6, "a number of 0.001 to 1e6, such as 60, or max")(text)


duration = option(parse_duration)
length = option(_length)
moment = option(parse_time)
speed = option(_speed)
"""Simulated seconds a second; None for as fast as it goes."""
