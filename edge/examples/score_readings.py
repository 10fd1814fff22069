"""Scores the readings of a CSV file with a bundle: a line for each row in alarm, and for each event.

    python -m edge.examples.score_readings models/pump readings.csv

The file has a column `time`, Unix seconds or ISO 8601, and a column for each channel of the bundle;
an empty cell is a reading that is missing.
"""

import csv
import datetime
import sys
from collections.abc import Iterator

from edge import Detector, Event, Outcome


def readings(path: str, channels: tuple[str, ...]) -> Iterator[tuple[float, dict[str, float | None]]]:
    """Time in Unix seconds and channel to value, None where the cell is empty, of each row."""
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            yield seconds(row["time"]), {name: float(row[name]) if row[name] else None for name in channels}


def seconds(text: str) -> float:
    """Unix seconds; a time that names no zone is UTC."""
    try:
        return float(text)
    except ValueError:
        time = datetime.datetime.fromisoformat(text)
        return (time if time.tzinfo else time.replace(tzinfo=datetime.UTC)).timestamp()


def show_row(outcome: Outcome) -> None:
    """Print a row that is in alarm."""
    name = outcome.top_channel
    if outcome.alarm and name in outcome.expected:
        expected, tolerance = outcome.expected[name], outcome.tolerance[name]
        print(f"{outcome.time:.0f} score {outcome.score:.2f}: {name}, expected {expected:.4g} +- {tolerance:.2g}")


def show_event(event: Event) -> None:
    """Print an event."""
    print(f"{event.time:.0f} {event.event_type} {event.kind} {event.id}")


def main(folder: str, path: str) -> None:
    """Score a file."""
    detector = Detector.load(folder)
    for time, values in readings(path, detector.channels):
        for outcome in detector.update(time, values):
            show_row(outcome)
            for event in outcome.events:
                show_event(event)
    for event in detector.close():
        show_event(event)


if __name__ == "__main__":
    main(*sys.argv[1:])
