"""Choosing offers without paying for them."""

from __future__ import annotations

from functools import partial

from bridge.carriers.shipx import calls, reading
from bridge.carriers.shipx.asking import Asker
from bridge.limits.connection import Purpose
from bridge.purchasing.shipment import Choice, Shipment


class ShipxChooser:
    """Chooses offers with the token of one organization."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker

    async def select(self, choice: Choice) -> Shipment:
        """Choose one offer, and give the shipment as it is then: its other offers are gone."""
        read = partial(reading.shipment, choice.shipment)
        return await self._asker.send(calls.select(choice), read, Purpose.select)
