"""Parked webhooks that show how an organization's webhooks do, apart from those that show nothing.

Every parked one came behind the organization's secret: a wrong secret is answered 404, and nothing is kept. Of them

- `foreign_organization` came from the carrier's network, too, where that is enforced, and could be read: the carrier
  itself, at the wrong URL;
- `outside_networks` from a private address came through something of ours: a proxy that is not trusted, behind which
  the carrier cannot be told from others. Who is inside and knows the secret can do the same, to this organization
  alone, and only while none of its webhooks is accepted;
- `outside_networks` from anywhere else shows that somebody has the secret, and nothing of the carrier's webhooks;
- the others are what the carrier does not document, or what was changed on the way: one by one, for a person.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Final

from bridge.model import FOREIGN_ORGANIZATION, OUTSIDE_NETWORKS, OrganizationId, micros, moment
from bridge.store.database import Row, Transaction

_LOOKED_BACK: Final = timedelta(hours=24)
_NEWEST: Final = 100
"""How many are looked at: few are enough, and many may be forged."""


@dataclass(frozen=True, slots=True)
class Strays:
    """When webhooks of another organization, and those through a proxy that is not trusted, came: the newest first."""

    foreign: tuple[datetime, ...] = ()
    unproxied: tuple[datetime, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.foreign or self.unproxied)


def strays(transaction: Transaction, organization: OrganizationId, now: datetime) -> Strays:
    """Give those that came lately, and that nobody has replayed. Each body counts once a day."""
    outside = _parked(transaction, organization, OUTSIDE_NETWORKS, now)
    return Strays(
        _moments(_parked(transaction, organization, FOREIGN_ORGANIZATION, now)),
        _moments(row for row in outside if is_private(row[0])),
    )


def is_private(peer: str) -> bool:
    """Say whether an address is one of ours rather than the internet's."""
    try:
        return not ip_address(peer).is_global
    except ValueError:
        return False


def _parked(transaction: Transaction, organization: OrganizationId, reason: str, now: datetime) -> list[Row]:
    return transaction.run(
        "SELECT peer, received_at FROM parked WHERE received_at >= ? AND organization = ? AND reason = ?"
        " AND replayed_as IS NULL ORDER BY received_at DESC LIMIT ?",
        (micros(now - _LOOKED_BACK), organization, reason, _NEWEST),
    )


def _moments(rows: Iterable[Row]) -> tuple[datetime, ...]:
    return tuple(moment(row[1]) for row in rows)
