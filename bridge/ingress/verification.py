"""Who may tell us something: pure checks of a webhook before a byte of it is parsed.

ShipX signs nothing. What there is: a secret in the URL, the carrier's network as our own proxy saw it, and, after
parsing, the organization. None of it moves money: that takes an authoritative read.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final, Literal

from bridge.model import OUTSIDE_NETWORKS, OrganizationId

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Mode = Literal["enforce", "observe", "off"]

ENCODED_BODY: Final = "encoded_body"
TOO_LARGE: Final = "too_large"

KEPT_OF_TOO_LARGE: Final = 64 * 1024
_MOST_FORWARDED: Final = 1024


class Secrets:
    """The secrets of every organization; several may be valid at once while one is being changed."""

    def __init__(self, secrets: Mapping[OrganizationId, Sequence[str]]) -> None:
        self._secrets = [(text.encode(), organization) for organization, texts in secrets.items() for text in texts]

    def organization(self, candidate: str) -> OrganizationId | None:
        """Say whose secret this is, in a time that does not depend on how much of it is right."""
        data = candidate.encode("utf-8", "replace")
        found = None
        for secret, organization in self._secrets:
            if hmac.compare_digest(secret, data):
                found = organization
        return found


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from, as far as our own proxies can tell; `unproxied` says that a private peer sent it
    while no proxy is trusted, so that the carrier's address cannot be known."""

    address: str
    is_inside: bool
    unproxied: bool


class Networks:
    """The carrier's networks, and the proxies whose word on the sender is taken."""

    def __init__(self, networks: Sequence[Network], trusted_proxies: Sequence[Network]) -> None:
        self._networks = tuple(networks)
        self._trusted = tuple(trusted_proxies)
        self._remembered = lru_cache(maxsize=8192)(self._origin)

    def origin(self, peer: str, forwarded: str) -> Origin:
        """Find the sender; only the end of a long `X-Forwarded-For` is looked at, because that is what proxies add."""
        return self._remembered(peer, forwarded[-_MOST_FORWARDED:] if self._trusted else "")

    def _origin(self, peer: str, forwarded: str) -> Origin:
        """Find the sender: from the right of `X-Forwarded-For`, past trusted proxies, to the first other address."""
        address = _parse(peer)
        hops = [hop.strip() for hop in forwarded.split(",")] if forwarded else []
        while address is not None and hops and _within(address, self._trusted):
            address = _parse(hops.pop())
        if address is None:
            return Origin("unreadable", is_inside=False, unproxied=False)
        unproxied = not self._trusted and not address.is_global
        return Origin(str(address), _within(address, self._networks), unproxied)


def _parse(text: str) -> Address | None:
    """Read an address as proxies write it: with a port, in brackets, or an IPv4 address inside an IPv6 one."""
    bare = text.strip().strip('"')
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        address = ip_address(bare)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _within(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)


@dataclass(frozen=True, slots=True)
class Unverified:
    """A webhook behind a right secret, as it came. `size` counts what was sent, `body` may be only its beginning."""

    organization: OrganizationId
    origin: Origin
    encoding: str
    received_at: datetime
    size: int
    is_whole: bool
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Verified:
    """A webhook that may be parsed."""

    organization: OrganizationId
    received_at: datetime
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Refused:
    """A webhook that is kept without effect, and why."""

    reason: str


def verify(unverified: Unverified, mode: Mode) -> Verified | Refused:
    """Decide whether a webhook may be parsed."""
    if mode == "enforce" and not unverified.origin.is_inside:
        return Refused(OUTSIDE_NETWORKS)
    if unverified.encoding not in ("", "identity"):
        return Refused(ENCODED_BODY)
    if not unverified.is_whole:
        return Refused(TOO_LARGE)
    return Verified(unverified.organization, unverified.received_at, unverified.body)
