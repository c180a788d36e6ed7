"""Reads of purchases: of one by itself, of many by a list, and which of many the carrier knows at all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from bridge.errors import CarrierRefused, CarrierUnavailable
from bridge.limits.connection import Purpose
from bridge.model import ShipmentId
from bridge.ports import Carrier
from bridge.purchasing.shipment import Shipment
from bridge.purchasing.unread import NOT_LISTED

ALONE: Final = 2
"""How many of those that a list left out are read by themselves: one forged id must not use up everybody's calls."""

Read = Shipment | CarrierUnavailable | CarrierRefused


class Reader:
    """Reads from a carrier; `on_call` hears how long a read of one took."""

    def __init__(self, carrier: Carrier, on_call: Callable[[float], None]) -> None:
        self._carrier = carrier
        self._on_call = on_call

    async def read(self, wanted: Sequence[ShipmentId], purpose: Purpose, *, alone: int) -> Mapping[ShipmentId, Read]:
        """Read all of them, and of those that a list left out so many `alone`."""
        if len(wanted) == 1:
            return {wanted[0]: await self.one(wanted[0], purpose)}
        try:
            listed = await self._carrier.read_many(wanted, purpose)
        except (CarrierUnavailable, CarrierRefused) as error:
            return dict.fromkeys(wanted, error)
        missing = [one for one in wanted if one not in listed]
        found = {one: await self.one(one, purpose) for one in missing[:alone]}
        return {one: listed.get(one) or found.get(one, NOT_LISTED) for one in wanted}

    async def one(self, shipment: ShipmentId, purpose: Purpose) -> Read:
        """Read one by itself."""
        began = asyncio.get_running_loop().time()
        try:
            return await self._carrier.read(shipment, purpose)
        except (CarrierUnavailable, CarrierRefused) as error:
            return error
        finally:
            self._on_call(asyncio.get_running_loop().time() - began)

    async def known(self, asked: Sequence[ShipmentId], purpose: Purpose) -> Sequence[ShipmentId]:
        """Give those that a list has, in order; all of them where there is none to be had."""
        if len(asked) == 1:
            return asked
        try:
            listed = await self._carrier.read_many(asked, purpose)
        except (CarrierUnavailable, CarrierRefused):
            return asked
        return [one for one in asked if one in listed]
