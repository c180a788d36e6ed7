"""What config/alerts.yaml says, and which metrics and labels an expression names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from tests.support import yaml_text

ROOT: Final = Path(__file__).resolve().parents[2]
RULES: Final = ROOT / "config" / "alerts.yaml"
CASES: Final = sorted(Path(__file__).parent.glob("*.yaml"))
_SELECTOR: Final = re.compile(r"\b((?:bridge[:_]|up\b)[A-Za-z0-9_:]*)\s*(?:\{([^}]*)\})?")
_MATCHER: Final = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"')
_GROUPED: Final = re.compile(r"\b(?:by|on)\s*\(([^)]*)\)")


@dataclass(frozen=True, slots=True)
class Selector:
    """A metric in an expression, with the values that its labels are asked for."""

    metric: str
    labels: dict[str, str]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; `record` is the name that a recorded one has, `alert` that of an alert."""

    alert: str
    record: str
    expr: str
    labels: dict[str, str]
    annotations: dict[str, str]


def rules() -> list[Rule]:
    """Read all rules."""
    return [
        Rule(
            one.get("alert", ""), one.get("record", ""), one["expr"], one.get("labels", {}), one.get("annotations", {})
        )
        for group in read(RULES)["groups"]
        for one in group["rules"]
    ]


def alerts() -> dict[str, Rule]:
    """Give the alerts by their names."""
    return {one.alert: one for one in rules() if one.alert}


@cache
def read(path: Path) -> Any:
    """Read a YAML file, once."""
    return yaml_text.read(path.read_text(encoding="utf-8"))


def selectors(expr: str) -> Iterator[Selector]:
    """Find the metrics of an expression."""
    for metric, matchers in _SELECTOR.findall(_without_groups(expr)):
        yield Selector(metric, dict(_MATCHER.findall(matchers)))


def grouped_by(expr: str) -> set[str]:
    """Find the labels that an expression groups or joins by."""
    return {label.strip() for labels in _GROUPED.findall(expr) for label in labels.split(",") if label.strip()}


def _without_groups(expr: str) -> str:
    return _GROUPED.sub("", expr)
