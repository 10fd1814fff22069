"""The terminal speaks as whoever notifies does: once for what fails together, gently, and says all with `--all`."""

import datetime
import io
import threading
from dataclasses import replace

import pytest

from edge.__main__ import build_parser
from edge.commands.watch_options import chosen
from edge.config.errors import ConfigError
from edge.watch.display import Choice, Display
from edge.watch.notify import NotifySettings
from edge.watch.spoken import Spoken
from edge.wire.events import EventMessage, encode_message
from tests.helpers.alerts import alert

NOON = 1_767_225_600.0 + 12 * 3600


def utc(time: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(time, datetime.UTC)


def message(number: int = 1, event_type="new", group: str = "g", **fields) -> EventMessage:
    event = replace(alert(number, event_type, f"p{number}", f"e{number}"), group=group, **fields)
    return EventMessage(event, "gw-1", "log", number)


class Clock:
    """Moved by hand."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


def spoken(clock: Clock, **settings) -> Spoken:
    return Spoken(NotifySettings(local=utc, **settings), wall=clock)


def test_twenty_streams_that_fail_together_are_one_line_and_one_more_a_minute_later():
    clock = Clock()
    one = spoken(clock)

    at_once = [one.alert(message(number)) for number in range(1, 21)]
    clock.now += 60
    later = one.due(100.0)

    assert [len(lines) for lines in at_once] == [1] + [0] * 19
    assert all(words in at_once[0][0] for words in ("gw-1/p1", "NEW"))
    (line,) = later
    assert all(words in line for words in ("UPDATE", "gw-1: 20 streams: warning", "20 open"))


def test_of_one_stream_the_lines_are_those_of_its_first_alert_its_worse_one_and_its_end():
    one = spoken(Clock())

    told = [
        one.alert(message()),
        one.alert(message(event_type="update")),
        one.alert(message(event_type="update", severity="critical")),
        one.alert(message(event_type="update", severity="critical")),
        one.alert(message(event_type="end", severity="critical")),
    ]

    assert [len(lines) for lines in told] == [1, 0, 1, 0, 1]
    assert "lasted" in told[-1][0]


def test_in_quiet_hours_only_what_is_critical_is_told_and_the_rest_in_a_summary():
    clock = Clock()
    one = spoken(clock, quiet_from=datetime.time(11), quiet_until=datetime.time(13))

    assert one.due(0.0) == []
    assert one.alert(message(1, group="a")) == []
    assert len(one.alert(message(2, group="b", severity="critical"))) == 1
    clock.now += 3601

    (summary,) = one.due(10.0)
    assert all(words in summary for words in ("SUMMARY", "1 not notified of at the time"))


def test_beyond_so_many_a_day_only_what_is_critical_is_told():
    one = spoken(Clock(), a_day=2)

    told = [len(one.alert(message(number, group=str(number)))) for number in range(1, 6)]

    assert told == [1, 1, 0, 0, 0]
    assert len(one.alert(message(9, group="9", severity="critical"))) == 1


def test_what_is_over_without_its_end_is_told_from_the_state():
    one = spoken(Clock())
    one.alert(message())

    (line,) = one.state("gw-1", "p1", {"open": [], "time": NOON + 1e9})

    assert all(words in line for words in ("END", "gw-1/p1: over"))


def shown(choice: Choice) -> list[str]:
    out = io.StringIO()
    display = Display(out, io.StringIO(), False, choice, threading.Event())
    for each in (message(1), message(2), message(1, "update"), message(3, group="other")):
        display.event(each, encode_message(each))
    display.turn()
    return out.getvalue().splitlines()


def test_the_display_shows_each_alert_or_what_is_to_be_told():
    assert len(shown(Choice())) == 4
    assert len(shown(Choice(notify=NotifySettings()))) == 2
    assert len(shown(Choice(notify=NotifySettings(), stream="p2"))) == 1


@pytest.mark.parametrize(
    ("arguments", "every"),
    [([], False), (["--all"], True), (["--json"], True), (["--since", "1h"], True), (["--until-event"], True)],
)
def test_the_command_speaks_gently_unless_every_alert_is_asked_for(arguments, every):
    choice = chosen(build_parser().parse_args(["watch", *arguments]))

    assert (choice.notify is None) is every


def test_quiet_hours_and_budget_are_options_and_what_are_no_hours_is_refused():
    choice = chosen(build_parser().parse_args(["watch", "--quiet", "22:00-06:30", "--a-day", "5"]))

    assert choice.notify is not None
    assert (choice.notify.quiet_from, choice.notify.quiet_until) == (datetime.time(22), datetime.time(6, 30))
    assert choice.notify.a_day == 5
    with pytest.raises(ConfigError, match="22:00-07:00"):
        chosen(build_parser().parse_args(["watch", "--quiet", "late"]))
