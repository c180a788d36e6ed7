"""A shipment that was made is joined to what asked for it, whatever was heard of it before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from bridge.lifecycle import Clock
from bridge.model import OrganizationId, ShipmentId
from bridge.purchasing.shipment import Shipment
from bridge.reconciling.learning import Learning
from bridge.store import creations
from bridge.store.database import Database, Transaction
from bridge.store.wanting import want_created


class Joining:
    """Keeps which shipment came of which command, and takes in what the carrier said of it."""

    def __init__(self, database: Database, learning: Learning, clock: Clock) -> None:
        self._database = database
        self._learning = learning
        self._clock = clock

    async def made_by(self, command: str, since: datetime) -> Mapping[int, ShipmentId]:
        """Give what a command made since it was begun, by item."""
        return await self._database.read(lambda transaction: creations.of_command(transaction, command, since))

    async def among(self, organization: OrganizationId, shipments: Sequence[ShipmentId]) -> set[ShipmentId]:
        """Say which of these came of a command."""
        return await self._database.read(lambda transaction: creations.among(transaction, organization, shipments))

    def join(
        self, transaction: Transaction, organization: OrganizationId, command: str, made: Mapping[int, Shipment]
    ) -> Mapping[int, ShipmentId]:
        """Store them, but for those that another command was faster with, and give what was stored by item."""
        ids = {item: one.id for item, one in made.items()}
        kept = creations.join(transaction, organization, command, ids, self._clock())
        ours = {item: made[item] for item in kept}
        self._learning.write_made(transaction, organization, list(ours.values()), command)
        # Last, when the subjects are locked: whoever held one meanwhile for not knowing has written that by now.
        want_created(transaction, organization, list(kept.values()), command, self._clock())
        return {item: one.id for item, one in ours.items()}
