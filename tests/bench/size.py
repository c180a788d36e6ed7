"""How much is measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    """Rounds, and what is sent in one. `messages` is what the fastest sends; slower ones send a share of it."""

    rounds: int
    accepts: int
    messages: int
    steady_s: int
    history: int
    """Webhooks in the database before anything is measured."""
    outage_s: int
    """For how long the broker is away."""
    purchases: int = 10_000
    """Shipments whose offers are prepared within a minute."""
    warm_up: int = 1_000


QUICK = Size(rounds=5, accepts=10_000, messages=6_000, steady_s=4, history=200_000, outage_s=20)
FULL = Size(rounds=7, accepts=60_000, messages=30_000, steady_s=20, history=10_000_000, outage_s=600)
