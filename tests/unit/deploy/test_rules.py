"""The rules about both overlays, broken on purpose."""

from __future__ import annotations

import pytest

from tests.deploy import availability, configuration, confinement, exposure, schemas
from tests.deploy.__main__ import RULES
from tests.deploy.rendering import Document
from tests.unit.deploy.changing import JOB, RECEIVER, WORKER, Change, Rule, broken, container, peer, pod, told


def path(document: Document) -> Document:
    found: Document = document["spec"]["rules"][0]["http"]["paths"][0]
    return found


def probe(document: Document, name: str, **asked: str) -> None:
    container(document)[name]["httpGet"].update(asked)


@pytest.mark.parametrize("overlay", ["demo", "production"])
def test_both_overlays_keep_every_rule(overlay: str, overlays: dict[str, list[Document]]) -> None:
    assert [text for rule in RULES for text in rule(overlays[overlay])] == []


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
        (confinement.findings, "Namespace/shipx-bridge", lambda it: it["metadata"].pop("labels"), "not restricted"),
        (exposure.findings, INGRESS, lambda it: path(it).update(path="/"), "exposes /"),
        (exposure.findings, INGRESS, lambda it: it["metadata"].pop("annotations"), "which hold their secret"),
        (
            exposure.findings,
            "NetworkPolicy/carriers-from-workers",
            lambda it: peer(it["spec"])["ipBlock"]["except"].remove("169.254.0.0/16"),
            "has 169.254.0.0/16 in it",
        ),
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
        (
            availability.findings,
            WORKER,
            lambda it: it["spec"]["strategy"]["rollingUpdate"].update(maxSurge=0),
            "never updated",
        ),
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
        (configuration.findings, RECEIVER, lambda it: container(it)["volumeMounts"].pop(), "may not write"),
        (configuration.findings, WORKER, lambda it: pod(it)["securityContext"].pop("fsGroup"), "may not write"),
        (configuration.findings, JOB, lambda it: container(it).update(args=["serve"]), "is to do"),
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
    ],
)
def test_a_broken_rule_is_told(
    rule: Rule, name: str, change: Change, found: str, overlays: dict[str, list[Document]]
) -> None:
    said = broken(overlays["production"], name, change, rule)
    assert any(found in text for text in said), said
