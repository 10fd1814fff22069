"""What devices and programs really sent, each with its source: tests/edge/sources/payloads/README.md."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from edge.sources.formats.choosing import FORMATS
from edge.sources.formats.mapped import matches
from edge.sources.formats.message import Decoder, Message
from edge.sources.formats.uplinks import UPLINKS
from edge.wire.readings import FrameError, Readings

FOLDER = Path(__file__).resolve().parents[1] / "payloads"


@cache
def recorded(name: str) -> tuple[dict[str, Any], ...]:
    """The messages of a file, in their order."""
    return tuple(tomllib.loads((FOLDER / f"{name}.toml").read_text("utf-8"))["message"])


def payload(one: dict[str, Any]) -> bytes:
    return bytes.fromhex(one["hex"]) if "hex" in one else one["payload"].encode()


def wanted(one: dict[str, Any]) -> list[tuple[str, Readings]]:
    return [
        (
            each["board"],
            Readings(
                each.get("values", {}),
                each.get("time"),
                rejected=tuple(each.get("rejected", ())),
                offline=each.get("offline", False),
            ),
        )
        for each in one["readings"]
    ]


def assert_as_written(decoder: Decoder, one: dict[str, Any]) -> None:
    message = Message(one["topic"], payload(one))
    if not any(matches(pattern, message.levels) for pattern in decoder.topics):
        assert one["readings"] == []  # it is not subscribed to
        return
    if "bad" in one:
        with pytest.raises(FrameError, match=one["bad"]):
            list(decoder.decode(message))
        return
    found = list(decoder.decode(message))
    for (board, readings), (wanted_board, wanted_readings) in zip(found, wanted(one), strict=True):
        assert board == wanted_board
        assert readings.time == pytest.approx(wanted_readings.time, abs=1e-6)
        assert (readings.values, readings.rejected, readings.offline) == (
            wanted_readings.values,
            wanted_readings.rejected,
            wanted_readings.offline,
        )


@pytest.mark.parametrize("name", FORMATS)
def test_recorded_messages_are_read_as_what_they_say(name):
    decoder = FORMATS[name]()
    for one in recorded(name):
        assert_as_written(decoder, one)


def test_uplinks_of_lorawan_servers_are_read_by_the_mapping_that_the_how_to_gives():
    decoders = {name: uplink.decoder() for name, uplink in UPLINKS.items()}
    for one in recorded("uplinks"):
        assert_as_written(decoders[one["as"]], one)


def test_every_recording_names_its_source_and_the_table_lists_it():
    table = (FOLDER / "README.md").read_text("utf-8")

    for file in FOLDER.glob("*.toml"):
        for one in recorded(file.stem):
            assert one["source"].split(", ")[0].split(" at ")[0] in table, (file.name, one["source"])
