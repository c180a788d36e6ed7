"""Availability: probes, room, and replicas that are replaced one by one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tests.deploy.pods import Pod, pods
from tests.deploy.rendering import Document, named, of_kind

_QUANTITY = re.compile(r"\d+(\.\d+)?(m|[kMGTPE]|[KMGTPE]i)?")
_PROBES = ("startupProbe", "readinessProbe", "livenessProbe")


def findings(documents: Sequence[Document]) -> Iterator[str]:
    """Say what would keep replicas from being there."""
    for pod in pods(documents):
        for container in pod.containers:
            yield from (f"{pod.name}, container {container['name']}: {text}" for text in _container(pod, container))
    for deployment in of_kind(documents, "Deployment"):
        yield from (f"{named(deployment)}: {text}" for text in _replacing(deployment))
    patience = max((one["spec"].get("activeDeadlineSeconds", 0) for one in of_kind(documents, "Job")), default=0)
    for deployment in of_kind(documents, "Deployment"):
        if deployment["spec"].get("progressDeadlineSeconds", 600) <= patience:
            yield f"{named(deployment)}: is given up while the Job still may take its time"
    for budget in of_kind(documents, "PodDisruptionBudget"):
        if budget["spec"].get("maxUnavailable", 0) in (0, "0%"):
            yield f"{named(budget)}: may let nobody go, and keeps a node from being emptied"


def _container(pod: Pod, container: Document) -> Iterator[str]:
    if pod.kind == "Deployment":
        yield from (f"has no {probe}" for probe in _PROBES if probe not in container)
    room = container.get("resources", {})
    wanted = (("requests", "cpu"), ("requests", "memory"), ("limits", "memory"))
    yield from (f"has no {which} of {what}" for which, what in wanted if what not in room.get(which, {}))
    amounts = [str(amount) for which in room.values() for amount in which.values()]
    yield from (f"{amount} is no quantity" for amount in amounts if not _QUANTITY.fullmatch(amount))


def _replacing(deployment: Document) -> Iterator[str]:
    spec = deployment["spec"]
    if spec["strategy"]["type"] == "Recreate":
        if spec.get("replicas") != 1:
            yield "is recreated as a whole, and is more than one"
    elif spec["strategy"]["rollingUpdate"]["maxUnavailable"] != 0:
        yield "loses a replica while it is updated"
    elif spec["strategy"]["rollingUpdate"].get("maxSurge", 1) == 0:
        yield "is never updated: no pod may go, and none may come"
    else:
        yield from _spreading(spec["template"]["spec"].get("topologySpreadConstraints", ()))


def _spreading(constraints: Sequence[Document]) -> Iterator[str]:
    if "kubernetes.io/hostname" not in [one["topologyKey"] for one in constraints]:
        yield "may have all its replicas on one node"
    if any(one["whenUnsatisfiable"] != "ScheduleAnyway" for one in constraints):
        yield "waits for a node or zone that may not be there"
