"""Pods: the containers of what was rendered, what each is told, and what lies in its files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from tests.deploy.rendering import Document, named, of_kind

WORKLOADS: Final = ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Pod")


@dataclass(frozen=True, slots=True)
class Pod:
    """The pod of a workload: its name for people, its labels, its specification."""

    name: str
    kind: str
    labels: Mapping[str, str]
    spec: Document

    @property
    def containers(self) -> list[Document]:
        """All of them, those that run first too."""
        return [*self.spec.get("initContainers", ()), *self.spec["containers"]]


def pods(documents: Sequence[Document]) -> Iterator[Pod]:
    """Give the pods that the objects make."""
    for document in of_kind(documents, *WORKLOADS):
        template = document if document["kind"] == "Pod" else _template(document)
        yield Pod(named(document), document["kind"], template["metadata"].get("labels", {}), template["spec"])


def told(container: Document) -> dict[str, str]:
    """Give a container's environment; one that is not written out is a mistake here."""
    return {one["name"]: one["value"] for one in container.get("env", ())}


def files(documents: Sequence[Document], pod: Pod, container: Document) -> dict[PurePosixPath, str | None]:
    """Give what lies in the container's ConfigMaps and Secrets, by path; of a secret file nobody knows the content."""
    configs = {one["metadata"]["name"]: one.get("data", {}) for one in of_kind(documents, "ConfigMap")}
    volumes = {volume["name"]: volume for volume in pod.spec.get("volumes", ())}
    found: dict[PurePosixPath, str | None] = {}
    for mount in container.get("volumeMounts", ()):
        volume, folder = volumes[mount["name"]], PurePosixPath(mount["mountPath"])
        if "configMap" in volume:
            found |= {folder / key: text for key, text in configs[volume["configMap"]["name"]].items()}
        if "secret" in volume:
            found |= {folder / item["path"]: None for item in volume["secret"]["items"]}
    return found


def reader(files: Mapping[PurePosixPath, str | None], secrets: Mapping[str, str]) -> Any:
    """Make the function by which settings read files: a container's, with secrets of the example by their name."""

    def read(path: Path) -> str:
        place = PurePosixPath(path)
        if place not in files:
            raise FileNotFoundError(2, "No such file or directory")
        text = files[place]
        return secrets[place.name] if text is None else text

    return read


def _template(document: Document) -> Document:
    spec: Document = document["spec"]
    template: Document = (spec["jobTemplate"]["spec"] if document["kind"] == "CronJob" else spec)["template"]
    return template
