"""Rules and dashboard ask for metrics that there are, and the dashboard is one that Grafana can import."""

import json
import re
from pathlib import Path

import pytest

from edge.prometheus.exporter import Exporter
from edge.wire.topics import DeviceTopics

ROOT = Path(__file__).resolve().parents[3]
DASHBOARD = ROOT / "edge/prometheus/grafana/offbeat.json"
RULES = ROOT / "edge/prometheus/rules/offbeat.yml"


def names() -> set[str]:
    families = Exporter(DeviceTopics("gw-1"), "1").collect()
    suffix = {"counter": "_total", "info": "_info", "gauge": ""}
    return {family.name + suffix[family.type] for family in families}


@pytest.mark.parametrize("file", [DASHBOARD, RULES], ids=lambda file: file.name)
def test_every_metric_that_is_asked_for_is_there(file):
    asked = set(re.findall(r"\boffbeat_\w+", file.read_text()))

    assert asked
    assert asked <= names()


def test_the_dashboard_is_whole():
    dashboard = json.loads(DASHBOARD.read_text())

    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, "Grafana's grid has 24 columns"
        assert panel["targets"]
    places = [(p["gridPos"]["x"], p["gridPos"]["y"]) for p in panels]
    assert len(set(places)) == len(places)
    assert {one["name"] for one in dashboard["templating"]["list"]} == {"datasource", "instance"}


def test_the_docs_list_no_metric_that_there_is_not():
    page = (ROOT / "docs/how-to/use-prometheus.md").read_text()

    assert set(re.findall(r"`(offbeat_\w+?)[`{]", page)) <= names()
