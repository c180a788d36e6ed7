"""Every rule about the manifests, broken on purpose."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from typing import Any

import pytest

from tests.deploy import availability, configuration, confinement, exposure, production, schemas
from tests.deploy.rendering import Document, named

Rule = Callable[[Sequence[Document]], Iterator[str]]
Change = Callable[[Document], object]
RULES: tuple[Rule, ...] = (
    schemas.mistakes,
    confinement.findings,
    exposure.findings,
    availability.findings,
    configuration.findings,
)


def pod(document: Document) -> Document:
    found: Document = document["spec"]["template"]["spec"]
    return found


def container(document: Document) -> Document:
    found: Document = pod(document)["containers"][0]
    return found


def told(document: Document, name: str, value: str) -> None:
    environment = container(document)["env"]
    environment[:] = [one for one in environment if one["name"] != name] + [{"name": name, "value": value}]


def path(document: Document) -> Document:
    found: Document = document["spec"]["rules"][0]["http"]["paths"][0]
    return found


@pytest.mark.parametrize("overlay", ["demo", "production"])
def test_both_overlays_keep_every_rule(overlay: str, overlays: dict[str, list[Document]]) -> None:
    assert [text for rule in RULES for text in rule(overlays[overlay])] == []


def test_the_filled_overlay_is_fit_for_production(overlays: dict[str, list[Document]]) -> None:
    assert list(production.findings(overlays["production"])) == []


RECEIVER, WORKER = "Deployment/bridge-receiver", "Deployment/bridge-worker"
INGRESS, JOB = "Ingress/bridge-webhooks", "Job/bridge-migrate"


@pytest.mark.parametrize(
    ("rule", "name", "change", "found"),
    [
        (schemas.mistakes, RECEIVER, lambda it: it["spec"].update(replica=2), "replica"),
        (schemas.mistakes, "Queue/bridge-dead", lambda it: it["spec"].update(kind="quorum"), "kind"),
        (schemas.mistakes, "RabbitmqCluster/bridge", lambda it: it["spec"].update(replicas="3"), "is not of type"),
        (schemas.mistakes, JOB, lambda it: it.update(kind="Jobb"), "has no Jobb"),
        (confinement.findings, WORKER, lambda it: pod(it)["securityContext"].pop("runAsNonRoot"), "run as root"),
        (confinement.findings, WORKER, lambda it: pod(it)["securityContext"].pop("seccompProfile"), "seccomp"),
        (confinement.findings, WORKER, lambda it: pod(it).pop("enableServiceLinks"), "Services' variables"),
        (confinement.findings, WORKER, lambda it: pod(it).update(hostNetwork=True), "hostNetwork"),
        (confinement.findings, WORKER, lambda it: pod(it).pop("automountServiceAccountToken"), "token"),
        (
            confinement.findings,
            WORKER,
            lambda it: pod(it)["volumes"].append({"name": "host", "hostPath": {"path": "/"}}),
            "mounts hostPath",
        ),
        (
            confinement.findings,
            JOB,
            lambda it: container(it)["securityContext"].update(readOnlyRootFilesystem=False),
            "write to its root",
        ),
        (
            confinement.findings,
            JOB,
            lambda it: container(it)["securityContext"].update(capabilities={"drop": ["NET_RAW"]}),
            "capabilities",
        ),
        (
            confinement.findings,
            JOB,
            lambda it: container(it)["securityContext"].pop("allowPrivilegeEscalation"),
            "gain privileges",
        ),
        (confinement.findings, JOB, lambda it: container(it).update(image="bridge:latest"), "not pinned"),
        (confinement.findings, JOB, lambda it: container(it).update(image="bridge"), "not pinned"),
        (exposure.findings, INGRESS, lambda it: path(it).update(path="/"), "exposes /"),
        (
            exposure.findings,
            INGRESS,
            lambda it: path(it)["backend"]["service"].update(name="bridge-api"),
            "another port",
        ),
        (exposure.findings, INGRESS, lambda it: it["spec"].pop("tls"), "no certificate"),
        (exposure.findings, INGRESS, lambda it: it["spec"]["rules"][0].update(host=""), "every host"),
        (
            exposure.findings,
            "NetworkPolicy/database-from-bridge",
            lambda it: peer(it["spec"])["ipBlock"].update(cidr="10.0.0.5/8"),
            "no network",
        ),
        (
            exposure.findings,
            "NetworkPolicy/webhooks-from-ingress",
            lambda it: peer(it["spec"])["namespaceSelector"]["matchLabels"].update({"kubernetes.io/metadata.name": ""}),
            "without a value",
        ),
        (
            exposure.findings,
            "NetworkPolicy/api-from-clients",
            lambda it: peer(it["spec"]).update(namespaceSelector={}),
            "without a value",
        ),
        (exposure.findings, "Service/bridge-api", lambda it: it["spec"].update(type="LoadBalancer"), "from outside"),
        (
            exposure.findings,
            "NetworkPolicy/default-deny",
            lambda it: it["spec"].update(policyTypes=["Ingress"]),
            "no policy denies",
        ),
        (
            exposure.findings,
            "NetworkPolicy/api-from-clients",
            lambda it: it["spec"]["ingress"][0].pop("from"),
            "from or to anybody",
        ),
        (availability.findings, WORKER, lambda it: container(it).pop("readinessProbe"), "no readinessProbe"),
        (availability.findings, JOB, lambda it: container(it)["resources"].pop("limits"), "no limits of memory"),
        (
            availability.findings,
            RECEIVER,
            lambda it: it["spec"]["strategy"]["rollingUpdate"].update(maxUnavailable=1),
            "loses a replica",
        ),
        (availability.findings, RECEIVER, lambda it: it["spec"]["strategy"].update(type="Recreate"), "recreated"),
        (availability.findings, RECEIVER, lambda it: pod(it).pop("topologySpreadConstraints"), "on one node"),
        (
            availability.findings,
            "Service/bridge-api",
            lambda it: it["spec"]["selector"].update({"shipx-bridge/api": "yes"}),
            "selects no pod",
        ),
        (
            availability.findings,
            "HorizontalPodAutoscaler/bridge-worker",
            lambda it: it["spec"]["scaleTargetRef"].update(name="worker"),
            "scales nothing",
        ),
        (
            availability.findings,
            "ServiceMonitor/bridge",
            lambda it: it["spec"]["selector"]["matchLabels"].update({"app.kubernetes.io/component": "api"}),
            "selects no Service",
        ),
        (configuration.findings, WORKER, lambda it: told(it, "BRIDGE_ROLE", "worker"), "BRIDGE_ROLE: is no setting"),
        (configuration.findings, WORKER, lambda it: told(it, "BRIDGE_API_TOKEN", "x" * 20), "is a secret, and no file"),
        (
            configuration.findings,
            WORKER,
            lambda it: told(it, "BRIDGE_SHIPX__TOKEN_FILE", "/run/secrets/bridge/token"),
            "cannot be read",
        ),
        (
            configuration.findings,
            WORKER,
            lambda it: told(it, "BRIDGE_SHIPX__TOKEN_FILE", ""),
            "no setting names the secret /run/secrets/bridge/shipx_token",
        ),
        (configuration.findings, WORKER, lambda it: told(it, "BRIDGE_HTTP__INTERNAL_PORT", "9000"), "its ports are"),
        (
            configuration.findings,
            WORKER,
            lambda it: told(it, "BRIDGE_POLICY", "/etc/policy.toml"),
            "there is no policy",
        ),
        (configuration.findings, WORKER, lambda it: told(it, "BRIDGE_HTTP__HOST", "127.0.0.1"), "loopback"),
        (configuration.findings, WORKER, lambda it: told(it, "BRIDGE_SHUTDOWN_S", "30"), "is killed while it ends"),
        (configuration.findings, RECEIVER, lambda it: told(it, "BRIDGE_HTTP__DRAIN_DELAY_S", "0"), "stops taking"),
        (configuration.findings, RECEIVER, lambda it: told(it, "BRIDGE_SHIPX__ORGANIZATION_ID", ""), "is missing"),
        (
            production.findings,
            "Queue/bridge-commands",
            lambda it: it["spec"]["arguments"].update({"x-delivery-limit": 20}),
            "not the bridge's own",
        ),
        (production.findings, "Binding/bridge-dead", lambda it: it["spec"].update(vhost="/"), "virtual host"),
        (
            production.findings,
            RECEIVER,
            lambda it: told(it, "BRIDGE_WEBHOOK__TRUSTED_PROXIES", ""),
            "believes no proxy",
        ),
        (production.findings, WORKER, lambda it: told(it, "BRIDGE_AMQP__DECLARE", "true"), "declare the topology"),
        (
            production.findings,
            WORKER,
            lambda it: told(it, "BRIDGE_ROLES", "worker"),
            "nobody does commands, reconciler, relay",
        ),
        (production.findings, JOB, lambda it: told(it, "BRIDGE_MIGRATE", "true"), "migrates by itself"),
        (production.findings, WORKER, lambda it: it["spec"].update(replicas=3), "autoscalers too"),
    ],
)
def test_a_broken_rule_is_told(
    rule: Rule, name: str, change: Change, found: str, overlays: dict[str, list[Document]]
) -> None:
    documents = deepcopy(overlays["production"])
    [document] = [one for one in documents if named(one) == name]
    change(document)
    assert any(found in text for text in rule(documents)), list(rule(documents))


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
    ingress = found[INGRESS]["spec"]
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


def peer(spec: Document) -> Document:
    """Give the one that a policy is about."""
    inward = spec["policyTypes"] == ["Ingress"]
    [rule] = spec["ingress" if inward else "egress"]
    [found] = rule["from" if inward else "to"]
    peers: Document = found
    return peers
