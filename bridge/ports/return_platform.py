"""What returns need of a provider that knows orders and many carriers; whatever has these methods will do.

A call that changes something is sent once, and raises one of three: NoPermit means that nothing was sent,
CarrierRefused that nothing was done, and says of which fields, and any other CarrierUnavailable that nobody knows,
unless its status is 429. A read raises the same, and may be asked again. A CarrierRefused whose key is in ACCOUNT_WIDE
(`bridge.returns.refusals`) is about the whole account; one in LOGIN_REFUSED pauses the connection.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from bridge.events.statuses import Status
from bridge.limits.connection import Purpose

if TYPE_CHECKING:  # for the types alone: who needs one port must not drag in what the others speak of
    from bridge.errors import FieldProblem
    from bridge.returns.bill import Bill
    from bridge.returns.draft import ReturnDraft
    from bridge.returns.found import FoundOrder, FoundReturn
    from bridge.returns.order import OrderDraft, OrderItems
    from bridge.returns.progress import Progress
    from bridge.returns.query import PointQuery, ReturnQuery, Whereabouts
    from bridge.returns.service import DropOffPoint, Quote, Service
    from bridge.returns.ticket import Ticket


class ReturnPlatform(Protocol):
    """Makes returns, and finds each by an id of ours.

    `broken` and `broken_for_quotes` ask nobody: what they find nothing wrong with may be given to the method of it.
    """

    def broken(self, draft: ReturnDraft | OrderDraft | OrderItems) -> Sequence[FieldProblem]:
        """Say what would be refused, by field."""
        ...

    def meaning(self, status: str) -> Status:
        """Say what a scan's word means."""
        ...

    async def create(self, draft: ReturnDraft, external_id: str) -> Ticket:
        """Make a return. After a doubt find it by `external_id`, and make it again only under the same one."""
        ...

    async def find(self, external_id: str, purpose: Purpose = Purpose.create) -> FoundReturn | None:
        """Find a return by our own id, with its label."""
        ...

    def search(self, query: ReturnQuery, purpose: Purpose = Purpose.sweep) -> AsyncIterator[FoundReturn]:
        """Give the returns that fit, newest first, without labels."""
        ...

    async def cancel(self, external_id: str | None, tracking_number: str | None = None) -> None:
        """Ask for a return to be cancelled; both must fit. Returning means asked for: only its scans show more."""
        ...

    async def bills(
        self, external_id: str | None = None, tracking_number: str | None = None, reference: str | None = None
    ) -> tuple[Bill, ...]:
        """Read what the returns cost that fit all that is given."""
        ...

    async def track(self, tracking_number: str, purpose: Purpose = Purpose.tracking) -> Progress:
        """Read where a parcel has been."""
        ...

    def learned(self, since: datetime, until: datetime) -> AsyncIterator[Progress]:
        """Give what the provider learned in a time. Let windows overlap: scans come late, and some come twice."""
        ...

    def happened(self, since: datetime, until: datetime) -> AsyncIterator[Progress]:
        """Give what happened in a time, as far as the provider knows by now."""
        ...

    async def refunded(self, tracking_number: str, at: datetime) -> None:
        """Tell that the money was paid back; that this is known already is as good."""
        ...

    def broken_for_quotes(self, draft: ReturnDraft) -> Sequence[FieldProblem]:
        """Say what would be refused where a price is asked for, by field."""
        ...

    async def quotes(self, draft: ReturnDraft) -> tuple[Quote, ...]:
        """Ask what a return would cost, by each service that takes it."""
        ...

    async def services(self, where: Whereabouts) -> tuple[Service, ...]:
        """Ask which services there are at a place."""
        ...

    async def points(self, query: PointQuery) -> tuple[DropOffPoint, ...]:
        """Ask for drop-off points."""
        ...

    async def point(self, point: str, service_id: int) -> DropOffPoint | None:
        """Read one drop-off point."""
        ...

    async def create_order(self, draft: OrderDraft) -> str:
        """Tell of an order, and give the provider's id of it."""
        ...

    async def find_order(self, reference: str) -> FoundOrder | None:
        """Read an order."""
        ...

    async def delete_order(self, reference: str) -> None:
        """Delete an order of which nothing came back yet."""
        ...

    async def add_items(self, draft: OrderItems) -> str:
        """Tell of more articles of an order, and give the provider's id of it."""
        ...
