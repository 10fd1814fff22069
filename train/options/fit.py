"""The options of `fit`, and the settings that they make."""

import argparse
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from train.network.architecture import ARCHITECTURES, DEFAULT
from train.options.readings import (
    LoadedReadings,
    add_column_options,
    add_file_options,
    add_selection_options,
    add_threshold_option,
)

if TYPE_CHECKING:
    from train.fitting.fit import FitSettings


def add_fit_options(parser: argparse.ArgumentParser) -> None:
    """Everything that `settings_of` reads, and the files."""
    add_file_options(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the bundle's folder")
    add_column_options(parser)
    add_selection_options(parser)
    _add_model_options(parser.add_argument_group("the model"))


def _add_model_options(group: Any) -> None:
    group.add_argument("--name", type=_name, help="the bundle's name (default: that of DIR)")
    group.add_argument("--architecture", choices=ARCHITECTURES, default=DEFAULT, help=f"of the network ({DEFAULT})")
    add_threshold_option(group, "pot")
    group.add_argument(
        "--window", type=_at_least(2), metavar="ROWS", help="rows in a window (30; fewer where there are few rows)"
    )
    group.add_argument("--stride", type=_at_least(1), default=1, metavar="ROWS", help="rows between two inferences (1)")
    group.add_argument("--hidden", type=_at_least(1), default=32, metavar="UNITS", help="LSTM units, or filters (32)")
    group.add_argument("--layers", type=int, choices=(1, 2), default=1, help="layers each way (1)")
    group.add_argument("--dropout", type=_part, default=0.0, metavar="PART", help="0 to below 1 (0)")
    group.add_argument("--epochs", type=_at_least(1), default=40, help="at most; stops early (40)")
    group.add_argument(
        "--search",
        type=_at_least(1),
        metavar="N",
        help="try N settings (hidden, layers, dropout, learning rate) by the loss on held-out rows, and fit the best",
    )
    group.add_argument("--seed", type=int, default=0, help="the same seed gives the same weights (0)")
    group.add_argument("--scaler", choices=("robust", "standard", "minmax"), default="robust", help="(robust)")
    group.add_argument("--season", choices=("daily", "weekly"), help="levels differ by hour, or by hour and weekday")
    group.add_argument(
        "--calibration-part", type=_part, default=0.25, metavar="PART", help="of the rows, kept from training (0.25)"
    )
    group.add_argument(
        "--unit", action="append", default=[], type=_unit, metavar="CHANNEL=UNIT", help="for messages; repeatable"
    )


def settings_of(args: argparse.Namespace, readings: LoadedReadings) -> "FitSettings":
    """What the command line chose.

    Raises:
        FitError: a unit of a channel that is not there.
    """
    from train.console.errors import FitError
    from train.fitting.fit import FitSettings
    from train.fitting.window import usual_window
    from train.network.training import TrainingSettings

    channels = readings.tables[0].channels
    unknown = sorted(set(dict(args.unit)) - set(channels))
    if unknown:
        raise FitError(f"--unit {unknown[0]}: no such channel{_why(unknown[0], readings)}")
    return FitSettings(
        name=args.name or _name(args.out.resolve().name),
        channels=channels,
        period_s=readings.settings.period_s,
        rates=readings.settings.rates,
        missing=readings.settings.missing,
        hold_s=readings.settings.max_hold_s,
        window=args.window or usual_window(readings.runs),
        stride=args.stride,
        architecture=args.architecture,
        hidden=args.hidden,
        layers=args.layers,
        dropout=args.dropout,
        scaler=args.scaler,
        season=args.season,
        timezone=readings.timezone,
        units={
            name: f"{unit}/s" if unit and name in readings.settings.rates else unit
            for name, unit in {**readings.tables[0].units, **dict(args.unit)}.items()
            if name in channels
        },
        threshold=replace(args.threshold, signed=ARCHITECTURES[args.architecture].signed),
        calibration_part=args.calibration_part,
        training=TrainingSettings(epochs=args.epochs, seed=args.seed),
    )


def _why(name: str, readings: LoadedReadings) -> str:
    """Why a name is no channel's."""
    for line in readings.card.lines:
        if line.name == name and line.findings:
            return f"; the column {line.findings[0].text}: {line.findings[0].option}"
    return f"; channels are {', '.join(readings.tables[0].channels)}"


def _name(text: str) -> str:
    name = re.sub(r"[^a-zA-Z0-9_-]+", "-", text).strip("-")
    if not name:
        raise argparse.ArgumentTypeError(f"{text!r} is no name; wanted letters, digits, - or _")
    return name


def _at_least(least: int) -> Any:
    def whole(text: str) -> int:
        number = int(text)
        if number < least:
            raise argparse.ArgumentTypeError(f"{number} is below {least}")
        return number

    return whole


def _part(text: str) -> float:
    number = float(text)
    if not 0 <= number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not in 0 to below 1")
    return number


def _unit(text: str) -> tuple[str, str]:
    channel, separator, unit = text.rpartition("=")
    if not separator or not channel:
        raise argparse.ArgumentTypeError(f"{text!r} is not CHANNEL=UNIT")
    return channel.strip(), unit.strip()
