"""What selects others by labels, and what policies let through, broken on purpose."""

from __future__ import annotations

import pytest

from tests.deploy import reach, selection
from tests.deploy.pods import pods
from tests.deploy.rendering import Document, named, of_kind
from tests.unit.deploy.changing import RECEIVER, WORKER, Change, Rule, broken, peer, pod


def relabelled(document: Document, key: str) -> None:
    document["spec"]["podSelector"]["matchLabels"][key] = "another"


@pytest.mark.parametrize(
    ("rule", "name", "change", "found"),
    [
        (
            selection.findings,
            "Service/bridge-api",
            lambda it: it["spec"]["selector"].update({"shipx-bridge/api": "yes"}),
            "selects no pod",
        ),
        (
            selection.findings,
            "HorizontalPodAutoscaler/bridge-worker",
            lambda it: it["spec"]["scaleTargetRef"].update(name="worker"),
            "scales nothing",
        ),
        (
            selection.findings,
            "ServiceMonitor/bridge",
            lambda it: it["spec"]["selector"]["matchLabels"].update({"app.kubernetes.io/component": "api"}),
            "selects no Service",
        ),
        (
            selection.findings,
            "ServiceMonitor/bridge",
            lambda it: it["spec"]["endpoints"][0].update(port="metrics"),
            "has no port metrics",
        ),
        (
            selection.findings,
            "ServiceMonitor/bridge",
            lambda it: it["metadata"].update(namespace="monitoring"),
            "selects no Service",
        ),
        (
            selection.findings,
            "ServiceMonitor/bridge",
            lambda it: it["spec"]["endpoints"][0].update(path="/"),
            "no metrics at /",
        ),
        (
            selection.findings,
            WORKER,
            lambda it: pod(it).update(serviceAccountName="worker"),
            "no service account worker",
        ),
        (selection.findings, WORKER, lambda it: pod(it)["volumes"].pop(), "mounts scratch, which is no volume"),
        (
            selection.findings,
            "Service/bridge-webhooks",
            lambda it: it["spec"]["ports"][0].update(targetPort="http"),
            "has the port http",
        ),
        (
            selection.findings,
            "PodDisruptionBudget/bridge-worker",
            lambda it: it["spec"]["selector"]["matchLabels"].update({"app.kubernetes.io/component": "workers"}),
            "selects no pod",
        ),
        (
            selection.findings,
            WORKER,
            lambda it: it["spec"]["selector"]["matchLabels"].update({"app.kubernetes.io/component": "workers"}),
            "does not select its own pods",
        ),
        (
            selection.findings,
            RECEIVER,
            lambda it: pod(it)["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"].update(a="b"),
            "spreads other pods",
        ),
        (
            selection.findings,
            "NetworkPolicy/carriers-from-workers",
            lambda it: relabelled(it, "app.kubernetes.io/component"),
            "selects no pod",
        ),
        (
            selection.findings,
            "NetworkPolicy/webhooks-from-ingress",
            lambda it: it["spec"]["ingress"][0]["ports"][0].update(port=80),
            "has the port 80",
        ),
        (
            reach.findings,
            "NetworkPolicy/names-from-dns",
            lambda it: it["spec"]["egress"][0]["ports"].pop(0),
            "bridge-receiver: cannot reach DNS at UDP 53",
        ),
        (
            reach.findings,
            "NetworkPolicy/database-from-bridge",
            lambda it: relabelled(it, "app.kubernetes.io/component"),
            "bridge-migrate: cannot reach the database at TCP 5432",
        ),
        (
            reach.findings,
            "NetworkPolicy/database-from-bridge",
            lambda it: it["spec"]["egress"][0]["ports"][0].update(port=6432),
            "bridge-receiver: cannot reach the database",
        ),
        (
            reach.findings,
            "NetworkPolicy/broker-from-workers",
            lambda it: peer(it["spec"])["podSelector"]["matchLabels"].update({"app.kubernetes.io/name": "rabbitmq"}),
            "bridge-worker: cannot reach the broker at TCP 5672",
        ),
        (
            reach.findings,
            "RabbitmqCluster/bridge",
            lambda it: it["metadata"].update(namespace="rabbitmq"),
            "bridge-worker: cannot reach the broker",
        ),
        (
            reach.findings,
            "NetworkPolicy/between-nodes",
            lambda it: it["spec"]["ingress"][0]["ports"].pop(1),
            "RabbitmqCluster/bridge: no policy lets anybody in at cluster",
        ),
        (
            reach.findings,
            "RabbitmqCluster/bridge",
            lambda it: it["metadata"].update(name="events"),
            "RabbitmqCluster/events: no policy lets anybody in at amqp",
        ),
        (
            reach.findings,
            "NetworkPolicy/carriers-from-workers",
            lambda it: it["spec"]["egress"][0]["ports"][0].update(port=80),
            "bridge-worker: cannot reach carriers at TCP 443",
        ),
        (
            reach.findings,
            "NetworkPolicy/webhooks-from-ingress",
            lambda it: relabelled(it, "shipx-bridge/webhooks"),
            "bridge-receiver: no policy lets Ingress/bridge-webhooks to bridge-webhooks in, at webhooks",
        ),
        (
            reach.findings,
            "NetworkPolicy/metrics-from-prometheus",
            lambda it: it["spec"]["podSelector"]["matchLabels"].update({"app.kubernetes.io/component": "worker"}),
            "bridge-receiver: no policy lets ServiceMonitor/bridge to bridge-metrics in, at internal",
        ),
    ],
)
def test_a_broken_rule_is_told(
    rule: Rule, name: str, change: Change, found: str, overlays: dict[str, list[Document]]
) -> None:
    said = broken(overlays["production"], name, change, rule)
    assert any(found in text for text in said), said


def test_no_service_of_production_takes_the_demo_s_pod(overlays: dict[str, list[Document]]) -> None:
    """Somebody who tried the demo goes on to production in the same cluster."""
    [tried] = pods(overlays["demo"])
    takes = [
        named(one)
        for one in of_kind(overlays["production"], "Service")
        if tried.fits(one["metadata"]["namespace"], {"matchLabels": one["spec"]["selector"]})
    ]
    assert takes == []
