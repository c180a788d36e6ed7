"""Whoever stands where a carrier would, for an organization that has no token: nobody is asked anything."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

from bridge.errors import NoPermit
from bridge.limits.connection import Purpose
from bridge.model import ShipmentId
from bridge.ports import Turn
from bridge.purchasing.shipment import Shipment
from bridge.purchasing.unread import NO_TOKEN


class Nobody:
    """Answers every question with that there is no token."""

    async def read(self, shipment: ShipmentId, purpose: Purpose = Purpose.read) -> Shipment:
        raise NO_TOKEN

    async def read_many(self, shipments: Sequence[ShipmentId], purpose: Purpose) -> Mapping[ShipmentId, Shipment]:
        raise NO_TOKEN

    @property
    def wants_sample(self) -> bool:
        return False

    async def most_at_once(self, sample: ShipmentId | None = None) -> int:
        return 1

    async def regenerate(
        self, shipment: ShipmentId, purpose: Purpose = Purpose.read, is_late: Callable[[], bool] = lambda: False
    ) -> None:
        raise NO_TOKEN

    @asynccontextmanager
    async def turn_to_buy(self) -> AsyncIterator[Turn]:
        raise NoPermit("no_token")
        yield
