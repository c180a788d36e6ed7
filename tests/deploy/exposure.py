"""Exposure: only /webhooks/ is reached from outside, and inside only what a policy names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, Final

from tests.deploy.pods import brokers, pods
from tests.deploy.rendering import Document, named, of_kind

Network = IPv4Network | IPv6Network
_LOGS: Final = "nginx.ingress.kubernetes.io/enable-access-log"
_INSIDE: Final = [
    ip_network(text) for text in ("10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16")
]
"""What is no address of the internet: pods, nodes, the cloud's metadata."""


def findings(documents: Sequence[Document]) -> Iterator[str]:
    """Say what is open that should not be."""
    services = {one["metadata"]["name"]: one["spec"] for one in of_kind(documents, "Service")}
    for name, spec in services.items():
        if spec.get("type", "ClusterIP") != "ClusterIP" or spec.get("externalIPs"):
            yield f"Service/{name}: can be reached from outside"
    for ingress in of_kind(documents, "Ingress"):
        yield from (f"{named(ingress)}: {text}" for text in _ingress(ingress["spec"], services))
        if ingress["metadata"].get("annotations", {}).get(_LOGS) != "false":
            yield f"{named(ingress)}: has the paths of webhooks logged, which hold their secret"
    for policy in of_kind(documents, "NetworkPolicy"):
        yield from (f"{named(policy)}: {text}" for text in _open(policy["spec"]))
    denied = {one["metadata"]["namespace"] for one in of_kind(documents, "NetworkPolicy") if _denies_all(one["spec"])}
    for pod in pods(documents):
        if pod.namespace not in denied:
            yield f"{pod.name}: no policy denies its namespace what others do not allow"
    for broker in brokers(documents):
        closed = [one["metadata"]["namespace"] for one in of_kind(documents, "NetworkPolicy") if _denies(one["spec"])]
        if broker.namespace not in closed:
            yield f"{broker.name}: is open to the whole cluster"


def _ingress(spec: Document, services: dict[str, Document]) -> Iterator[str]:
    if "defaultBackend" in spec:
        yield "has a default backend"
    if not spec.get("ingressClassName"):
        yield "says of no controller that it is its own"
    secured = {host for one in spec.get("tls", ()) if one.get("secretName") for host in one["hosts"]}
    for rule in spec["rules"]:
        if not rule.get("host"):
            yield "answers for every host"
        if rule.get("host") not in secured:
            yield f"{rule.get('host')} has no certificate"
        for path in rule["http"]["paths"]:
            if (path["path"], path["pathType"]) != ("/webhooks/", "Prefix"):
                yield f"exposes {path['path']}"
            backend = path["backend"]["service"]
            ports = services[backend["name"]]["ports"]
            if [port["targetPort"] for port in ports if port["name"] == backend["port"]["name"]] != ["webhooks"]:
                yield f"leads to another port of {backend['name']} than that of webhooks"


def _denies_all(spec: dict[str, Any]) -> bool:
    return spec == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def _denies(spec: dict[str, Any]) -> bool:
    return not spec["podSelector"] and "Ingress" in spec["policyTypes"] and not spec.get("ingress")


def _open(spec: dict[str, Any]) -> Iterator[str]:
    for rules, peers in (("ingress", "from"), ("egress", "to")):
        for rule in spec.get(rules, ()):
            if not rule.get(peers) or not rule.get("ports"):
                yield f"{rules} from or to anybody, or on any port"
            yield from (f"{rules}: {text}" for peer in rule.get(peers, ()) for text in _peer(peer))


def _peer(peer: dict[str, Any]) -> Iterator[str]:
    for selector in (peer[kind] for kind in ("namespaceSelector", "podSelector") if kind in peer):
        if not selector or not all(selector.get("matchLabels", {"": "set"}).values()):
            yield "from or to everybody, or nobody: a selector without a value"
    if "ipBlock" in peer and not _is_network(peer["ipBlock"]["cidr"]):
        yield f"{peer['ipBlock']['cidr']!r} is no network"
    elif "ipBlock" in peer:
        block = ip_network(peer["ipBlock"]["cidr"])
        spared = [ip_network(one) for one in peer["ipBlock"].get("except", ())]
        reached = [one for one in _INSIDE if _within(one, block) and not any(_within(one, other) for other in spared)]
        yield from (f"{block} has {one} in it" for one in reached)


def _within(inner: Network, outer: Network) -> bool:
    return inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type]


def _is_network(text: str) -> bool:
    try:
        ip_network(text)
    except ValueError:
        return False
    return True
