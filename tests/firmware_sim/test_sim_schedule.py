"""Schedules: drawn at random, written on the command line, read from files."""

import json
from itertools import pairwise

import pytest

from firmware_sim.machine.faults import SLOW_KINDS, FaultError, make_fault
from firmware_sim.machine.truth import truth, write_truth
from firmware_sim.schedule.schedule import FAST_KINDS, DrawSettings, draw_schedule
from firmware_sim.schedule.schedule_text import parse_fault, read_schedule
from firmware_sim.schedule.timetext import parse_duration, parse_time

DAY_S = 86400.0


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("duration_s", [None, 8 * 3600.0])
def test_drawn_faults_leave_normal_time_before_between_and_after(seed: int, duration_s: float | None):
    draw = DrawSettings()

    faults = draw_schedule(seed, 1, 10, 1000.0, duration_s)

    assert len(faults) == 10
    assert faults[0].start >= 1000.0 + draw.lead_in_s - 1.0
    assert all(late.start - early.end >= draw.gap_s - 2.0 for early, late in pairwise(faults))
    if duration_s is not None:
        assert faults[-1].end <= 1000.0 + duration_s - draw.gap_s + 2.0


def test_kinds_are_dealt_so_that_each_comes_once_before_any_comes_twice():
    faults = draw_schedule(0, 1, len(FAST_KINDS), 0.0, None)

    assert sorted(fault.kind for fault in faults) == sorted(FAST_KINDS)
    assert not set(SLOW_KINDS) & set(FAST_KINDS)


def test_equal_seeds_draw_equal_schedules_and_others_do_not():
    assert draw_schedule(4, 1, 8, 0.0, DAY_S) == draw_schedule(4, 1, 8, 0.0, DAY_S)
    assert draw_schedule(4, 1, 8, 0.0, DAY_S) != draw_schedule(5, 1, 8, 0.0, DAY_S)
    assert draw_schedule(4, 1, 8, 0.0, DAY_S) != draw_schedule(4, 2, 8, 0.0, DAY_S)


def test_too_many_faults_for_the_run_are_refused_with_the_length_they_need():
    with pytest.raises(FaultError, match=r"take \d+\.\d h, the run has 1\.0 h"):
        draw_schedule(0, 1, 10, 0.0, 3600.0)


def test_a_fault_on_the_command_line_counts_from_the_start_of_the_run():
    assert parse_fault("cavitation@2h+10m:0.8", 1000.0, "pump1") == make_fault("cavitation", 8200.0, 8800.0, 0.8)
    assert parse_fault("pump2:stuck.flow@30m+90", 0.0, "pump1") == make_fault(
        "stuck", 1800.0, 1890.0, channel="flow", board="pump2"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cavitation", "wanted .*KIND"),
        ("rust@1h+1m", "no fault is called"),
        ("leak@soon+1m", "no duration"),
        ("leak@1h+0", "positive duration"),
        ("leak@1h+1m:big", "wanted a number"),
        ("leak.flow@1h+1m", "takes no channel"),
    ],
)
def test_a_fault_that_cannot_be_read_is_named_with_what_is_wrong(text: str, message: str):
    with pytest.raises(FaultError, match=message) as caught:
        parse_fault(text, 0.0, "pump1")
    assert "\n" not in str(caught.value)


def test_a_truth_file_used_as_a_schedule_repeats_its_faults(tmp_path):
    faults = draw_schedule(3, 1, 11, 0.0, DAY_S)
    write_truth(tmp_path / "truth.json", truth(faults, ("pump1",), 0.0, DAY_S, 1.0, seed=3))

    assert read_schedule(tmp_path / "truth.json", 0.0, "pump1") == faults


def test_a_schedule_takes_offsets_iso_times_and_durations(tmp_path):
    entries = [
        {"kind": "leak", "start": "+1h", "duration": "10m"},
        {"kind": "noise", "channel": "speed", "start": "1970-01-01T02:00:00Z", "end": 7260, "severity": 2},
    ]
    (tmp_path / "s.json").write_text(json.dumps({"faults": entries}))

    assert read_schedule(tmp_path / "s.json", 100.0, "p") == (
        make_fault("leak", 3700.0, 4300.0, board="p"),
        make_fault("noise", 7200.0, 7260.0, 2.0, "speed", "p"),
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("no json", "wanted JSON"),
        ("[]", "wanted JSON"),
        ('{"faults": {}}', "no list"),
        ('{"faults": [7]}', "fault 1: wanted an object"),
        ('{"faults": [{"kind": "leak"}]}', "'start' is missing"),
        ('{"faults": [{"kind": "leak", "start": 0}]}', "'duration' is missing"),
        ('{"faults": [{"kind": "leak", "start": 0, "duration": 5, "when": 3}]}', "unknown key 'when'"),
        ('{"faults": [{"kind": "leak", "start": 0, "duration": 5, "severity": [1]}]}', "wanted a number"),
    ],
)
def test_a_bad_schedule_is_refused_with_the_file_and_the_fault(tmp_path, content: str, message: str):
    (tmp_path / "s.json").write_text(content)

    with pytest.raises(FaultError, match=message) as caught:
        read_schedule(tmp_path / "s.json", 0.0, "pump1")
    assert "s.json" in str(caught.value)


def test_the_truth_leaves_out_what_the_run_did_not_reach_and_cuts_what_it_cut():
    faults = (make_fault("leak", 100.0, 200.0), make_fault("noise", 300.0, 400.0))

    content = truth(faults, ("pump1",), 0.0, 150.0, 1.0, seed=0)

    assert [(fault["kind"], fault["start"], fault["end"]) for fault in content["faults"]] == [("leak", 100.0, 150.0)]


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("1h30m", 5400), ("2d", 172800), ("1.5m", 90), ("0", 0)])
def test_durations_are_read(text: str, seconds: float):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "h", "-5", "1h30", "nan", "inf", "5 m", "1y"])
def test_what_is_no_duration_is_refused(text: str):
    with pytest.raises(ValueError, match="is no duration"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["1767571200", "2026-01-05T00:00:00Z", "2026-01-05", "2026-01-05T01:00:00+01:00"])
def test_times_are_read_and_are_utc_without_a_zone(text: str):
    assert parse_time(text) == 1767571200.0


@pytest.mark.parametrize("text", ["", "yesterday", "-1", "1e12", "nan"])
def test_what_is_no_time_is_refused(text: str):
    with pytest.raises(ValueError, match="is no time"):
        parse_time(text)
