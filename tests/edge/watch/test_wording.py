"""A line says what happened, how bad, since when and why, and cannot steer the terminal."""

import dataclasses
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.watch.wording import alert_line, duration_words, local_time
from edge.wire.events import Contributor, Event, EventMessage, Peak
from tests.helpers.alerts import alert, rule_alert


def line(event: Event, **fields: bool) -> str:
    return alert_line(EventMessage(event, "gw-1", "log", 1, **fields), UTC)


def test_a_new_anomaly_tells_score_rarity_onset_and_channels() -> None:
    assert line(alert(4)) == (
        "2025-11-22 00:41:04  gw-1/pump1        NEW     warning   score 1.50, about once in 12 hours, "
        "since 00:40:04; vibration 4.9 mm/s, above 2.2 ± 0.6 (level); flow missing instead of 11"
    )


def test_the_end_tells_the_peak_and_how_long_it_lasted() -> None:
    assert line(alert(0, "end")) == (
        "2025-11-22 00:41:00  gw-1/pump1        END     warning   top score 2.50 at 00:40:30, about once in 3 days, "
        "lasted 1 minute; vibration 6.1 mm/s, above 2.2 ± 0.6 (level)"
    )


def test_an_end_without_a_peak_tells_the_top_score_alone() -> None:
    text = line(dataclasses.replace(alert(0, "end"), peak=None))

    assert "END     warning   top score 2.50, lasted 1 minute; vibration 4.9 mm/s" in text
    assert "about once" not in text, "the rarity of the last score beside the top one would mislead"


def test_a_peak_on_another_day_has_its_date() -> None:
    event = alert(0, "end")
    peak = dataclasses.replace(event.peak, time=event.time - 86400)

    assert "top score 2.50 at 2025-11-21 00:41:00" in line(dataclasses.replace(event, peak=peak))


def test_an_update_before_calm_says_so() -> None:
    calming = dataclasses.replace(alert(1, "update"), calming=True)

    assert "UPDATE  warning   calming, score 1.50" in line(calming)
    assert "calming" not in line(alert(1, "update"))


def test_an_update_before_calm_names_the_channels_of_the_peak_not_the_last_said_as_if_they_were_so_now() -> None:
    calming = dataclasses.replace(alert(1, "update"), calming=True, score=0.05, peak=alert(0, "end").peak)

    assert "vibration 6.1 mm/s" in line(calming)
    assert "4.9" not in line(calming)


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (Contributor("a", 1.0, 4.9, 2.2, "V", 0.6, "above", "level"), "a 4.9 V, above 2.2 ± 0.6 (level)"),
        (Contributor("a", 1.0, 1.1, 2.2, "V", 0.6, "below", "relation"), "a 1.1 V, below 2.2 ± 0.6 (relation)"),
        (Contributor("a", 1.0, 2.3, 2.2, "V", 0.6, None, "noise"), "a 2.3 V, within 2.2 ± 0.6 (noise)"),
        (Contributor("a", 1.0, 4.9, 2.2, "V", None, "above", None), "a 4.9 V, above 2.2"),
        (Contributor("a", 1.0, 4.9, 2.2, "V", None, None, "pattern"), "a 4.9 V instead of 2.2 (pattern)"),
        (Contributor("a", 1.0, 4.9, 2.2, "V"), "a 4.9 V instead of 2.2"),
        (Contributor("a", 1.0, None, 2.2, "V", 0.6), "a missing instead of 2.2 ± 0.6"),
        (Contributor("a", 1.0, 4.9, None, "V", 0.6, None, "level"), "a 4.9 V (level)"),
        (Contributor("a", 1.0, 4.9, 2.2, "V", 0.6, "above", "phase"), "a 4.9 V, above 2.2 ± 0.6 (phase)"),
    ],
)
def test_a_channel_is_told_with_what_is_usual_and_what_is_not(part: Contributor, words: str) -> None:
    assert line(dataclasses.replace(alert(1), contributors=(part,))).endswith(f"; {words}")


def test_a_rule_tells_its_limit_and_the_value() -> None:
    assert "NEW     critical  rule: max on temperature = 93.2 (limit 90), since" in line(rule_alert())


def test_drift_is_named() -> None:
    assert "drift, score 1.50" in line(dataclasses.replace(alert(1), kind="drift"))


def test_an_onset_on_another_day_has_its_date() -> None:
    assert "since 2025-11-21 00:40:00" in line(dataclasses.replace(alert(0), start_time=1763772000.0 - 86400))


def test_what_may_have_come_before_or_is_not_on_disk_is_marked() -> None:
    assert line(alert(1)).count("[") == 0
    assert line(alert(1), replayed=True).endswith("[perhaps sent before]")
    assert line(alert(1), durable=False).endswith("[not on disk]")


def test_the_three_channels_with_the_largest_share_are_named_largest_first() -> None:
    parts = tuple(Contributor(f"c{number}", number / 10, 1.0, None) for number in (1, 3, 2, 4))

    text = line(dataclasses.replace(alert(1), contributors=parts))

    assert text.endswith("; c4 1; c3 1; c2 1")


def test_only_the_word_is_coloured() -> None:
    message = EventMessage(alert(1, stream="NEW"), "NEW", "log", 1)

    assert "\033[31mNEW   \033[0m" in alert_line(message, UTC, colour=True)
    assert alert_line(message, UTC, colour=True).count("\033") == 2


def test_control_characters_from_the_network_do_not_reach_the_terminal() -> None:
    part = Contributor("\033[2J\nvibration", 1.0, 1.0, 1.0, "\x9b31m\u202e\ud800")

    text = line(dataclasses.replace(alert(1), contributors=(part,)))

    assert text.isprintable()
    assert "?[2J?vibration" in text


@pytest.mark.parametrize("time", [1e300, -1e300, 1e18, -1e12])
def test_a_time_beyond_any_calendar_is_shown_as_a_number(time: float) -> None:
    assert local_time(time, UTC) == f"{time:g}"
    assert "gw-1" in line(dataclasses.replace(alert(1), start_time=time, time=time))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 seconds"),
        (1, "1 second"),
        (45, "45 seconds"),
        (60, "1 minute"),
        (90, "90 seconds"),
        (120, "2 minutes"),
        (43200, "12 hours"),
        (86400, "1 day"),
        (129600, "36 hours"),
        (1209600, "2 weeks"),
        (31557600 * 3, "3 years"),
        (1e300, f"{1e300 / 31557600:.0f} years"),
    ],
)
def test_durations_are_told_in_their_largest_fitting_unit(seconds: float, words: str) -> None:
    assert duration_words(seconds) == words


@given(
    st.floats(allow_nan=False, allow_infinity=False), st.floats(0, 1e308), st.none() | st.floats(0, 1e308), st.text()
)
def test_any_decoded_event_makes_one_printable_line(
    time: float, score: float, period_s: float | None, name: str
) -> None:
    part = Contributor(name, 0.5, time, score, name, score, "above", name)
    peak = Peak(-time, score, period_s, (part,))
    event = dataclasses.replace(
        alert(1), time=time, start_time=-time, score=score, return_period_s=period_s, id=name, contributors=(part,)
    )
    end = dataclasses.replace(event, event_type="end", end_time=time, peak=peak)

    assert line(event).isprintable()
    assert line(end).isprintable()
