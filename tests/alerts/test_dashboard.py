"""The dashboard: what its graphs ask for exists, and nothing in it belongs to somebody's own Grafana.

That it looks well is for eyes: nothing here draws it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.alerts.rules import ROOT
from tests.alerts.test_rules import check_expression, promtool
from tests.reference.dashboard import BANDS, Panel

DASHBOARD = json.loads((ROOT / "config" / "grafana" / "bridge.json").read_text(encoding="utf-8"))
PANELS = [panel for band in BANDS for panel in band.panels]
VARIABLES = {"$__rate_interval": "5m", "$namespace": ".*"}
"""What Grafana puts in."""


def filled_in(expr: str) -> str:
    for name, value in VARIABLES.items():
        expr = expr.replace(name, value)
    return expr


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """Walk every object of a document."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from objects(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from objects(inner)


def test_every_query_is_read_by_prometheus(tmp_path: Path) -> None:
    asked = [filled_in(target["expr"]) for panel in DASHBOARD["panels"] for target in panel.get("targets", [])]
    recorded = [{"record": f"dashboard:query:{n}", "expr": expr} for n, expr in enumerate(asked)]
    path = tmp_path / "queries.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": recorded}]}))
    promtool("check", "rules", path)
    assert len(asked) == sum(len(panel.queries) for panel in PANELS)


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.title)
def test_a_graph_asks_for_metrics_and_labels_that_exist_and_shows_labels_that_it_keeps(panel: Panel) -> None:
    for legend, expr in panel.expressions().items():
        check_expression(filled_in(expr))
        kept = re.search(r"by \(([^)]*)\)", expr)
        shown = set(re.findall(r"\{\{(\w+)\}\}", legend))
        assert shown <= set(re.split(r",\s*", kept.group(1)) if kept else ()), legend


def test_the_rows_are_those_that_somebody_looks_for() -> None:
    assert [panel["title"] for panel in DASHBOARD["panels"] if panel["type"] == "row"] == [
        "Money",
        "Webhooks, inbox and outbox",
        "Broker",
        "Carriers",
        "Returns and labels",
        "Processes",
    ]


def test_it_names_no_data_source_and_has_no_number_of_somebodys_own_grafana() -> None:
    for one in objects(DASHBOARD):
        assert "id" not in one
        if "datasource" in one:
            assert one["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    assert {one["name"] for one in DASHBOARD["templating"]["list"]} == {"datasource", "namespace"}


def test_graphs_lie_beside_each_other_and_not_on_each_other() -> None:
    taken = set[tuple[int, int]]()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
