"""The HTTP client of one connection to a carrier: bounded, without redirects, and without what the environment says."""

from __future__ import annotations

from typing import Final

import httpx

from bridge.carriers.transport import Transport
from bridge.limits.connection import LEASE_S

CONNECT_S: Final = LEASE_S * 3 / 8
"""The most that connecting takes, and the most that TLS takes after it. Both end clearly before a permit does: a
carrier who cannot be reached shows as that, and not as a process that stood still."""


def bounds(timeout_s: float) -> httpx.Timeout:
    """Bound the parts of a call that may take so long: connecting and TLS each by less, every read and write by all."""
    return httpx.Timeout(timeout_s, connect=min(timeout_s, CONNECT_S))


def make_http(*, timeout_s: float, at_once: int) -> httpx.AsyncClient:
    """Make the HTTP client for one connection: its pool is small, because a large one is slow.

    `timeout_s` bounds the parts of a call, as `bounds` has it; the whole call is bounded by it, too.
    """
    limits = httpx.Limits(max_connections=at_once, max_keepalive_connections=at_once)
    transport = Transport(limits=limits, trust_env=False)
    return httpx.AsyncClient(timeout=bounds(timeout_s), transport=transport, follow_redirects=False, trust_env=False)
