"""From configured streams to loaded ones: which rules a stream has."""

import json
from pathlib import Path

import numpy as np
import pytest

from edge.agent.loading import load_streams
from edge.config.settings import StreamConfig
from edge.detector.bundle.files import MANIFEST, BundleError, load_bundle
from edge.detector.bundle.rules import ChannelRules
from edge.detector.rows.row import Row
from tests.helpers.tiny_bundle import normal, write_tiny_bundle


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A bundle that learned a limit for the flow, which is between 1 and 3."""
    return with_rules(write_tiny_bundle(tmp_path / "tiny").folder, {"flow": {"max": 6.0}})


def with_rules(folder: Path, rules: object) -> Path:
    body = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps({**body, "rules": rules}))
    return folder


def alarms(folder: Path, **settings: object) -> list[str]:
    """The rules that a flow of 7 breaks."""
    config = StreamConfig(id="a", source="rig", board="a", bundle=folder, **settings)
    group = load_streams([config], "auto", live=()).group
    values = list((normal(0.0) | {"flow": 7.0}).values())
    (outcome,) = group.process([(0, Row(0.0, np.array(values)))])
    return [event.rule.name for event in outcome.events if event.rule is not None]


def test_learned_rules_are_off_until_they_are_asked_for(folder: Path) -> None:
    assert alarms(folder) == []
    assert alarms(folder, learned_rules=True) == ["max"]


def test_a_rule_in_the_config_goes_before_a_learned_one(folder: Path) -> None:
    assert alarms(folder, learned_rules=True, rules={"flow": ChannelRules(max=8.0)}) == []
    assert alarms(folder, learned_rules=True, rules={"pressure": ChannelRules(max=1.0)}) == ["max", "max"]


@pytest.mark.parametrize("rules", [{"heat": {"max": 6.0}}, {"flow": {"max": "high"}}, {"flow": 7}, [1]])
def test_rules_that_are_none_or_of_another_channel_make_a_bundle_unusable(folder: Path, rules: object) -> None:
    with pytest.raises(BundleError):
        load_bundle(with_rules(folder, rules))


@pytest.mark.parametrize(
    ("settings", "measured"), [({}, True), ({"calibrate_rows": 40}, False), ({"variant": "dynamic"}, False)]
)
def test_variants_are_measured_unless_one_is_named_or_learnt_with(folder: Path, caplog, settings, measured) -> None:
    body = json.loads((folder / MANIFEST).read_text())
    (variant,) = body["variants"]
    body["variants"] = [variant, {**variant, "name": "dynamic"}]
    (folder / MANIFEST).write_text(json.dumps(body))
    caplog.set_level("INFO")

    load_streams([StreamConfig(id="a", source="rig", board="a", bundle=folder, **settings)], "auto", live=())

    assert ("of those that run here" in caplog.text) == measured
