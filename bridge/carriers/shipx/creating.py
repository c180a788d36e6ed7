"""Making shipments. Nothing keeps ShipX from making the same one twice, so nothing here is sent twice.

What became of a call without an answer is found by `created_since` of the client, which reads what the carrier lists;
a new shipment is missing there for some seconds (2026-10).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from bridge.carriers.shipx import calls, reading
from bridge.carriers.shipx.asking import Asker
from bridge.limits.connection import Purpose
from bridge.model import BatchId, OrganizationId
from bridge.purchasing.shipment import Shipment
from bridge.shipments.created import Batch
from bridge.shipments.draft import Draft


class ShipxCreator:
    """Makes shipments for one organization."""

    def __init__(self, asker: Asker, organization: OrganizationId) -> None:
        self._asker = asker
        self._organization = organization

    async def create(self, draft: Draft) -> Shipment:
        """Make one. Raises as every write does: see the port."""
        return await self._asker.send(calls.create(self._organization, draft), reading.created, Purpose.create)

    async def create_batch(self, drafts: Sequence[Draft]) -> Batch:
        """Have up to 2,500 made, each by itself and later. One that is not valid keeps all from being taken in."""
        assert 0 < len(drafts) <= calls.MOST_IN_BATCH, "one to 2,500 at once"
        return await self._asker.send(calls.create_batch(self._organization, drafts), reading.batch, Purpose.create)

    async def read_batch(self, batch: BatchId, purpose: Purpose = Purpose.create) -> Batch:
        """Read how far a batch has come."""
        return await self._asker.ask(calls.read_batch(batch), partial(reading.same_batch, batch), purpose)
