"""Matching episodes with faults, and the table that shows it."""

import json

from edge.wire.events import Contributor, Event, RuleHit
from firmware_sim.demo.baseline import Baseline
from firmware_sim.demo.table import table
from firmware_sim.demo.verdict import GRACE_S, Episode, episodes_of, judge, read_faults
from firmware_sim.machine.faults import make_fault
from firmware_sim.machine.truth import truth, write_truth

LEAK = make_fault("leak", 1000.0, 2000.0)
NOISE = make_fault("noise", 5000.0, 6000.0, channel="flow")


def episode(start: float, channel: str | None = "pressure", delay_s: float = 0.0) -> Episode:
    return Episode(start, start + delay_s, "anomaly", channel)


def event(event_type, time, top_score=1.2, **fields) -> Event:
    body = {"id": "a", "stream": "pump1", "kind": "anomaly", "start_time": 1000.0, "end_time": None}
    body |= {"score": top_score, "severity": "warning", "return_period_s": None, **fields}
    return Event(event_type=event_type, time=time, top_score=top_score, **body)


def test_an_episode_finds_a_fault_from_its_start_to_the_end_of_its_grace():
    for start in (1000.0, 2000.0 + GRACE_S):
        assert judge([LEAK], [episode(start)]).found == 1
    for start in (999.0, 2001.0 + GRACE_S):
        verdict = judge([LEAK], [episode(start)])
        assert verdict.found == 0
        assert len(verdict.false) == 1


def test_a_second_episode_of_a_found_fault_is_not_false():
    verdict = judge([LEAK], [episode(1900.0), episode(1100.0, delay_s=5.0)])

    assert verdict.findings[0].delay_s == 105.0
    assert verdict.false == ()


def test_blame_is_right_where_the_fault_moves_the_channel():
    verdict = judge([LEAK, NOISE], [episode(1100.0, "motor_current"), episode(5100.0, "pressure")])

    assert [finding.blamed_right for finding in verdict.findings] == [True, False]


def test_it_passes_with_eight_of_ten_and_one_false_episode_and_not_with_less():
    faults = [make_fault("leak", 1000.0 * n, 1000.0 * n + 100.0) for n in range(1, 11)]
    hits = [episode(1000.0 * n) for n in range(1, 9)]

    assert judge(faults, [*hits, episode(500.0)]).passed
    assert not judge(faults, hits[1:]).passed
    assert not judge(faults, [*hits, episode(500.0), episode(600.0)]).passed


def test_events_of_one_id_are_one_episode_with_its_highest_score():
    parts = (Contributor("flow", 0.3, 1.0, 2.0), Contributor("pressure", 0.6, 1.0, 2.0))
    events = [event("new", 1004.0, contributors=parts), event("update", 1064.0, 3.5), event("end", 1200.0, 3.5)]

    assert episodes_of(events) == [Episode(1000.0, 1004.0, "anomaly", "pressure", 3.5)]


def test_a_rule_blames_its_channel_and_has_no_score():
    hit = event("new", 1060.0, None, kind="sensor", rule=RuleHit("flat", "flow", 60.0, 1.0))

    assert episodes_of([hit]) == [Episode(1000.0, 1060.0, "sensor", "flow", None)]


def test_faults_come_back_from_the_simulators_truth_file(tmp_path):
    write_truth(tmp_path / "truth.json", truth([NOISE, LEAK], ["pump1"], 0.0, 9000.0, 1.0, 1))

    assert read_faults(tmp_path / "truth.json") == [LEAK, NOISE]
    assert json.loads((tmp_path / "truth.json").read_text())["faults"]


def test_the_table_names_what_was_found_missed_and_false():
    verdict = judge([LEAK, NOISE], [episode(1100.0), episode(3000.0, "flow")])

    text = table(verdict, Baseline((False, False), 3), 0.0)

    found, missed = (next(line for line in text.splitlines() if line.startswith(kind)) for kind in ("leak", "noise"))
    facts = "leak (pressure) 1.00 0:16:40 0:33:20 yes 100 s anomaly pressure yes NO"
    assert found.split() == facts.split()
    assert missed.split()[-2:] == ["NO", "NO"]
    assert "False episode: 0:50:00, anomaly, blames flow" in text
    assert "Missed: noise (flow), 1:23:20 to 1:40:00, severity 1.00\n" in text
    assert "Offbeat: 1 of 2 faults found, 1 false episode\n" in text
    assert text.endswith("same run: 0 of 2 faults found, 3 false episodes")
