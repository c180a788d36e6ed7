"""Choosing offers without paying for them. Nothing needs it: an offer may be bought as it is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from bridge.carriers.shipx import calls, reading
from bridge.carriers.shipx.asking import Asker
from bridge.limits.connection import Purpose
from bridge.model import OrganizationId
from bridge.purchasing.shipment import Choice, Shipment


class ShipxChooser:
    """Chooses offers for one organization."""

    def __init__(self, asker: Asker, organization: OrganizationId) -> None:
        self._asker = asker
        self._organization = organization

    async def select(self, choice: Choice) -> Shipment:
        """Choose one offer, and give the shipment as it is then: its other offers are gone."""
        read = partial(reading.shipment, choice.shipment)
        return await self._asker.send(calls.select(choice), read, Purpose.select)

    async def select_many(self, choices: Sequence[Choice]) -> None:
        """Choose up to a hundred. Returning means accepted: only a read shows what became of each."""
        assert 0 < len(choices) <= calls.MOST_AT_ONCE, "one to a hundred at once"
        await self._asker.send(calls.select_many(self._organization, choices), reading.taken, Purpose.select)
