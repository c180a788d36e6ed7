"""The alerts: valid, each shown to fire and not to fire, on metrics, labels and values that exist.

The cases stand in the YAML files beside this one, and promtool runs them.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from bridge.carriers.shipx.webhook import KNOWN_EVENTS
from bridge.events.catalogue import CATALOGUE
from bridge.settings import ROLES
from bridge.store.hearing import State
from bridge.store.purchase import PurchaseState
from bridge.store.watched import Phase
from tests.alerts.rules import CASES, RULES, Rule, alerts, grouped_by, read, rules, selectors
from tests.reference import metrics
from tests.support.tools import need_tool

OF_TARGETS = {"namespace", "instance", "job"}
"""The labels that whoever scrapes gives to every series."""
SEVERITIES = {"critical", "warning", "info"}
VALUES = {
    ("bridge_purchases_total", "outcome"): {state.value for state in PurchaseState},
    ("bridge_purchases_open", "state"): {state.value for state in PurchaseState},
    ("bridge_deliveries_total", "outcome"): {"accepted", "duplicate", "parked", "refused", "incomplete"},
    ("bridge_deliveries_total", "event"): {*KNOWN_EVENTS, "other", "unread"},
    ("bridge_webhook_health", "state"): set(get_args(State)),
    ("bridge_ready", "role"): set(ROLES),
    ("bridge_degraded", "part"): {"broker", "database"},
    ("bridge_labels_total", "outcome"): {"kept", "given_up", "refused"},
    ("bridge_sweep_reads_skipped_total", "phase"): {phase.value for phase in Phase},
    ("bridge_events_published_total", "type"): {f"bridge.{model.type}.v1" for model in CATALOGUE},
}
"""What a label's value can be, where an alert asks for one. Carriers' calls end as 2xx … 5xx, or are lost."""
RECORDED = {
    "bridge:purchases:new15m": "bridge_purchases_total",
    "bridge:deliveries:new15m": "bridge_deliveries_total",
    "bridge:events:new1h": "bridge_events_published_total",
}
"""What a recorded series is made of."""
STARTED = "bridge_process_start_time_seconds"
"""What says whether a counter is new, or its process was not seen."""


def promtool(*arguments: str | Path) -> None:
    """Run promtool; what it says is what fails. Its memory may grow, which spares it a quarter of the work."""
    command, environ = [need_tool("promtool"), *arguments], {**os.environ, "GOGC": "400"}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rules_are_valid() -> None:
    promtool("check", "rules", RULES)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_alerts_fire_when_they_should_and_only_then(path: Path) -> None:
    promtool("test", "rules", path)


# -- the cases cover every alert ---------------------------------------------------------------------------------------


def expectations() -> Iterator[tuple[dict[str, Any], str, list[str]]]:
    """Give each case with an expression that it evaluates, and the series that it expects."""
    for path in CASES:
        for case in read(path)["tests"]:
            for one in case.get("promql_expr_test", []):
                yield case, one["expr"], [sample["labels"] for sample in one.get("exp_samples", [])]


@pytest.mark.parametrize("alert", alerts())
def test_a_case_shows_the_alert_firing(alert: str) -> None:
    assert any(f'"{alert}"' in series for _, _, expected in expectations() for series in expected)


@pytest.mark.parametrize("rule", alerts().values(), ids=lambda rule: rule.alert)
def test_a_case_shows_that_the_alert_does_not_fire_though_its_metrics_are_there(rule: Rule) -> None:
    needed = {RECORDED.get(one.metric, one.metric) for one in selectors(rule.expr)}
    needed = needed - {STARTED} or needed
    quiet = [
        case
        for case, expr, expected in expectations()
        if "ALERTS" in expr
        and (f'alertname!="{rule.alert}"' not in expr)
        and not any(f'"{rule.alert}"' in series for series in expected)
        and needed & {series["series"].partition("{")[0] for series in case["input_series"]}
    ]
    assert quiet, needed


# -- metrics -----------------------------------------------------------------------------------------------------------


def labels_of(metric: str) -> set[str] | None:
    """Give the labels of a series by its name in a query; None where there is no such metric."""
    if metric == "up":
        return set()
    if metric in RECORDED:
        return labels_of(RECORDED[metric])
    known = {one.name: one for one in metrics.every()}
    for ending, added in (("_bucket", {"le"}), ("_count", set[str]()), ("_sum", set[str]())):
        base = known.get(metric.removesuffix(ending))
        if metric.endswith(ending) and base is not None and base.kind == "histogram":
            return {*base.labels, *added}
    found = known.get(metric)
    return None if found is None or found.kind == "histogram" else set(found.labels)


def check_expression(expr: str) -> None:
    """See that an expression asks for metrics and labels that exist."""
    found = list(selectors(expr))
    assert found, expr
    known: set[str] = set()
    for one in found:
        labels = labels_of(one.metric)
        assert labels is not None, f"no metric {one.metric}"
        assert set(one.labels) <= labels | OF_TARGETS, one
        known |= labels
    assert grouped_by(expr) <= known | OF_TARGETS, expr


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.alert or rule.record)
def test_a_rule_asks_for_metrics_and_labels_that_exist(rule: Rule) -> None:
    check_expression(rule.expr)


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.alert or rule.record)
def test_a_rule_asks_for_values_that_a_label_can_have(rule: Rule) -> None:
    for one in selectors(rule.expr):
        for label, asked in one.labels.items():
            possible = VALUES.get((RECORDED.get(one.metric, one.metric), label))
            if possible is not None:
                alternatives = asked.replace("(created|creation_failed)", "created").split("|")
                assert set(alternatives) <= possible, (one, possible)


def test_what_is_recorded_is_made_of_what_the_tests_say() -> None:
    found = {rule.record: {one.metric for one in selectors(rule.expr)} for rule in rules() if rule.record}
    assert found == {name: {metric, STARTED} for name, metric in RECORDED.items()}


# -- what is said ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", alerts().values(), ids=lambda rule: rule.alert)
def test_an_alert_says_how_urgent_it_is_and_what_is_wrong_in_whole_sentences(rule: Rule) -> None:
    assert rule.labels["severity"] in SEVERITIES
    assert set(rule.annotations) == {"summary", "description", "runbook_url"}
    assert rule.annotations["description"].endswith(".")
    assert not rule.annotations["summary"].endswith(".")
