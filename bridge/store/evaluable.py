"""What a policy can be tried on of a shipment that is known: the last decision, or the offers last told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydantic_core import from_json

from bridge.events.catalogue import Offer, OffersPrepared
from bridge.model import OrganizationId, ShipmentId, moment
from bridge.store import decisions
from bridge.store.database import Database, Transaction
from bridge.store.decisions import Decided
from bridge.store.story import sources
from bridge.store.subjects import named

_SHIPX: Final = "/shipx/"


@dataclass(frozen=True, slots=True)
class Offered:
    """The offers of a shipment as an event told them. `at` is when it told of them."""

    at: datetime
    offers: tuple[Offer, ...]


@dataclass(frozen=True, slots=True)
class Evaluable:
    """A shipment that an organization is known to have. `offered` is looked for where nothing was decided."""

    organization: OrganizationId
    shipment: ShipmentId
    decided: Decided | None
    offered: Offered | None = None


class SqlEvaluable:
    """Looks up what a policy can be tried on."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, shipment: ShipmentId) -> Sequence[Evaluable]:
        """Look a shipment up under each organization that is known to have one of this number."""
        return await self._database.read(lambda transaction: find(transaction, shipment))


def find(transaction: Transaction, shipment: ShipmentId) -> list[Evaluable]:
    """Look a shipment up under each organization that is known to have one of this number."""
    found = {
        one.organization: Evaluable(one.organization, shipment, one) for one in decisions.latest(transaction, shipment)
    }
    subjects = named(transaction, f"shipment/{shipment}")
    for source in sources(transaction, f"shipment/{shipment}"):
        organization = OrganizationId(int(source.removeprefix(_SHIPX)))
        if organization not in found:
            offered = _offered(transaction, subjects[source]) if source in subjects else None
            found[organization] = Evaluable(organization, shipment, None, offered)
    return sorted(found.values(), key=lambda one: one.organization)


def _offered(transaction: Transaction, subject: int) -> Offered | None:
    """Read the newest offers that were told, as long as their event is kept."""
    rows = transaction.run(
        "SELECT events.body, events.occurred_at FROM facts JOIN events ON events.position = facts.position"
        " WHERE facts.subject_id = ? AND facts.type = ? ORDER BY events.occurred_at DESC, facts.position DESC LIMIT 1",
        (subject, OffersPrepared.type),
    )
    if not rows:
        return None
    told = from_json(rows[0][0])["data"]["offers"]
    return Offered(moment(rows[0][1]), tuple(Offer.model_validate(one) for one in told))
