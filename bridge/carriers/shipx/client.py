"""ShipX as the purchase engine needs it: reading one or many, a turn to buy, offers made anew.

Every call is made under a permit, and only reads are ever repeated, by whoever asked for them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from typing import Final

import httpx
import structlog
from pydantic import SecretStr

from bridge.carriers.shipx import calls, listing, reading, wire
from bridge.carriers.shipx import shipment as shipments
from bridge.carriers.shipx.asking import Asker
from bridge.carriers.shipx.caller import Caller
from bridge.carriers.shipx.calls import Call
from bridge.carriers.shipx.listing import Listing
from bridge.carriers.shipx.trust import Trust
from bridge.carriers.shipx.turn import ShipxTurn
from bridge.errors import CarrierRefused, CarrierUnavailable
from bridge.lifecycle import Clock
from bridge.limits.connection import Purpose
from bridge.model import OrganizationId, ShipmentId
from bridge.observability import Metrics
from bridge.ports import Page, Permits
from bridge.purchasing.shipment import Shipment

log = structlog.get_logger()

_PATIENCE_TO_BUY_S: Final = 5.0
"""What was read grows old meanwhile: after that it is read anew."""
_PATIENCE_TO_COMPARE_S: Final = 90.0
"""It takes two calls or three, one right after the other, also at one call a minute."""
_MOST_PARTS: Final = 15
"""How many calls one list may become where it is refused: enough to find one impossible id among a hundred."""


class ShipxClient:
    """ShipX for one organization."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        base_url: str,
        organization: OrganizationId,
        token: SecretStr,
        permits: Permits,
        metrics: Metrics,
        clock: Clock,
        version: str,
    ) -> None:
        self._caller = Caller(http, base_url=base_url, token=token, metrics=metrics, clock=clock, version=version)
        self.asker = Asker(self._caller, permits)
        self.organization = organization
        self._permits = permits
        self._clock = clock
        self._trust = Trust()
        self._is_comparing = False

    @property
    def lists_differ(self) -> bool:
        """Whether lists were last seen to say something else than the read of one: then nothing is done in bulk."""
        return self._trust.differ

    async def read(self, shipment: ShipmentId, purpose: Purpose = Purpose.read) -> Shipment:
        """Read a shipment. Raises CarrierUnavailable or CarrierRefused."""
        return await self.asker.ask(calls.read(shipment), partial(reading.shipment, shipment), purpose)

    async def read_many(self, shipments: Sequence[ShipmentId], purpose: Purpose) -> Mapping[ShipmentId, Shipment]:
        """Read those that the carrier lists of up to a hundred. A list that is refused for an id is halved."""
        assert len(shipments) <= calls.MOST_AT_ONCE, "a hundred at once"
        waiting = [part] if (part := [one for one in dict.fromkeys(shipments) if 0 < one < 10**18]) else []
        found: dict[ShipmentId, Shipment] = {}
        for _ in range(_MOST_PARTS):
            if not waiting:
                break
            part = waiting.pop(0)
            try:
                found |= await self._read_list(part, purpose)
            except CarrierRefused as refusal:
                if not _is_invalid(refusal):
                    raise
                waiting += _halves(part)
        return found

    @property
    def wants_sample(self) -> bool:
        """Whether a list has yet to be compared today, and nobody does it just now."""
        return self._trust.is_due(self._clock().date()) and not self._is_comparing

    async def most_at_once(self, sample: ShipmentId | None = None) -> int:
        """Say how many shipments one call may be about: 1 until a list was compared today, by one with a sample."""
        if sample is not None and self.wants_sample:
            self._is_comparing = True
            try:
                same = await self._compare(sample)
            finally:
                self._is_comparing = False
            if same is not None:
                self._compared(same=same)
        return self._trust.at_once(self._clock().date())

    async def created_since(self, since: datetime, page: int, purpose: Purpose = Purpose.sweep) -> Page:
        """Read a page of what was created since then, oldest first. Raises CarrierUnavailable or CarrierRefused."""
        found, at = await self._list(calls.created_since(self.organization, since, page), purpose)
        if not found.is_filtered:
            raise CarrierUnavailable("filter_dropped")
        items = tuple(shipments.ours(one, at) for one in found.items)
        came = len(items) + found.unread
        return Page(items, found.count, found.unread, is_last=not came or page * calls.MOST_AT_ONCE >= found.count)

    async def regenerate(
        self, shipment: ShipmentId, purpose: Purpose = Purpose.read, is_late: Callable[[], bool] = lambda: False
    ) -> None:
        """Have offers made anew by an empty edit; where that is not valid, by one that says again what is so."""
        try:
            await self.asker.ask(calls.edit(shipment, {}), reading.accepted, purpose, is_late)
        except CarrierRefused as refusal:
            if not _is_invalid(refusal):
                raise
            comments = await self.asker.ask(calls.read(shipment), partial(reading.comments, shipment), purpose)
            if not comments:
                raise
            await self.asker.ask(calls.edit(shipment, {"comments": comments}), reading.accepted, purpose, is_late)

    @asynccontextmanager
    async def turn_to_buy(self) -> AsyncIterator[ShipxTurn]:
        """Take a turn before the intent is written down: from there on nothing may wait."""
        patience_s = min(self._caller.timeout_s, _PATIENCE_TO_BUY_S)
        async with self._permits.permit(Purpose.buy, patience_s) as permit:
            yield ShipxTurn(self._caller, self.organization, permit)

    async def organizations(self, purpose: Purpose = Purpose.read) -> list[OrganizationId]:
        """List the organizations that the token may act for. Raises CarrierUnavailable or CarrierRefused.

        A page on which ours is missing says nothing of the others: that is no answer.
        """
        found, is_whole = await self.asker.ask(calls.ORGANIZATIONS, reading.organizations, purpose)
        if not is_whole and self.organization not in found:
            raise CarrierUnavailable("partial_list")
        return found

    # -- lists ---------------------------------------------------------------------------------------------------------

    async def _read_list(self, part: Sequence[ShipmentId], purpose: Purpose) -> Mapping[ShipmentId, Shipment]:
        found, at = await self._list(calls.read_many(self.organization, part), purpose)
        if not found.is_filtered or not {one.id for one in found.items} <= set(part):
            self._compared(same=False)
            raise CarrierUnavailable("filter_dropped")
        self._trust = self._trust.listed(len(part), len(found.items))
        return {ShipmentId(one.id): shipments.ours(one, at) for one in found.items}

    async def _compare(self, sample: ShipmentId) -> bool | None:
        """Say whether a list says the same of a shipment as its read; None where that proves nothing.

        Without offers and payments it does not show whether lists leave those out, and lists are late.
        """
        read = calls.read(sample), partial(reading.raw_shipment, sample), Purpose.settle
        alone, _ = await self.asker.ask(*read, patience_s=_PATIENCE_TO_COMPARE_S)
        if not (alone.offers and alone.transactions):
            return None
        listed = await self._listed(sample)
        if listed is not None and listing.says_the_same(alone, listed):
            return True
        again, at = await self.asker.ask(*read, patience_s=_PATIENCE_TO_COMPARE_S)
        return False if listing.says_the_same(alone, again) and listing.is_settled(again, at) else None

    async def _listed(self, sample: ShipmentId) -> wire.Shipment | None:
        """Read one shipment by a list; None where that does not do."""
        try:
            call = calls.read_many(self.organization, [sample])
            found, _ = await self._list(call, Purpose.settle, patience_s=_PATIENCE_TO_COMPARE_S)
        except CarrierRefused as refusal:
            if not _is_invalid(refusal):
                raise
            return None
        return next((one for one in found.items if one.id == sample), None) if found.is_filtered else None

    async def _list(self, call: Call, purpose: Purpose, *, patience_s: float | None = None) -> tuple[Listing, datetime]:
        read = partial(reading.shipment_list, call.filters)
        found, at = await self.asker.ask(call, read, purpose, patience_s=patience_s)
        if found.unread:
            log.warning("carrier.items_unreadable", carrier="shipx", operation=call.operation, items=found.unread)
        return found, at

    def _compared(self, *, same: bool) -> None:
        """Keep what was found for today, and say once what an operator has to know."""
        today = self._clock().date()
        if not same and (self._trust.is_due(today) or not self._trust.differ):
            log.warning("carrier.lists_differ", carrier="shipx", organization=self.organization)
        self._trust = self._trust.compared(today, same=same)


def _is_invalid(refusal: CarrierRefused) -> bool:
    return (refusal.status, refusal.key) == (httpx.codes.BAD_REQUEST, "validation_failed")


def _halves(part: list[ShipmentId]) -> list[list[ShipmentId]]:
    """Give both halves; of one alone nothing is left, and nobody has it."""
    middle = len(part) // 2
    return [part[:middle], part[middle:]] if middle else []
