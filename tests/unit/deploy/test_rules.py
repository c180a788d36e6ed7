"""Every rule about the manifests, broken on purpose."""

from __future__ import annotations

from typing import Any

import pytest

from tests.deploy import availability, configuration, confinement, exposure, production, schemas
from tests.deploy.__main__ import RULES
from tests.deploy.rendering import Document, named
from tests.unit.deploy.changing import JOB, RECEIVER, WORKER, Change, Rule, broken, container, peer, pod, told


def path(document: Document) -> Document:
    found: Document = document["spec"]["rules"][0]["http"]["paths"][0]
    return found


def probe(document: Document, name: str, **asked: str) -> None:
    container(document)[name]["httpGet"].update(asked)


@pytest.mark.parametrize("overlay", ["demo", "production"])
def test_both_overlays_keep_every_rule(overlay: str, overlays: dict[str, list[Document]]) -> None:
    assert [text for rule in RULES for text in rule(overlays[overlay])] == []


def test_the_filled_overlay_is_fit_for_production(overlays: dict[str, list[Document]]) -> None:
    assert list(production.findings(overlays["production"])) == []


INGRESS = "Ingress/bridge-webhooks"


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
            "NetworkPolicy/broker-default-deny",
            lambda it: it["spec"].update(ingress=[{}]),
            "open to the whole cluster",
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
            JOB,
            lambda it: container(it)["resources"]["limits"].update(memory="256MB"),
            "256MB is no quantity",
        ),
        (
            availability.findings,
            RECEIVER,
            lambda it: it["spec"]["strategy"]["rollingUpdate"].update(maxUnavailable=1),
            "loses a replica",
        ),
        (availability.findings, RECEIVER, lambda it: it["spec"]["strategy"].update(type="Recreate"), "recreated"),
        (availability.findings, WORKER, lambda it: it["spec"].pop("progressDeadlineSeconds"), "is given up"),
        (availability.findings, RECEIVER, lambda it: pod(it).pop("topologySpreadConstraints"), "on one node"),
        (
            availability.findings,
            WORKER,
            lambda it: pod(it)["topologySpreadConstraints"][1].update(whenUnsatisfiable="DoNotSchedule"),
            "may not be there",
        ),
        (
            availability.findings,
            "PodDisruptionBudget/bridge-worker",
            lambda it: it["spec"].update(maxUnavailable=0),
            "let nobody go",
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
        (configuration.findings, RECEIVER, lambda it: probe(it, "readinessProbe", port="webhooks"), "does not ask"),
        (configuration.findings, WORKER, lambda it: probe(it, "livenessProbe", path="/readyz"), "does not ask /livez"),
        (configuration.findings, WORKER, lambda it: container(it)["startupProbe"].pop("failureThreshold"), "it waits"),
        (
            configuration.findings,
            WORKER,
            lambda it: pod(it)["volumes"].append({"name": "more", "configMap": {"name": "bridge-config"}}),
            "is not restarted when",
        ),
        (
            configuration.findings,
            JOB,
            lambda it: pod(it)["volumes"].append({"name": "more", "configMap": {"name": "bridge-config-0123456789"}}),
            "a Job cannot be changed",
        ),
        (configuration.findings, RECEIVER, lambda it: told(it, "BRIDGE_SHIPX__ORGANIZATION_ID", ""), "is missing"),
        (
            production.findings,
            "Queue/bridge-commands",
            lambda it: it["spec"]["arguments"].update({"x-delivery-limit": 20}),
            "not the bridge's own",
        ),
        (
            production.findings,
            "Queue/bridge-commands",
            lambda it: it["spec"]["arguments"].pop("x-overflow"),
            "not the bridge's own",
        ),
        (
            production.findings,
            "Binding/bridge-dead",
            lambda it: it["spec"].update(destinationType="exchange"),
            "not the bridge's own",
        ),
        (
            production.findings,
            "Exchange/bridge-events",
            lambda it: it["spec"].update(autoDelete=True),
            "not the bridge's own",
        ),
        (production.findings, "Binding/bridge-dead", lambda it: it["spec"].update(vhost="/"), "virtual host"),
        (production.findings, "Vhost/bridge", lambda it: it["spec"].update(name="events"), "virtual host"),
        (
            production.findings,
            "Queue/bridge-dead",
            lambda it: it["spec"]["rabbitmqClusterReference"].update(name="rabbit"),
            "no cluster that is here",
        ),
        (
            production.findings,
            "Permission/bridge",
            lambda it: it["spec"]["userReference"].update(name="bridge-user"),
            "no user that is here",
        ),
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
    said = broken(overlays["production"], name, change, rule)
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
