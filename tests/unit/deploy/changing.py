"""Breaking a rendered overlay on purpose, to see that a rule tells of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy

from tests.deploy.rendering import Document, named

Rule = Callable[[Sequence[Document]], Iterator[str]]
Change = Callable[[Document], object]

RECEIVER, WORKER, JOB = "Deployment/bridge-receiver", "Deployment/bridge-worker", "Job/bridge-migrate"


def broken(documents: Sequence[Document], name: str, change: Change, rule: Rule) -> list[str]:
    """Give what a rule tells of a copy of these objects, one of which was changed."""
    copied = [deepcopy(one) for one in documents]
    [document] = [one for one in copied if named(one) == name]
    change(document)
    return list(rule(copied))


def pod(document: Document) -> Document:
    found: Document = document["spec"]["template"]["spec"]
    return found


def container(document: Document) -> Document:
    found: Document = pod(document)["containers"][0]
    return found


def told(document: Document, name: str, value: str) -> None:
    environment = container(document)["env"]
    environment[:] = [one for one in environment if one["name"] != name] + [{"name": name, "value": value}]


def peer(spec: Document) -> Document:
    """Give the one that a policy is about."""
    inward = spec["policyTypes"] == ["Ingress"]
    [rule] = spec["ingress" if inward else "egress"]
    [found] = rule["from" if inward else "to"]
    peers: Document = found
    return peers
