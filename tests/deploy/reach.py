"""Reach: network policies let each pod to what its settings name, and in what has to come to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from bridge.errors import SettingsError
from bridge.settings import Settings
from tests.deploy.configuration import settings_of
from tests.deploy.pods import Pod, brokers, pods
from tests.deploy.rendering import Document, named, of_kind

_SPACE: Final = "kubernetes.io/metadata.name"
_NAME: Final = "app.kubernetes.io/name"
_OF_BROKERS: Final = ("amqp", "management", "epmd", "cluster")
_PORTS: Final = {"postgresql": 5432, "amqp": 5672, "amqps": 5671}

Peer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Someone whom a pod has to reach: a name for people, the protocol and port, and how a policy names it."""

    what: str
    protocol: str
    port: int
    fits: Callable[[Peer], bool]


def findings(documents: Sequence[Document]) -> Iterator[str]:
    """Say what is cut off."""
    for pod in pods(documents):
        try:
            settings = settings_of(documents, pod, pod.spec["containers"][0])
        except SettingsError:  # of which `configuration` tells
            continue
        yield from (f"{pod.name}: cannot reach {text}" for text in _cut_off(documents, pod, settings))
    yield from _shut(documents)
    for broker in brokers(documents):
        opened = {port["port"] for rule in _rules(documents, broker, "ingress") for port in rule["ports"]}
        shut = [name for name in _OF_BROKERS if broker.ports[name] not in opened]
        yield from (f"{broker.name}: no policy lets anybody in at {name}" for name in shut)


def _cut_off(documents: Sequence[Document], pod: Pod, settings: Settings) -> Iterator[str]:
    rules = _rules(documents, pod, "egress")
    for wanted in _wanted(documents, settings):
        ports = [rule["ports"] for rule in rules if any(wanted.fits(peer) for peer in rule["to"])]
        if {"protocol": wanted.protocol, "port": wanted.port} not in [port for several in ports for port in several]:
            yield f"{wanted.what} at {wanted.protocol} {wanted.port}"


def _wanted(documents: Sequence[Document], settings: Settings) -> Iterator[Wanted]:
    outside = settings.database.kind == "postgres" or not settings.carriers_are_loopback
    if outside:
        yield from (Wanted("DNS", protocol, 53, _is_dns) for protocol in ("UDP", "TCP"))
    if settings.database.kind == "postgres":
        yield Wanted("the database", "TCP", _port(settings.database_url.get_secret_value()), lambda it: "ipBlock" in it)
    if settings.amqp_url is not None:
        yield Wanted("the broker", "TCP", _port(settings.amqp_url.get_secret_value()), _is_broker(documents))
    if not settings.carriers_are_loopback and any(one.token for one in settings.shipx.organizations):
        yield Wanted("carriers", "TCP", 443, lambda it: it.get("ipBlock", {}).get("cidr") == "0.0.0.0/0")


def _shut(documents: Sequence[Document]) -> Iterator[str]:
    """Say to which pods what the Ingress and the ServiceMonitor lead is not let in."""
    services = {one["metadata"]["name"]: one for one in of_kind(documents, "Service")}
    led = [
        (f"{named(ingress)} to {path['backend']['service']['name']}", path["backend"]["service"]["name"])
        for ingress in of_kind(documents, "Ingress")
        for rule in ingress["spec"]["rules"]
        for path in rule["http"]["paths"]
    ]
    led += [
        (f"{named(monitor)} to {name}", name)
        for monitor in of_kind(documents, "ServiceMonitor")
        for name, one in services.items()
        if monitor["spec"]["selector"]["matchLabels"].items() <= one["metadata"].get("labels", {}).items()
    ]
    for way, name in led:
        service = services[name]
        targets = {port["targetPort"] for port in service["spec"]["ports"]}
        for pod in pods(documents):
            if pod.fits(service["metadata"]["namespace"], {"matchLabels": service["spec"]["selector"]}):
                shut = (targets & pod.ports.keys()) - _opened(documents, pod)
                yield from (f"{pod.name}: no policy lets {way} in, at {port}" for port in shut)


def _opened(documents: Sequence[Document], pod: Pod) -> set[Any]:
    rules = _rules(documents, pod, "ingress")
    spaced = [rule for rule in rules if any(_SPACE in _labels(peer, "namespaceSelector") for peer in rule["from"])]
    return {port["port"] for rule in spaced for port in rule["ports"]}


def _rules(documents: Sequence[Document], pod: Pod, way: str) -> list[Document]:
    """Give what the policies for a pod allow it, or others towards it."""
    found = of_kind(documents, "NetworkPolicy")
    specs = [one["spec"] for one in found if pod.fits(one["metadata"]["namespace"], one["spec"]["podSelector"])]
    return [rule for spec in specs for rule in spec.get(way, ())]


def _is_dns(peer: Peer) -> bool:
    return _labels(peer, "namespaceSelector") == {_SPACE: "kube-system"}


def _is_broker(documents: Sequence[Document]) -> Callable[[Peer], bool]:
    """Fit what leads to the cluster's pods, which its operator calls by the cluster's name; without one, anything."""
    clusters = [one["metadata"] for one in of_kind(documents, "RabbitmqCluster")]
    known = [({_SPACE: one["namespace"]}, {_NAME: one["name"]}) for one in clusters]
    return lambda it: not known or (_labels(it, "namespaceSelector"), _labels(it, "podSelector")) in known


def _labels(peer: Peer, selector: str) -> dict[str, str]:
    found: dict[str, str] = peer.get(selector, {}).get("matchLabels", {})
    return found


def _port(url: str) -> int:
    place = urlsplit(url)
    return place.port or _PORTS[place.scheme]
