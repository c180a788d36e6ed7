"""Production: what must be so of that overlay beyond what is so of all, the broker's topology above all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from bridge.broker import topology
from bridge.errors import SettingsError
from bridge.settings import ROLES, Settings
from tests.deploy.configuration import settings_of
from tests.deploy.pods import Pod, pods
from tests.deploy.rendering import Document, named, of_kind

_KINDS: Final = ("Exchange", "Queue", "Binding")
_LEAVES: Final = {"autoDelete", "deleteIfEmpty", "deleteIfUnused"}
SERVICE_PATCH: Final = "k8s/overlays/production/ingress-controller.yaml"


def findings(documents: Sequence[Document]) -> Iterator[str]:
    """Say what keeps the overlay from being fit for production."""
    yield from _broker(documents)
    roles: set[str] = set()
    for pod in pods(documents):
        try:
            settings = settings_of(documents, pod, pod.spec["containers"][0])
        except SettingsError:  # of which `configuration` tells
            continue
        yield from (f"{pod.name}: {text}" for text in _told(pod, settings))
        roles |= settings.roles if pod.kind == "Deployment" else set()
    if roles != ROLES:
        yield f"nobody does {', '.join(sorted(ROLES - roles))}"
    if len({pod.spec["containers"][0]["image"] for pod in pods(documents)}) > 1:
        yield "pods are of several images: the schema would be another's"
    if "Job" not in [pod.kind for pod in pods(documents)]:
        yield "nobody migrates"
    for one in of_kind(documents, "HorizontalPodAutoscaler"):
        if one["spec"].get("minReplicas", 1) < 2:
            yield f"{named(one)}: may leave a single pod"
    if any("replicas" in one["spec"] for one in of_kind(documents, "Deployment")):
        yield "Deployments say how many they are, and the autoscalers too"


def _broker(documents: Sequence[Document]) -> Iterator[str]:
    """Look at the operators' resources; an installation whose broker is elsewhere has none."""
    own = of_kind(documents, *_KINDS, "Policy", "Permission", "User", "Vhost")
    if not own and not of_kind(documents, "RabbitmqCluster"):
        return
    if declared(documents) != topology.describe() or any(_LEAVES & one["spec"].keys() for one in own):
        yield "broker: the operator's topology is not the bridge's own (docs/reference/topology.md)"
    hosts = {one["spec"]["name" if one["kind"] == "Vhost" else "vhost"] for one in own if one["kind"] != "User"}
    if hosts != {"bridge"}:
        yield "broker: not everything lies in the virtual host that amqp_url names"
    if any(
        one["spec"]["replicas"] < 3 or one["spec"]["replicas"] % 2 == 0 for one in of_kind(documents, "RabbitmqCluster")
    ):
        yield "broker: has no majority once a node is away"
    if any(one["spec"]["definition"].keys() - {"max-length"} for one in of_kind(documents, "Policy")):
        yield "broker: a policy changes more than how many commands may wait"
    clusters = {_place(one) for one in of_kind(documents, "RabbitmqCluster")}
    users = [one["metadata"]["name"] for one in of_kind(documents, "User")]
    for one in own:
        if (one["metadata"]["namespace"], one["spec"]["rabbitmqClusterReference"].get("name")) not in clusters:
            yield f"broker: {named(one)} is for no cluster that is here"
        if one["kind"] == "Permission" and one["spec"].get("userReference", {}).get("name") not in users:
            yield f"broker: {named(one)} is for no user that is here"


def _place(document: Document) -> tuple[str, str]:
    return document["metadata"]["namespace"], document["metadata"]["name"]


def _told(pod: Pod, settings: Settings) -> Iterator[str]:
    if settings.database.kind != "postgres" or settings.migrate:
        yield "is not on PostgreSQL, or migrates by itself"
    if settings.environment != "production":
        yield "is told another environment"
    if pod.kind != "Deployment":
        return
    if settings.amqp_url is not None and settings.amqp.declare:
        yield "is told to declare the topology"
    if "receiver" in settings.roles and not settings.webhook.trusted_proxies:
        yield "believes no proxy, and parks every webhook"


def declared(documents: Sequence[Document]) -> dict[str, Any]:
    """Give what the topology operator declares, as the bridge describes its own."""
    exchanges, queues, bindings = ([one["spec"] for one in of_kind(documents, k)] for k in _KINDS)
    return {
        "exchanges": _sorted(topology.EXCHANGES, [_exchange(one) for one in exchanges]),
        "queues": _sorted(topology.QUEUES, [_queue(one) for one in queues]),
        "bindings": sorted((_binding(one) for one in bindings), key=lambda one: _order(topology.QUEUES, one["queue"])),
    }


def _exchange(spec: Document) -> Document:
    return {key: spec.get(key, {}) for key in ("name", "type", "durable", "arguments")}


def _queue(spec: Document) -> Document:
    arguments = {"x-queue-type": spec["type"], **spec.get("arguments", {})}
    return {"name": spec["name"], "durable": spec["durable"], "arguments": arguments}


def _binding(spec: Document) -> Document:
    destination = spec["destination"] if spec.get("destinationType") == "queue" else None
    return {"exchange": spec["source"], "queue": destination, "routing_key": spec["routingKey"]}


def _sorted(own: Sequence[Any], found: list[Document]) -> list[Document]:
    return sorted(found, key=lambda one: _order(own, one["name"]))


def _order(own: Sequence[Any], name: str) -> int:
    """Where something of this name stands in the bridge's own list; what it does not know comes last."""
    return next((index for index, one in enumerate(own) if one.name == name), len(own))
