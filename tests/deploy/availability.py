"""Availability: probes, room, replicas that are replaced one by one, and what should find them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tests.deploy.pods import Pod, pods
from tests.deploy.rendering import Document, named, of_kind

_PROBES = ("startupProbe", "readinessProbe", "livenessProbe")


def findings(documents: Sequence[Document]) -> Iterator[str]:
    """Say what would keep replicas from being there, or from being found."""
    for pod in pods(documents):
        for container in pod.containers:
            yield from (f"{pod.name}, container {container['name']}: {text}" for text in _container(pod, container))
    for deployment in of_kind(documents, "Deployment"):
        yield from (f"{named(deployment)}: {text}" for text in _replacing(deployment))
    yield from _lost(documents)


def _container(pod: Pod, container: Document) -> Iterator[str]:
    if pod.kind == "Deployment":
        yield from (f"has no {probe}" for probe in _PROBES if probe not in container)
    room = container.get("resources", {})
    wanted = (("requests", "cpu"), ("requests", "memory"), ("limits", "memory"))
    yield from (f"has no {which} of {what}" for which, what in wanted if what not in room.get(which, {}))


def _replacing(deployment: Document) -> Iterator[str]:
    spec = deployment["spec"]
    if spec["strategy"]["type"] == "Recreate":
        if spec.get("replicas") != 1:
            yield "is recreated as a whole, and is more than one"
    elif spec["strategy"]["rollingUpdate"]["maxUnavailable"] != 0:
        yield "loses a replica while it is updated"
    elif not spec["template"]["spec"].get("topologySpreadConstraints"):
        yield "may have all its replicas on one node"


def _lost(documents: Sequence[Document]) -> Iterator[str]:
    """Say which objects select nothing."""
    everybody = [pod.labels for pod in pods(documents)]
    for document in of_kind(documents, "Service", "PodDisruptionBudget"):
        selector = document["spec"]["selector"]
        if not any(_fits(labels, selector.get("matchLabels", selector)) for labels in everybody):
            yield f"{named(document)}: selects no pod"
    services = [one["metadata"].get("labels", {}) for one in of_kind(documents, "Service")]
    for document in of_kind(documents, "ServiceMonitor"):
        if not any(_fits(labels, document["spec"]["selector"]["matchLabels"]) for labels in services):
            yield f"{named(document)}: selects no Service"
    deployments = {one["metadata"]["name"] for one in of_kind(documents, "Deployment")}
    for document in of_kind(documents, "HorizontalPodAutoscaler"):
        if document["spec"]["scaleTargetRef"]["name"] not in deployments:
            yield f"{named(document)}: scales nothing"


def _fits(labels: Mapping[str, str], selector: Mapping[str, str]) -> bool:
    return selector.items() <= labels.items()
