"""Intelligentreturns in our words: what the use cases ask for, and nothing of how it is said over there.

See `bridge.ports.return_platform` for what each of these promises.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from bridge.carriers.intelligentreturns import drafts, words
from bridge.carriers.intelligentreturns.client import IntelligentReturns
from bridge.carriers.intelligentreturns.drafts import street_line
from bridge.carriers.intelligentreturns.questions import (
    AddedStatus,
    Billed,
    Cancellation,
    Coordinates,
    OrderKey,
    PointAddress,
    PointKey,
    PointSearch,
    ReturnFilter,
    ReturnKey,
    Where,
)
from bridge.errors import FieldProblem
from bridge.events.statuses import Status
from bridge.limits.connection import Purpose
from bridge.returns.bill import Bill
from bridge.returns.draft import ReturnDraft
from bridge.returns.found import FoundOrder, FoundReturn
from bridge.returns.order import OrderDraft, OrderItems
from bridge.returns.progress import Progress
from bridge.returns.query import PointQuery, ReturnQuery, Whereabouts
from bridge.returns.service import DropOffPoint, Quote, Service
from bridge.returns.ticket import Ticket


class IntelligentPlatform:
    """One account."""

    def __init__(self, client: IntelligentReturns) -> None:
        self._client = client

    # -- returns -------------------------------------------------------------------------------------------------------

    def broken(self, draft: ReturnDraft | OrderDraft | OrderItems) -> Sequence[FieldProblem]:
        """Say what they would refuse, by field."""
        return drafts.problems(draft)

    def meaning(self, status: str) -> Status:
        """Say what a scan's word means."""
        return words.meaning(status)

    async def create(self, draft: ReturnDraft, external_id: str) -> Ticket:
        """Make a return."""
        return await self._client.create(drafts.booking(draft, external_id))

    async def find(self, external_id: str, purpose: Purpose = Purpose.create) -> FoundReturn | None:
        """Find a return by our own id."""
        return await self._client.read(ReturnKey(id=external_id, type="external_id"), purpose)

    def search(self, query: ReturnQuery, purpose: Purpose = Purpose.sweep) -> AsyncIterator[FoundReturn]:
        """Give the returns that fit, newest first."""
        return self._client.search(_filter(query), purpose)

    async def cancel(self, external_id: str | None, tracking_number: str | None = None) -> None:
        """Ask for a return to be cancelled."""
        await self._client.cancel(Cancellation(external_id=external_id, tracking=tracking_number))

    async def bills(
        self, external_id: str | None = None, tracking_number: str | None = None, reference: str | None = None
    ) -> tuple[Bill, ...]:
        """Read what returns cost."""
        wanted = Billed(external_id=external_id, tracking=tracking_number, order_reference=reference)
        return await self._client.bills(wanted)

    # -- parcels -------------------------------------------------------------------------------------------------------

    async def track(self, tracking_number: str, purpose: Purpose = Purpose.tracking) -> Progress:
        """Read where a parcel has been."""
        return await self._client.track(tracking_number, purpose)

    def learned(self, since: datetime, until: datetime) -> AsyncIterator[Progress]:
        """Give what the provider learned in a time."""
        return self._client.events(since, until, "added")

    def happened(self, since: datetime, until: datetime) -> AsyncIterator[Progress]:
        """Give what happened in a time."""
        return self._client.events(since, until, "occurred")

    async def refunded(self, tracking_number: str, at: datetime) -> None:
        """Tell that the money was paid back."""
        await self._client.add_status(AddedStatus(tracking=tracking_number, date=at))

    # -- before a return -----------------------------------------------------------------------------------------------

    def broken_for_quotes(self, draft: ReturnDraft) -> Sequence[FieldProblem]:
        """Say what they would refuse where a price is asked for, by field."""
        return drafts.quote_problems(draft)

    async def quotes(self, draft: ReturnDraft) -> tuple[Quote, ...]:
        """Ask what a return would cost."""
        return await self._client.prices(drafts.inquiry(draft))

    async def services(self, where: Whereabouts) -> tuple[Service, ...]:
        """Ask which services there are at a place."""
        return await self._client.services(_where(where))

    async def points(self, query: PointQuery) -> tuple[DropOffPoint, ...]:
        """Ask for drop-off points."""
        return await self._client.points(_points(query))

    async def point(self, point: str, service_id: int) -> DropOffPoint | None:
        """Read one drop-off point."""
        return await self._client.point(PointKey(drop_off_point_id=point, service_id=service_id))

    # -- orders --------------------------------------------------------------------------------------------------------

    async def create_order(self, draft: OrderDraft) -> str:
        """Tell of an order."""
        return await self._client.create_order(drafts.order(draft))

    async def find_order(self, reference: str) -> FoundOrder | None:
        """Read an order."""
        return await self._client.read_order(OrderKey(type="reference", val=reference))

    async def delete_order(self, reference: str) -> None:
        """Delete an order."""
        await self._client.delete_order(OrderKey(type="reference", val=reference))

    async def add_items(self, draft: OrderItems) -> str:
        """Tell of more articles of an order."""
        return await self._client.add_items(drafts.more_items(draft))


def _filter(query: ReturnQuery) -> ReturnFilter:
    return ReturnFilter(
        order_reference=query.reference,
        date_from=query.since,
        date_to=query.until,
        quick_search=query.words,
        status=query.return_status,
        current_tracking_status=query.tracking_status,
        virtual_tracking_status=query.virtual_status,
        service_id=query.service_id,
        country=query.country_code,
    )


def _where(where: Whereabouts) -> Where:
    address = where.address
    return Where(
        country=address.country_code,
        state=address.state,
        zip=address.post_code,
        city=address.city,
        suburb=where.suburb,
        addr1=street_line(address),
        lat=where.latitude,
        lng=where.longitude,
    )


def _points(query: PointQuery) -> PointSearch:
    near = query.near
    return PointSearch(
        services=query.service_ids or None,
        address=_near(near),
        coordinates=None
        if near.latitude is None or near.longitude is None
        else Coordinates(lat=near.latitude, lng=near.longitude),
        radius=query.radius_km,
        max_num=query.most,
    )


def _near(where: Whereabouts) -> PointAddress | None:
    address = where.address
    if address.country_code is None:
        return None
    return PointAddress(
        country=address.country_code,
        state=address.state,
        zip=address.post_code,
        city=address.city,
        suburb=where.suburb,
        addr1=street_line(address),
    )
