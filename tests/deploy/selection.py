"""Selection: what names others by labels, ports or names finds them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.deploy.pods import Pod, brokers, pods
from tests.deploy.rendering import Document, named, of_kind


def findings(documents: Sequence[Document]) -> Iterator[str]:
    """Say which objects select nothing, or name what is not there."""
    everybody = [*pods(documents), *brokers(documents)]
    for deployment in of_kind(documents, "Deployment"):
        yield from (f"{named(deployment)}: {text}" for text in _deployment(deployment["spec"]))
    for kind, selector in (("Service", _by_labels), ("PodDisruptionBudget", _plainly), ("NetworkPolicy", _pods_of)):
        for document in of_kind(documents, kind):
            space, sought = document["metadata"]["namespace"], selector(document["spec"])
            selected = [pod for pod in everybody if pod.fits(space, sought)]
            if not selected:
                yield f"{named(document)}: selects no pod"
            else:
                yield from (f"{named(document)}: {text}" for text in _ports(document["spec"], selected))
    accounts = {(one["metadata"]["namespace"], one["metadata"]["name"]) for one in of_kind(documents, "ServiceAccount")}
    for pod in pods(documents):
        if (pod.namespace, pod.spec.get("serviceAccountName")) not in accounts:
            yield f"{pod.name}: there is no service account {pod.spec.get('serviceAccountName')}"
        yield from (f"{pod.name}: mounts {name}, which is no volume of its pod" for name in _unknown_volumes(pod))
    yield from _monitored(documents)
    deployments = {one["metadata"]["name"] for one in of_kind(documents, "Deployment")}
    for document in of_kind(documents, "HorizontalPodAutoscaler"):
        if document["spec"]["scaleTargetRef"]["name"] not in deployments:
            yield f"{named(document)}: scales nothing"


def _deployment(spec: Document) -> Iterator[str]:
    labels = spec["template"]["metadata"]["labels"]
    if not _fits(labels, spec["selector"]["matchLabels"]):
        yield "does not select its own pods"
    for constraint in spec["template"]["spec"].get("topologySpreadConstraints", ()):
        if not _fits(labels, constraint["labelSelector"]["matchLabels"]):
            yield f"spreads other pods than its own over {constraint['topologyKey']}"


def _by_labels(spec: Document) -> Document:
    return {"matchLabels": spec["selector"]}


def _plainly(spec: Document) -> Document:
    selector: Document = spec["selector"]
    return selector


def _pods_of(spec: Document) -> Document:
    selector: Document = spec["podSelector"]
    return selector


def _ports(spec: Document, selected: Sequence[Pod]) -> Iterator[str]:
    """Say which ports of its own pods a Service or a policy names that none of them has."""
    has = {name for pod in selected for name in pod.ports} | {port for pod in selected for port in pod.ports.values()}
    opened = [port["port"] for rule in spec.get("ingress", ()) for port in rule.get("ports", ())]
    led_to = [port["targetPort"] for port in spec.get("ports", ())]
    yield from (f"none of its pods has the port {port}" for port in (*opened, *led_to) if port not in has)


def _unknown_volumes(pod: Pod) -> set[str]:
    mounted = {mount["name"] for container in pod.containers for mount in container.get("volumeMounts", ())}
    return mounted - {volume["name"] for volume in pod.spec.get("volumes", ())}


def _monitored(documents: Sequence[Document]) -> Iterator[str]:
    services = of_kind(documents, "Service")
    for document in of_kind(documents, "ServiceMonitor"):
        wanted = document["spec"]["selector"]["matchLabels"]
        here = [one for one in services if one["metadata"]["namespace"] == document["metadata"]["namespace"]]
        found = [one["spec"] for one in here if _fits(one["metadata"].get("labels", {}), wanted)]
        if not found:
            yield f"{named(document)}: selects no Service"
            continue
        has = {port["name"] for spec in found for port in spec["ports"]}
        for endpoint in document["spec"]["endpoints"]:
            if endpoint["port"] not in has:
                yield f"{named(document)}: its Service has no port {endpoint['port']}"
            if endpoint.get("path", "/metrics") != "/metrics":
                yield f"{named(document)}: there are no metrics at {endpoint['path']}"


def _fits(labels: Mapping[str, Any], selector: Mapping[str, Any]) -> bool:
    return selector.items() <= labels.items()
