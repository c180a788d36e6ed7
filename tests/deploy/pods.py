"""Pods: the containers of what was rendered, what each is told, and what lies in its files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any, Final

from tests.deploy import dockerfile
from tests.deploy.rendering import Document, named, of_kind

_BROKER_PORTS: Final = {
    "epmd": 4369,
    "amqps": 5671,
    "amqp": 5672,
    "management-tls": 15671,
    "management": 15672,
    "prometheus": 15692,
    "cluster": 25672,
    "tools": 35672,
}
WORKLOADS: Final = ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Pod")


@dataclass(frozen=True, slots=True)
class Pod:
    """The pod of a workload: its name for people, its namespace, its labels, its specification."""

    name: str
    kind: str
    namespace: str
    labels: Mapping[str, str]
    spec: Document

    def fits(self, namespace: str, selector: Mapping[str, Any]) -> bool:
        """Say whether a selector of labels that stands in a namespace selects it."""
        if selector.keys() - {"matchLabels"}:
            raise ValueError(f"not looked into: {sorted(selector)}")
        return self.namespace == namespace and selector.get("matchLabels", {}).items() <= self.labels.items()

    @property
    def ports(self) -> dict[str, int]:
        """The ports that its containers name."""
        named_ones = [port for container in self.containers for port in container.get("ports", ())]
        return {port["name"]: port["containerPort"] for port in named_ones}

    @property
    def containers(self) -> list[Document]:
        """All of them, those that run first too."""
        return [*self.spec.get("initContainers", ()), *self.spec["containers"]]


def pods(documents: Sequence[Document]) -> Iterator[Pod]:
    """Give the pods that the objects make."""
    for document in of_kind(documents, *WORKLOADS):
        template = document if document["kind"] == "Pod" else _template(document)
        yield Pod(
            named(document),
            document["kind"],
            document["metadata"]["namespace"],
            template["metadata"].get("labels", {}),
            template["spec"],
        )


def brokers(documents: Sequence[Document]) -> Iterator[Pod]:
    """Give the pods that the cluster operator makes, as far as it is known: their labels and ports."""
    for cluster in of_kind(documents, "RabbitmqCluster"):
        labels = {"app.kubernetes.io/name": cluster["metadata"]["name"], "app.kubernetes.io/component": "rabbitmq"}
        container = {"ports": [{"name": name, "containerPort": port} for name, port in _BROKER_PORTS.items()]}
        yield Pod(
            named(cluster), cluster["kind"], cluster["metadata"]["namespace"], labels, {"containers": [container]}
        )


def told(container: Document) -> dict[str, str]:
    """Give a container's environment; one that is not written out is a mistake here."""
    return {one["name"]: one["value"] for one in container.get("env", ())}


def files(documents: Sequence[Document], pod: Pod, container: Document) -> dict[PurePosixPath, str | None]:
    """Give the files of settings that a container finds, by path: the image's, and over them those of its ConfigMaps
    and Secrets; of a secret file nobody knows the content.
    """
    configs = {one["metadata"]["name"]: one.get("data", {}) for one in of_kind(documents, "ConfigMap")}
    volumes = {volume["name"]: volume for volume in pod.spec.get("volumes", ())}
    mounts = container.get("volumeMounts", ())
    found: dict[PurePosixPath, str | None] = {
        path: text
        for path, text in dockerfile.carried().items()
        if not any(path.is_relative_to(mount["mountPath"]) for mount in mounts)
    }
    for mount in mounts:
        volume, folder = volumes.get(mount["name"], {}), PurePosixPath(mount["mountPath"])
        if "configMap" in volume:
            found |= {folder / key: text for key, text in configs[volume["configMap"]["name"]].items()}
        if "secret" in volume:
            found |= {folder / item["path"]: None for item in volume["secret"]["items"]}
    return found


def reader(files: Mapping[PurePosixPath, str | None], secrets: Mapping[str, str]) -> Any:
    """Make the function by which settings read files: a container's, with secrets of the example by their name; one
    that an installation added is as good as any token, and another than all others.
    """

    def read(path: Path) -> str:
        place = PurePosixPath(path)
        if place not in files:
            raise FileNotFoundError(2, "No such file or directory")
        text = files[place]
        return secrets.get(place.name, sha256(place.name.encode()).hexdigest()) if text is None else text

    return read


def _template(document: Document) -> Document:
    spec: Document = document["spec"]
    template: Document = (spec["jobTemplate"]["spec"] if document["kind"] == "CronJob" else spec)["template"]
    return template
