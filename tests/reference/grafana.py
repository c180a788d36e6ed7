"""config/grafana/bridge.json: the dashboard that `tests.reference.dashboard` describes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from tests.reference.dashboard import BANDS, Panel

_DATASOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
_COLUMNS, _HEIGHT = 3, 8
_WIDTH: Final = 24 // _COLUMNS


def page() -> str:
    """Write the dashboard."""
    return json.dumps(_dashboard(), indent=2, ensure_ascii=False) + "\n"


def _dashboard() -> dict[str, Any]:
    return {
        "uid": "shipx-bridge",
        "title": "ShipX Bridge",
        "description": "Written by `python -m tests.drift --write` from tests/reference/dashboard.py.",
        "tags": ["bridge"],
        "editable": False,
        "schemaVersion": 39,
        "time": {"from": "now-6h", "to": "now"},
        "refresh": "30s",
        "templating": {"list": [_datasource(), _namespace()]},
        "panels": list(_laid_out()),
    }


def _datasource() -> dict[str, Any]:
    return {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"}


def _namespace() -> dict[str, Any]:
    return {
        "name": "namespace",
        "label": "Namespace",
        "type": "query",
        "datasource": _DATASOURCE,
        "query": "label_values(bridge_ready, namespace)",
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    }


def _laid_out() -> Iterator[dict[str, Any]]:
    """Place every row's title, and its graphs below it, three beside each other."""
    y = 0
    for band in BANDS:
        yield {"type": "row", "title": band.title, "collapsed": False, "panels": [], "gridPos": _place(0, y, 24, 1)}
        y += 1
        for number, panel in enumerate(band.panels):
            line, column = divmod(number, _COLUMNS)
            yield _graph(panel, _place(column * _WIDTH, y + line * _HEIGHT, _WIDTH, _HEIGHT))
        y += -(-len(band.panels) // _COLUMNS) * _HEIGHT


def _place(x: int, y: int, w: int, h: int) -> dict[str, int]:
    return {"x": x, "y": y, "w": w, "h": h}


def _graph(panel: Panel, place: dict[str, int]) -> dict[str, Any]:
    return {
        "type": "timeseries",
        "title": panel.title,
        "description": panel.description,
        "datasource": _DATASOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "options": {"tooltip": {"mode": "multi", "sort": "desc"}, "legend": {"displayMode": "list"}},
        "targets": [
            {"refId": chr(ord("A") + n), "datasource": _DATASOURCE, "expr": query, "legendFormat": legend}
            for n, (legend, query) in enumerate(panel.expressions().items())
        ],
    }
