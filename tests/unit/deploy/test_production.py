"""The rules about production alone, broken on purpose, and what the filled overlay is."""

from __future__ import annotations

from typing import Any

import pytest

from tests.deploy import production
from tests.deploy.rendering import Document, named
from tests.unit.deploy.changing import JOB, RECEIVER, WORKER, Change, broken, container, peer, pod, told


def test_the_filled_overlay_is_fit_for_production(overlays: dict[str, list[Document]]) -> None:
    assert list(production.findings(overlays["production"])) == []


@pytest.mark.parametrize(
    ("name", "change", "found"),
    [
        (
            "Queue/bridge-commands",
            lambda it: it["spec"]["arguments"].update({"x-delivery-limit": 20}),
            "not the bridge's own",
        ),
        (
            "Queue/bridge-commands",
            lambda it: it["spec"]["arguments"].pop("x-overflow"),
            "not the bridge's own",
        ),
        (
            "Binding/bridge-dead",
            lambda it: it["spec"].update(destinationType="exchange"),
            "not the bridge's own",
        ),
        (
            "Exchange/bridge-events",
            lambda it: it["spec"].update(autoDelete=True),
            "not the bridge's own",
        ),
        ("Binding/bridge-dead", lambda it: it["spec"].update(vhost="/"), "virtual host"),
        ("Vhost/bridge", lambda it: it["spec"].update(name="events"), "virtual host"),
        (
            "Queue/bridge-dead",
            lambda it: it["spec"]["rabbitmqClusterReference"].update(name="rabbit"),
            "no cluster that is here",
        ),
        (
            "Permission/bridge",
            lambda it: it["spec"]["userReference"].update(name="bridge-user"),
            "no user that is here",
        ),
        (
            RECEIVER,
            lambda it: told(it, "BRIDGE_WEBHOOK__TRUSTED_PROXIES", ""),
            "believes no proxy",
        ),
        (WORKER, lambda it: told(it, "BRIDGE_AMQP__DECLARE", "true"), "declare the topology"),
        (
            WORKER,
            lambda it: told(it, "BRIDGE_ROLES", "worker"),
            "nobody does commands, reconciler, relay",
        ),
        (JOB, lambda it: told(it, "BRIDGE_MIGRATE", "true"), "migrates by itself"),
        (JOB, lambda it: told(it, "BRIDGE_ENVIRONMENT", "sandbox"), "another environment"),
        (JOB, lambda it: container(it).update(image="bridge:0.0.1"), "several images"),
        (JOB, lambda it: it.update(kind="ConfigMap"), "nobody migrates"),
        ("RabbitmqCluster/bridge", lambda it: it["spec"].update(replicas=2), "no majority"),
        (
            "Policy/bridge-commands-length",
            lambda it: it["spec"]["definition"].update({"message-ttl": 1000}),
            "a policy changes more",
        ),
        (
            "HorizontalPodAutoscaler/bridge-receiver",
            lambda it: it["spec"].update(minReplicas=1),
            "a single pod",
        ),
        (WORKER, lambda it: it["spec"].update(replicas=3), "autoscalers too"),
    ],
)
def test_a_broken_rule_is_told(name: str, change: Change, found: str, overlays: dict[str, list[Document]]) -> None:
    said = broken(overlays["production"], name, change, production.findings)
    assert any(found in text for text in said), said


def test_secrets_are_handed_to_those_alone_who_need_them(overlays: dict[str, list[Document]]) -> None:
    """The receiver can neither buy nor publish, whoever takes it over."""
    assert {named(one): secrets(one) for one in overlays["production"] if one["kind"] in ("Deployment", "Job")} == {
        RECEIVER: ["database_url", "personal_data_keys", "webhook_secrets"],
        WORKER: ["amqp_url", "api_token", "database_url", "personal_data_keys", "shipx_token"],
        JOB: ["database_url"],
    }


def secrets(document: Document) -> list[Any]:
    return [item["key"] for volume in pod(document)["volumes"] for item in volume.get("secret", {}).get("items", ())]


def test_the_filling_reaches_every_place(overlays: dict[str, list[Document]]) -> None:
    found = {named(one): one for one in overlays["production"]}
    policies = {name: found[f"NetworkPolicy/{name}"]["spec"] for name in _POLICIES}
    ingress = found["Ingress/bridge-webhooks"]["spec"]
    assert "ConfigMap/values" not in found
    assert {container(found[name])["image"].partition("@")[0] for name in (RECEIVER, WORKER, JOB)} == {
        "registry.example.com/shipx-bridge"
    }
    assert (ingress["rules"][0]["host"], ingress["ingressClassName"], ingress["tls"]) == (
        "webhooks.example.com",
        "nginx-public",
        [{"hosts": ["webhooks.example.com"], "secretName": "webhooks-example-com"}],
    )
    assert [peer(policies[name]) for name in _POLICIES] == [
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress-public"}}},
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "prometheus"}},
            "podSelector": {"matchLabels": {"app.kubernetes.io/name": "prometheus"}},
        },
        {"ipBlock": {"cidr": "10.30.0.5/32"}},
    ]


_POLICIES = ("webhooks-from-ingress", "metrics-from-prometheus", "database-from-bridge")
