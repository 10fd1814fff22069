"""Rules and dashboard ask for metrics that there are, and the dashboard is one that Grafana can import."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.prometheus.exporter import Exporter
from edge.wire.topics import DeviceTopics

ROOT = Path(__file__).resolve().parents[3]
DASHBOARD = ROOT / "edge/prometheus/grafana/offbeat.json"
RULES = ROOT / "edge/prometheus/rules/offbeat.yml"


def names() -> set[str]:
    families = Exporter(DeviceTopics("gw-1"), "1").collect()
    suffix = {"counter": "_total", "info": "_info", "gauge": "", "summary": ""}
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


def lost(told: Any, kept: Any, where: str = "dashboard") -> Iterator[str]:
    """What is in `told` and not, or otherwise, in `kept`."""
    if isinstance(told, dict) and isinstance(kept, dict):
        for name, value in told.items():
            yield from lost(value, kept[name], f"{where}.{name}") if name in kept else [f"{where}.{name}"]
    elif isinstance(told, list) and isinstance(kept, list) and len(told) == len(kept):
        for number, pair in enumerate(zip(told, kept, strict=True)):
            yield from lost(*pair, f"{where}[{number}]")
    elif told != kept:
        yield f"{where}: {told} became {kept}"


def test_grafana_s_own_schema_knows_every_field_of_the_dashboard():
    """Its types are made from that schema, and drop what it does not have."""
    pytest.importorskip("grafana_foundation_sdk")
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.cog.plugins import register_default_plugins
    from grafana_foundation_sdk.models.dashboard import Dashboard

    register_default_plugins()
    told = json.loads(DASHBOARD.read_text())

    def through(body: dict[str, Any]) -> Any:
        return json.loads(JSONEncoder().encode(Dashboard.from_json(body)))

    assert list(lost(told, through(told))) == []
    wrong = {**told, "refreshh": "10s", "panels": [{**told["panels"][0], "gridPosition": {}}]}
    assert sorted(lost(wrong, through(wrong))) == ["dashboard.panels[0].gridPosition", "dashboard.refreshh"]


def test_the_docs_list_no_metric_that_there_is_not():
    page = (ROOT / "docs/how-to/use-prometheus.md").read_text()

    assert set(re.findall(r"`(offbeat_\w+?)[`{]", page)) <= names()
