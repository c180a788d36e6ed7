"""Confinement: what pods may do to their node and to each other, by the pod security standard `restricted` and more."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from tests.deploy.pods import Pod, pods
from tests.deploy.rendering import Document, named, of_kind

_PINNED = re.compile(r"[a-z0-9./:_-]+(@sha256:[0-9a-f]{64}|:(?!latest$)[A-Za-z0-9_.-]+)")


def findings(documents: Sequence[Document]) -> Iterator[str]:
    """Say what a pod may that it should not."""
    for pod in pods(documents):
        yield from (f"{pod.name}: {text}" for text in _pod(pod))
        for container in pod.containers:
            yield from (f"{pod.name}, container {container['name']}: {text}" for text in _container(container))
    for cluster in of_kind(documents, "RabbitmqCluster"):
        if not _PINNED.fullmatch(cluster["spec"].get("image", "")):
            yield "RabbitmqCluster: its image is not pinned"
    here = {pod.namespace for pod in pods(documents)}
    for space in of_kind(documents, "Namespace"):
        labels = space["metadata"].get("labels", {})
        if space["metadata"]["name"] in here and labels.get("pod-security.kubernetes.io/enforce") != "restricted":
            yield f"{named(space)}: takes pods that are not restricted"
    for account in of_kind(documents, "ServiceAccount"):
        if account.get("automountServiceAccountToken") is not False:
            yield "ServiceAccount: hands its token to pods"


def _pod(pod: Pod) -> Iterator[str]:
    context = pod.spec.get("securityContext", {})
    if context.get("runAsNonRoot") is not True or context.get("runAsUser", 0) == 0:
        yield "may run as root"
    if context.get("seccompProfile") != {"type": "RuntimeDefault"}:
        yield "has no seccomp profile"
    if pod.spec.get("automountServiceAccountToken") is not False:
        yield "gets a service account's token"
    if pod.spec.get("enableServiceLinks") is not False:
        yield "gets Services' variables, which are taken for settings"
    yield from (f"has {key}" for key in ("hostNetwork", "hostPID", "hostIPC") if pod.spec.get(key))
    allowed = {"configMap", "secret", "emptyDir", "persistentVolumeClaim"}
    yield from (f"mounts {kind}" for one in pod.spec.get("volumes", ()) for kind in {*one} - {"name"} - allowed)


def _container(container: Document) -> Iterator[str]:
    context: dict[str, Any] = container.get("securityContext", {})
    if context.get("allowPrivilegeEscalation") is not False or context.get("privileged"):
        yield "may gain privileges"
    if context.get("readOnlyRootFilesystem") is not True:
        yield "may write to its root"
    if context.get("capabilities") != {"drop": ["ALL"]}:
        yield "keeps capabilities"
    if not _PINNED.fullmatch(container["image"]):
        yield f"its image is not pinned: {container['image']}"
